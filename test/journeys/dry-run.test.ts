// Dry runs through the whole proxy: what is foretold is what happens when the same request is sent for
// real, and nothing but the GET of the zone reaches OpusDNS.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { httpClient } from '../support/http-client.ts'
import type { HttpClient } from '../support/http-client.ts'
import { localProxy } from '../support/local-proxy.ts'
import { seeded } from '../support/seeded.ts'

interface Foretold {
  readonly dry_run: true
  readonly zone: string
  readonly zone_action: string | null
  readonly changes: readonly {
    action: string
    name: string
    type: string
    ttl: number
    rdata: string
  }[]
  readonly warnings: readonly string[]
}

const folder = mkdtempSync(join(tmpdir(), 'dry-run-'))
const AUDIT = join(folder, 'audit.jsonl')
let simulator: Simulator
let proxy: Gateway
let client: HttpClient

beforeAll(async () => {
  simulator = await startSimulator()
  proxy = await gateway({
    base: simulator.origin,
    consumers: {
      all: 'grants: [admin]',
      careful: 'dry_run: true, grants: [admin]',
      acme: 'grants: [acme: [example.com]]',
      blind: 'grants: [dns: { zones: [example.com], verbs: [upsert] }]',
    },
    config: `audit: { to: 'file:${AUDIT}' }\nunpriced: ['POST /v1/dns']`,
  })
  client = httpClient(`http://127.0.0.1:${proxy.port}`)
})
afterAll(async () => {
  client.close()
  await proxy.stop()
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Write {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

function send(
  { method, path, body }: Write,
  consumer: string,
  headers: Readonly<Record<string, string>> = {},
) {
  return client.send({
    method,
    path,
    headers: {
      'X-Api-Key': proxy.keys[consumer] ?? '',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}
const DRY = { Prefer: 'dry-run' }
const TXT = (name: string, rdata = '"x"') => ({ name, type: 'TXT', ttl: 60, rdata })
const patch = (...records: object[]): Write => ({
  method: 'PATCH',
  path: '/v1/dns/example.com/records',
  body: { ops: records.map((record) => ({ op: 'upsert', record })) },
})

/** What reached OpusDNS, but for the trial of the credential at the start. */
function askedSince(before: number): string[] {
  return simulator.requests
    .slice(before)
    .map(({ method, target }) => `${method} ${target}`)
    .filter((line) => !line.endsWith('/introspect'))
}

/** The dry run of `write`, and what reached OpusDNS meanwhile. */
async function foretell(write: Write, consumer = 'all', headers: Record<string, string> = DRY) {
  const before = simulator.requests.length
  const reply = await send(write, consumer, headers)
  const asked = askedSince(before)
  return { reply, asked, body: JSON.parse(reply.body.toString()) as Foretold }
}

/** All records of a zone: name, type, TTL and data. */
async function recordsOf(zone: string): Promise<Set<string>> {
  const reply = await send({ method: 'GET', path: `/v1/dns/${zone}` }, 'all')
  if (reply.status === 404) return new Set()
  const { rrsets } = JSON.parse(reply.body.toString()) as {
    rrsets: { name: string; type: string; ttl: number; records: { rdata: string }[] }[]
  }
  return new Set(
    rrsets.flatMap(({ name, type, ttl, records }) =>
      records.map(({ rdata }) => `${name} ${type} ${ttl} ${rdata}`),
    ),
  )
}

/** `records` after what was foretold. */
function applied(records: ReadonlySet<string>, { changes }: Foretold): Set<string> {
  const result = new Set(records)
  for (const { action, name, type, ttl, rdata } of changes) {
    const same = (one: string) => one.startsWith(`${name} ${type} `) && one.endsWith(` ${rdata}`)
    const old = [...result].find((one) => same(one) && one.split(' ').slice(3).join(' ') === rdata)
    if (action === 'create') expect(old).toBeUndefined()
    else {
      expect(old).toBeDefined()
      result.delete(old ?? '')
    }
    if (action !== 'delete') result.add(`${name} ${type} ${ttl} ${rdata}`)
  }
  return result
}

const { pick, below } = seeded(5_007)
const NAMES = [
  '@',
  '',
  'www',
  'WWW.example.com',
  'a.b',
  'mail.example.com.',
  '_acme-challenge',
] as const
const TYPES = ['A', 'txt', 'MX'] as const
const DATA = ['192.0.2.1', '192.0.2.2', '"two words"', '10 mx.example.com.'] as const
const many = <Item>(most: number, make: () => Item) => Array.from({ length: below(most) }, make)
const rrset = (least = 0) => ({
  name: pick(NAMES),
  type: pick(TYPES),
  ttl: pick([60, 300]),
  records: [
    ...many(3, () => ({ rdata: pick(DATA) })),
    ...(least > 0 ? [{ rdata: pick(DATA) }] : []),
  ],
})
const record = () => ({
  name: pick(NAMES),
  type: pick(TYPES),
  ttl: pick([60, 300]),
  rdata: pick(DATA),
})
const op = () => pick(['upsert', 'upsert', 'remove'])

function randomWrite(zone: string): Write {
  const path = `/v1/dns/${pick([zone, `${zone}.`, zone.toUpperCase()])}`
  switch (below(8)) {
    case 0:
      return { method: 'PUT', path: `${path}/rrsets`, body: { rrsets: many(4, rrset) } }
    case 1:
      return { method: 'DELETE', path }
    case 2:
    case 3:
      return { method: 'POST', path: '/v1/dns', body: { name: zone, rrsets: many(4, rrset) } }
    case 4:
    case 5: {
      const ops = Array.from({ length: 1 + below(3) }, () => ({ op: op(), rrset: rrset() }))
      return { method: 'PATCH', path: `${path}/rrsets`, body: { ops } }
    }
    default: {
      const ops = Array.from({ length: 1 + below(3) }, () => ({ op: op(), record: record() }))
      return { method: 'PATCH', path: `${path}/records`, body: { ops } }
    }
  }
}

test('what is foretold of random writes is what then happens', async () => {
  let done = 0
  let differences = 0
  for (let round = 0; round < 250; round += 1) {
    const write = randomWrite('example.com')
    const before = await recordsOf('example.com')
    const { reply, asked, body } = await foretell(write)
    expect(asked).toHaveLength(1)
    expect(asked[0]?.toLowerCase()).toMatch(/^get \/v1\/dns\/example\.com$/)
    expect(await recordsOf('example.com')).toEqual(before)
    const real = await send(write, 'all')
    if (reply.status === 404) {
      expect(real.status).toBe(404)
      continue
    }
    expect(reply.status).toBe(200)
    const after = await recordsOf('example.com')
    const what = JSON.stringify(write)
    if (real.status === 400) expect(body.warnings.join(' '), what).toContain('exists already')
    const made = body.zone_action === 'create'
    // SOA and NS of a new zone are OpusDNS's own.
    const own = (one: string) => made && / (?:SOA|NS) /.test(one)
    expect(new Set([...after].filter((one) => !own(one))), what).toEqual(applied(before, body))
    done += 1
    differences += body.changes.length
  }
  expect(done).toBeGreaterThan(150)
  expect(differences).toBeGreaterThan(300)
}, 15_000)

describe('a dry run', () => {
  test('says so in Preference-Applied, and its Prefer goes no further', async () => {
    simulator.reset()
    const { reply, asked, body } = await foretell(patch(TXT('www')), 'all', {
      Prefer: 'return=minimal, Dry-Run; x=1',
      'If-Match': 'x',
    })
    expect(reply.status).toBe(200)
    expect(reply.headers['preference-applied']).toBe('dry-run')
    expect(reply.headers['content-type']).toBe('application/json')
    expect(body).toEqual({
      dry_run: true,
      zone: 'example.com.',
      zone_action: null,
      changes: [{ action: 'create', name: 'www.example.com.', type: 'TXT', ttl: 60, rdata: '"x"' }],
      warnings: [],
    })
    expect(asked).toEqual(['GET /v1/dns/example.com'])
    const fields = simulator.requests.at(-1)?.rawHeaders.map((one) => one.toLowerCase())
    for (const name of ['prefer', 'content-type', 'content-length', 'if-match']) {
      expect(fields).not.toContain(name)
    }
  })

  test('of another preference is none', async () => {
    simulator.reset()
    const reply = await send(patch(TXT('www')), 'all', { Prefer: 'return=minimal' })
    expect(reply.status).toBe(204)
    expect(simulator.requests.at(-1)?.rawHeaders).toContain('return=minimal')
  })

  test.each([
    'dry_run',
    'DRY-RUN',
    'dry-run=true',
    'wait=1,dry-run',
    'dryrun',
    '"dry-run"',
    'dry\trun',
    'dry--run',
    'dry-run-only',
    'x-dry-run',
    'handling=lenient;dry.run',
    // The bytes of a hyphen that does not break.
    'dry\u00e2\u0080\u0091run',
  ])('is what Prefer: %s means', async (value) => {
    const { asked } = await foretell(patch(TXT('www')), 'all', { Prefer: value })
    expect(asked).toEqual(['GET /v1/dns/example.com'])
  })

  test('of a consumer with dry_run is every write, whatever the client knows', async () => {
    simulator.reset()
    const { asked, reply } = await foretell(patch(TXT('www')), 'careful', {})
    expect(reply.status).toBe(200)
    expect(asked).toEqual(['GET /v1/dns/example.com'])
    expect((await send({ method: 'GET', path: '/v1/dns' }, 'careful')).status).toBe(200)
  })

  test.each([
    ['POST', '/v1/domains', { name: 'a.example' }],
    ['POST', '/v1/dns/example.com/dnssec/enable', undefined],
    ['POST', '/v1/jobs', { commands: [] }],
    ['DELETE', '/v1/contacts/contact_1', undefined],
    ['PUT', '/v1/contacts/contact_1', { huge: 'x'.repeat(3_000_000) }],
  ])('of %s %s is refused, and nothing is forwarded', async (method, path, body) => {
    for (const [consumer, headers] of [
      ['all', DRY],
      ['careful', {}],
    ] as const) {
      const { reply, asked } = await foretell({ method, path, body }, consumer, headers)
      expect(asked).toEqual([])
      expect(reply.status).toBeGreaterThanOrEqual(400)
      const { code } = JSON.parse(reply.body.toString()) as { code: string }
      // What is denied is denied first.
      expect(['dry_run_unsupported', 'not_granted', 'body_not_understood']).toContain(code)
      if (path.endsWith('enable')) expect(code).toBe('dry_run_unsupported')
    }
  })

  test('of a reading is the reading', async () => {
    const { reply, asked } = await foretell({ method: 'GET', path: '/v1/dns/example.com?x=1' })
    expect(reply.headers['preference-applied']).toBeUndefined()
    expect(asked).toEqual(['GET /v1/dns/example.com?x=1'])
  })

  test('of what is denied is denied, and asks OpusDNS nothing', async () => {
    const { reply, asked } = await foretell(patch(TXT('www')), 'acme')
    expect(reply.status).toBe(403)
    expect(asked).toEqual([])
    const allowed = await foretell(patch(TXT('_acme-challenge')), 'acme')
    expect(allowed.body.changes).toHaveLength(1)
  })

  test('shows no zone to one who may not read it', async () => {
    const { reply, asked } = await foretell(patch(TXT('www')), 'blind')
    expect(reply.status).toBe(403)
    expect(asked).toEqual([])
  })

  test('of a zone that is not there has OpusDNS’s own answer', async () => {
    const write = { ...patch(TXT('www')), path: '/v1/dns/nowhere.example/records' }
    const { reply } = await foretell(write)
    expect(reply.status).toBe(404)
    expect(reply.body.toString()).toContain('ERROR_ZONE_NOT_FOUND')
  })

  test('of a zone that is no name is refused', async () => {
    const { reply, asked } = await foretell({ method: 'DELETE', path: '/v1/dns/stra%C3%9Fe.de' })
    const { code } = JSON.parse(reply.body.toString()) as { code?: string }
    expect([reply.status, code]).toEqual([400, 'path_not_canonical'])
    expect(asked).toEqual([])
  })

  test('of a body that cannot be understood is refused', async () => {
    const { reply, asked } = await foretell({ ...patch(), body: { ops: [{ op: 'merge' }] } })
    expect(reply.status).toBe(400)
    expect(asked).toEqual([])
  })

  test('is audited and counted as what was allowed', async () => {
    const before = await proxy.metric('policy_decisions_total', { consumer: 'acme' })
    await foretell(patch(TXT('_acme-challenge.a')), 'acme')
    const access = await proxy.accessLine(({ consumer, status }) => {
      return consumer === 'acme' && status === 200
    })
    expect(access['source']).toBe('proxy')
    expect(await proxy.metric('policy_decisions_total', { consumer: 'acme' })).toBe(before + 1)
    const records = readFileSync(AUDIT, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(records.findLast(({ consumer }) => consumer === 'acme')).toMatchObject({
      decision: 'allow',
      dry_run: true,
      changes: ['upsert TXT _acme-challenge.a.example.com'],
    })
  })

  test('works without consumers', async () => {
    const open = await localProxy({ base: simulator.origin })
    const other = httpClient(`http://127.0.0.1:${open.port}`)
    try {
      const before = simulator.requests.length
      const { method, path, body } = patch(TXT('www'))
      const reply = await other.send({
        method,
        path,
        headers: { ...DRY, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      })
      expect(reply.status).toBe(200)
      expect(askedSince(before)).toEqual(['GET /v1/dns/example.com'])
    } finally {
      other.close()
      await open.stop()
    }
  })
})
