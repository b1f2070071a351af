// What the audit log says of real requests, and what becomes of them while it cannot be written.

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { send } from '../support/wire-client.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function place(file?: string): Promise<{
  simulator: Simulator
  proxy: Gateway
  file: string
  records: () => Record<string, unknown>[]
}> {
  const folder = mkdtempSync(join(tmpdir(), 'audit-'))
  const to = file ?? join(folder, 'audit.jsonl')
  const simulator = await startSimulator()
  const proxy = await gateway({
    base: simulator.origin,
    consumers: {
      dns: 'grants: [dns: { zones: [example.com], verbs: [read, upsert, delete] }]',
      trial: 'mode: report, grants: []',
    },
    config: `audit: { to: 'file:${to}' }\n`,
  })
  ends.push(
    () => rmSync(folder, { recursive: true }),
    () => simulator.close(),
    () => proxy.stop(),
  )
  const records = () =>
    readFileSync(to, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { simulator, proxy, file: to, records }
}

const ask = (proxy: Gateway, consumer: string, method: string, path: string, body?: string) =>
  send(proxy.port, {
    method,
    path,
    headers: ['X-Api-Key', proxy.keys[consumer] ?? consumer, 'Content-Type', 'application/json'],
    ...(body === undefined ? {} : { body }),
  })

const BODY = JSON.stringify({
  ops: [{ op: 'upsert', record: { name: 'www', type: 'A', ttl: 60, rdata: '192.0.2.1' } }],
})

test('each decision has its record, with who, what, which grant, and how it ended', async () => {
  const { proxy, records } = await place()
  await ask(proxy, 'dns', 'PATCH', '/v1/dns/example.com/records', BODY)
  await ask(proxy, 'dns', 'GET', '/v1/dns/example.com?secret=query')
  await ask(proxy, 'dns', 'DELETE', '/v1/dns/example.org')
  await ask(proxy, 'trial', 'GET', '/v1/tlds/')
  await ask(proxy, 'nobody', 'GET', '/v1/tlds/')
  const all = (await eventually(() => {
    const found = records().filter(({ event }) => event !== 'begun')
    return found.length >= 6 && found
  })) as Record<string, unknown>[]
  const of = (consumer: string, method: string) =>
    all.filter((one) => one['consumer'] === consumer && one['method'] === method)

  expect(of('dns', 'PATCH')).toMatchObject([
    {
      ahead: true,
      by: expect.stringMatching(/^key:[a-z2-7]{8}$/),
      operation: '/v1/dns/{zone_name}/records',
      zones: ['example.com'],
      names: ['www.example.com'],
      decision: 'allow',
      grant: 'dns: { zones: [example.com], verbs: [read, upsert, delete] }',
      body_sha256: createHash('sha256').update(BODY).digest('hex'),
    },
  ])
  expect(all.filter((one) => one['of'] !== undefined)).toMatchObject([
    { of: of('dns', 'PATCH')[0]?.['seq'], status: 204, source: 'upstream' },
  ])
  expect(of('dns', 'GET')).toMatchObject([{ decision: 'allow', status: 200 }])
  expect(of('dns', 'DELETE')).toMatchObject([
    { decision: 'deny', reason: 'not_granted', zones: ['example.org'], status: 403, attempts: 0 },
  ])
  expect(of('trial', 'GET')).toMatchObject([{ decision: 'reported', status: 200 }])
  expect(of('none', 'GET')).toMatchObject([{ decision: 'deny', status: 401 }])
  const text = JSON.stringify(all)
  for (const secret of ['192.0.2.1', 'secret=query', ...Object.values(proxy.keys)]) {
    expect(text).not.toContain(secret)
  }
})

test('on a full disk nothing destructive happens, reads go on, and it is told', async () => {
  const { simulator, proxy } = await place('/dev/full')
  const before = simulator.requests.length
  const refused = await ask(proxy, 'dns', 'DELETE', '/v1/dns/example.com')
  expect([refused.status, refused.text]).toEqual([
    503,
    expect.stringContaining('audit_unavailable'),
  ])
  expect(simulator.requests.slice(before).filter(({ method }) => method === 'DELETE')).toEqual([])
  expect((await ask(proxy, 'dns', 'GET', '/v1/dns/example.com')).status).toBe(200)
  const ready = await fetch(`${proxy.adminOrigin}/readyz`)
  expect(await ready.text()).toContain('Records cannot be written')
  expect(await proxy.metric('audit_lost_total')).toBeGreaterThan(0)
})
