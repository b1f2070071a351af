// A reload that was refused had built its credential already, and the metric that says which of two keys
// serves told of that one from then on.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { metricsText, sumOf } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { startRunningProxy } from '../support/running-proxy.ts'

test('the key that serves is told, also after a reload that was refused', async () => {
  const simulator = await startSimulator()
  onTestFinished(() => simulator.close())
  const cwd = mkdtempSync(join(tmpdir(), 'opusdns-metrics-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  const config = (first: string, second: string) =>
    `credential: { api_key: "file:${cwd}/${first}", previous_api_key: "file:${cwd}/${second}" }\n`
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_BASE: simulator.origin },
    cwd,
    config: config('wrong', 'old'),
    files: { wrong: 'opk_wrong', old: SEED_KEY.key, empty: '' },
  })
  const previousServes = async () =>
    sumOf(await metricsText(proxy), 'credential_serving', { secret: 'previous' }) === 1
  await eventually(previousServes, { within: 10_000, every: 50 })
  writeFileSync(join(cwd, 'proxy.yaml'), config('wrong', 'empty'))
  const refused = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
  expect(refused.status).toBe(422)
  expect(await previousServes()).toBe(true)
}, 20_000)
