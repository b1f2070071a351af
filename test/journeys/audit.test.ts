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
import { open, send } from '../support/wire-client.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function place(
  file?: string,
  more = 'on_failure: refuse',
): Promise<{
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
      half: 'mode: report, grants: [acme: [example.com]]',
      paced: 'grants: [admin], limits: { rate: 1/h }',
      admin: 'grants: [admin]',
      trier: 'dry_run: true, grants: [admin]',
      doubter: 'mode: report, dry_run: true, grants: []',
    },
    config: `audit: { to: 'file:${to}', ${more} }\n`,
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
    { decision: 'deny', reason: 'not_visible', zones: ['example.org'], status: 404, attempts: 0 },
  ])
  expect(of('trial', 'GET')).toMatchObject([{ decision: 'reported', status: 200 }])
  expect(of('none', 'GET')).toMatchObject([{ decision: 'deny', status: 401 }])
  const text = JSON.stringify(all)
  for (const secret of ['192.0.2.1', 'secret=query', ...Object.values(proxy.keys)]) {
    expect(text).not.toContain(secret)
  }
})

const digest = (body: string) => createHash('sha256').update(body).digest('hex')
const WITH_A = {
  operation: '/v1/dns/{zone_name}/records',
  zones: ['example.com'],
  names: ['www.example.com'],
  changes: ['upsert A www.example.com'],
  body_sha256: digest(BODY),
}
const RECORDS = '/v1/dns/example.com/records'

/** The records of `consumer`, when there are `count` of them and their outcomes. */
async function recordsOf(
  { records }: Awaited<ReturnType<typeof place>>,
  consumer: string,
  count: number,
): Promise<Record<string, unknown>[]> {
  return (await eventually(() => {
    const all = records()
    const own = all.filter((one) => one['consumer'] === consumer)
    const found = own.flatMap((one) => {
      const outcome = all.find(({ of, chain }) => of === one['seq'] && chain === one['chain'])
      if (one['ahead'] !== true) return [one]
      return outcome === undefined ? [] : [{ ...outcome, ...one }]
    })
    return found.length >= count && found
  })) as Record<string, unknown>[]
}

test('a refusal by what the body says tells what it was, and of which body', async () => {
  const world = await place()
  await ask(world.proxy, 'dns', 'PATCH', RECORDS, BODY.replace('upsert', 'remove'))
  await ask(world.proxy, 'dns', 'PATCH', RECORDS, '{"ops":[1')
  expect(await recordsOf(world, 'dns', 2)).toMatchObject([
    {
      ...WITH_A,
      decision: 'deny',
      reason: 'not_granted',
      changes: ['remove A www.example.com'],
      body_sha256: digest(BODY.replace('upsert', 'remove')),
      status: 403,
      attempts: 0,
    },
    {
      decision: 'deny',
      reason: 'body_not_understood',
      body_sha256: digest('{"ops":[1'),
      status: 400,
    },
  ])
})

test('who may do everything leaves as good a trail, with the digest of what was streamed', async () => {
  const world = await place()
  const large = `${BODY}${' '.repeat(2_000_000)}`
  await ask(world.proxy, 'admin', 'PATCH', RECORDS, BODY)
  await ask(world.proxy, 'admin', 'PATCH', RECORDS, large)
  const [small, streamed] = await recordsOf(world, 'admin', 2)
  expect(small).toMatchObject({ ...WITH_A, ahead: true, decision: 'allow', grant: 'admin' })
  expect(streamed).toMatchObject({ ahead: true, decision: 'allow', body_sha256: digest(large) })
})

test('report mode lets a body pass that is too large to be judged, and says so', async () => {
  const world = await place()
  const large = `${BODY}${' '.repeat(2_000_000)}`
  expect((await ask(world.proxy, 'half', 'PATCH', RECORDS, large)).status).toBe(204)
  expect((await ask(world.proxy, 'half', 'PATCH', RECORDS, BODY)).status).toBe(204)
  expect(await recordsOf(world, 'half', 2)).toMatchObject([
    { decision: 'reported', reason: 'not_granted', body_sha256: digest(large), status: 204 },
    { ...WITH_A, decision: 'reported', reason: 'not_granted', status: 204 },
  ])
  expect(
    world.proxy.lines.filter(({ msg }) => msg === 'would be denied').map(({ missing }) => missing),
  ).toEqual([
    expect.stringContaining('limits.judged_body_size'),
    expect.stringContaining('upsert A at www.example.com'),
  ])
})

test('a dry run tells what was tried, whoever tries it', async () => {
  const world = await place()
  for (const consumer of ['trier', 'doubter']) {
    expect((await ask(world.proxy, consumer, 'PATCH', RECORDS, BODY)).status).toBe(200)
    const [record] = await recordsOf(world, consumer, 1)
    expect(record).toMatchObject({
      dry_run: true,
      names: ['www.example.com'],
      changes: expect.arrayContaining(['upsert A www.example.com']),
    })
  }
})

test('what a limit refuses is a refusal, in one line', async () => {
  const world = await place()
  await ask(world.proxy, 'paced', 'PATCH', RECORDS, BODY)
  await ask(world.proxy, 'paced', 'PATCH', RECORDS, BODY)
  const [first, second] = await recordsOf(world, 'paced', 2)
  expect(first).toMatchObject({ ahead: true, decision: 'allow', status: 204 })
  expect(second).toMatchObject({
    decision: 'deny',
    reason: 'rate_limited',
    status: 429,
    attempts: 0,
  })
  expect(second).not.toHaveProperty('ahead')
})

test('a client that leaves in the middle of its body was let do nothing', async () => {
  const world = await place()
  const call = open(world.proxy.port, {
    method: 'POST',
    path: '/v1/jobs',
    headers: ['X-Api-Key', world.proxy.keys['dns'] ?? '', 'Content-Length', '9999'],
  })
  call.on('error', () => undefined)
  call.write('{"commands":[{"command":"domain_create"')
  const { simulator, proxy } = world
  await eventually(async () => (await proxy.metric('inflight_requests')) === 1)
  call.socket?.resetAndDestroy()
  const [record] = await recordsOf(world, 'dns', 1)
  expect(record).toMatchObject({
    decision: 'deny',
    reason: 'client_gone',
    status: 499,
    attempts: 0,
  })
  expect(record).not.toHaveProperty('ahead')
  expect(simulator.requests).toHaveLength(1)
})

test('a login is written down before it is answered, or refused', async () => {
  const login = async (world: Awaited<ReturnType<typeof place>>) =>
    send(world.proxy.port, {
      method: 'POST',
      path: '/v1/auth/token',
      headers: ['Content-Type', 'application/json'],
      body: JSON.stringify({
        grant_type: 'client_credentials',
        client_id: 'admin',
        client_secret: world.proxy.keys['admin'],
      }),
    })
  const world = await place()
  expect((await login(world)).status).toBe(200)
  const records = await recordsOf(world, 'admin', 1)
  expect(records).toMatchObject([{ ahead: true, by: expect.stringMatching(/^key:/), status: 200 }])
  expect(JSON.stringify(records)).not.toContain(world.proxy.keys['admin'])

  const full = await place('/dev/full', 'refuse_classes: [credential]')
  const refused = await login(full)
  expect([refused.status, refused.text]).toEqual([
    503,
    expect.stringContaining('audit_unavailable'),
  ])
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
