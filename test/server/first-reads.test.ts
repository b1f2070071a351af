// The wait for the secrets at start, in simulated time.

import { expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { Secret } from '../../src/base/secret.ts'
import { log } from '../../src/observe/log.ts'
import { liveSecret } from '../../src/secrets/live-secret.ts'
import { firstReads, START_WAIT_MS } from '../../src/server/first-reads.ts'
import { manualClock, settle } from '../support/manual-clock.ts'

/** The start with one secret for each of `reads`, by the name of its place. */
function start(reads: Readonly<Record<string, Promise<string>>>) {
  const clock = manualClock()
  const lines: Record<string, unknown>[] = []
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const secrets = Object.entries(reads).map(([reference, text]) => {
    const read = async () => Secret.of(await text)
    const live = liveSecret({ kind: 'file', reference, read }, { clock, observe: () => undefined })
    live.start()
    return live
  })
  let over = false
  void firstReads(secrets, { clock, log: log({ level: 'info' }, sink, clock) }).then(() => {
    over = true
  })
  return {
    clock,
    secrets,
    over: () => over,
    awaited: () => lines.map(({ reference }) => reference),
  }
}

const NEVER = new Promise<never>(() => {})
const GONE = () => Promise.reject(new Fault('secret_unavailable', { detail: 'gone.' }))

test('secrets that are there, or that fail at once, delay nothing', async () => {
  const { over, awaited } = start({ a: Promise.resolve('opk_a'), b: GONE() })
  await settle()
  expect(over()).toBe(true)
  expect(awaited()).toEqual([])
})

test('a slow one is waited for', async () => {
  const slow = Promise.withResolvers<string>()
  const { clock, secrets, over, awaited } = start({ slow: slow.promise })
  await clock.advance(START_WAIT_MS - 1)
  expect(over()).toBe(false)
  slow.resolve('opk_a')
  await settle()
  expect(over()).toBe(true)
  expect(secrets[0]?.status().ok).toBe(true)
  expect(awaited()).toEqual([])
})

test('one that hangs is waited for so long and no longer, and named', async () => {
  const slow = Promise.withResolvers<string>()
  const reads = { there: Promise.resolve('opk_a'), slow: slow.promise, hangs: NEVER, b: GONE() }
  const { clock, secrets, over, awaited } = start(reads)
  await clock.advance(START_WAIT_MS - 1)
  expect(over()).toBe(false)
  await clock.advance(1)
  expect(over()).toBe(true)
  expect(awaited()).toEqual(['slow', 'hangs'])
  slow.resolve('opk_b')
  await settle()
  expect(secrets[1]?.current()?.reveal()).toBe('opk_b')
})
