// How reloads that come together, or find something that hangs, behave; what they take is in
// journeys/reload.test.ts.

import { expect, test } from 'vitest'

import type { ServiceSettings, Service } from '../../src/server/service.ts'
import { reloader } from '../../src/server/reload.ts'
import type { ReloadDeps } from '../../src/server/reload.ts'
import { manualClock, settle } from '../support/manual-clock.ts'

/** A reloader over a service that does nothing; counts what it reads and installs. */
function rig(refresh: () => Promise<unknown> = async () => undefined) {
  const clock = manualClock()
  const settings = { settings: { limits: {}, log: {} } } as ServiceSettings
  const service = { ...settings, start() {}, retire() {} } as unknown as Service
  const quiet = { inc() {}, info() {}, warn() {}, error() {} }
  const gates: (() => void)[] = []
  let loads = 0
  let installs = 0
  const deps: Partial<Record<keyof ReloadDeps, unknown>> = {
    clock,
    log: quiet,
    metrics: { configReloads: quiet },
    async load() {
      loads++
      await new Promise<void>((resolve) => void gates.push(resolve))
      return settings
    },
    secrets: async () => ({ known: new Map(), problems: [] }),
    build: async () => service,
    refresh,
    present: () => service,
    install: () => void installs++,
    kept: () => [],
  }
  const reload = reloader(deps as unknown as ReloadDeps)
  return { clock, reload, gates, loads: () => loads, installs: () => installs }
}

test('who reloads during a reload gets one that reads the file after the question', async () => {
  const { reload, gates, loads, installs } = rig()
  const first = reload()
  const others = [reload(), reload()]
  expect(loads()).toBe(1)
  gates[0]?.()
  await first
  await settle()
  expect(loads()).toBe(2)
  gates[1]?.()
  expect(await Promise.all(others)).toMatchObject([{ ok: true }, { ok: true }])
  expect([loads(), installs()]).toEqual([2, 2])
})

test('a secret that hangs when it is read again holds a reload up for ten seconds at most', async () => {
  const { clock, reload, gates } = rig(() => new Promise(() => {}))
  let done = false
  const reloaded = reload().then((outcome) => {
    done = true
    return outcome
  })
  await settle()
  gates[0]?.()
  await clock.advance(9_999)
  expect(done).toBe(false)
  await clock.advance(1)
  expect(await reloaded).toMatchObject({ ok: true })
})
