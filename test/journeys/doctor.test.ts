// `doctor` as a user runs it, as a process: exit codes and output, beside a running proxy, with real TLS,
// and against an upstream that hangs.

import { expect, onTestFinished, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { KEY, leaks, startCanarySimulator } from '../support/canary.ts'
import { authority } from '../support/certificates.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { runCommand, startRunningProxy } from '../support/running-proxy.ts'
import { report } from '../cli/doctor-run.ts'

async function simulated(): Promise<Simulator> {
  const simulator = await startSimulator()
  onTestFinished(() => simulator.close())
  return simulator
}

const json = async (env: Record<string, string>, more: object = {}) => {
  const { code, stdout, stderr } = await runCommand({ args: ['doctor', '--json'], env, ...more })
  return { code, stderr, ...report(stdout) }
}

test('is in the help, with its options and what it does', async () => {
  const { code, stdout } = await runCommand({ args: ['doctor', '--help'] })
  expect(code).toBe(0)
  for (const word of ['--json', '--config', 'one token', 'changes nothing']) {
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(word)
  }
})

test('ends with 0 when nothing failed, 1 for the configuration, 2 for the remote side', async () => {
  const simulator = await simulated()
  const env = { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key }
  const [good, local, remote] = await Promise.all([
    runCommand({ args: ['doctor'], env }),
    runCommand({ args: ['doctor'], env: {} }),
    runCommand({ args: ['doctor'], env: { ...env, OPUSDNS_API_KEY: 'opk_unknown' } }),
  ])
  expect([good.code, local.code, remote.code]).toEqual([0, 1, 2])
  for (const { stdout, stderr } of [good, local, remote]) {
    expect(stderr).toBe('')
    expect(stdout).toMatch(/\nsummary: \d+ ok, \d+ warn, \d+ fail, \d+ skip, in \d+\.\d s\n$/)
  }
})

test('knows the listeners of a running proxy from those of something else', async () => {
  const simulator = await simulated()
  const env = { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key }
  const proxy = await startRunningProxy({ env })
  const taken = `127.0.0.1:${simulator.port}`
  const [beside, other] = await Promise.all([
    json({
      ...env,
      OPUSDNS_PROXY_LISTEN: proxy.listen.join(','),
      OPUSDNS_PROXY_ADMIN: proxy.admin,
    }),
    json({ ...env, OPUSDNS_PROXY_LISTEN: taken }),
  ])
  expect(beside.code).toBe(0)
  for (const address of [...proxy.listen, proxy.admin]) {
    expect(beside.of(`listener:${address}`)).toMatchObject({
      outcome: 'ok',
      saw: expect.stringContaining('a proxy that runs'),
    })
  }
  expect(other.code).toBe(1)
  expect(other.of(`listener:${taken}`)).toMatchObject({ outcome: 'fail' })
})

test('trusts no stranger, whatever the environment says, and sends it nothing', async () => {
  const upstream = await rawUpstream(undefined, { tls: authority('a stranger').issue() })
  onTestFinished(() => upstream.close())
  const { code, of } = await json({
    OPUSDNS_API_BASE: upstream.origin,
    OPUSDNS_API_KEY: SEED_KEY.key,
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
  })
  expect(code).toBe(2)
  expect(of('tls')).toMatchObject({ outcome: 'fail' })
  expect(of('tls').saw).toContain('issued by a stranger')
  expect([of('http').outcome, of('credential').outcome]).toEqual(['skip', 'skip'])
  // At most the handshake itself; no question followed.
  expect(upstream.connections).toBeLessThan(2)
})

test('ends in time when the upstream accepts and says nothing, and says no secret', async () => {
  const simulator = await startCanarySimulator()
  simulator.faults.hang = true
  const begun = performance.now()
  const env = { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: KEY }
  const { code, stdout, stderr } = await runCommand({ args: ['doctor', '--json'], env })
  expect(performance.now() - begun).toBeLessThan(15_000)
  expect(code).toBe(2)
  expect(report(stdout).outcomes()).toMatchObject({ http: 'fail', credential: 'skip' })
  expect(leaks({ stdout, stderr }, [KEY])).toEqual([])
})
