// `audit.to: stdout` as an operator runs it: records and log lines share one stdout, and `audit verify` reads
// what was gathered of it.

import { expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { runCommand, startRunningProxy } from '../support/running-proxy.ts'

test('records on stdout are whole, among the lines of the log', async () => {
  const simulator = await startSimulator()
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key },
    config: 'audit: { to: stdout }\n',
  })
  await fetch(`${proxy.origin}/v1/dns`)
  await fetch(`${proxy.origin}/v1/dns/example.com`, { method: 'DELETE' })
  proxy.kill('SIGTERM')
  await proxy.exited
  await simulator.close()
  const records = proxy
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{"chain":'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(records.map(({ event }) => event)).toEqual([
    'begun',
    'decision',
    'decision',
    'outcome',
    'stopped',
  ])
  const verified = await runCommand({
    args: ['audit', 'verify', 'out.log'],
    files: { 'out.log': proxy.stdout() },
  })
  expect(verified.stdout).toContain('OK: 5 records (2 decisions)')
})
