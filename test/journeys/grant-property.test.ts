// Random requests of consumers with narrow grants: whatever reaches OpusDNS does, as OpusDNS would
// understand it, nothing outside of them.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawRequest, RawUpstream } from '../support/raw-upstream.ts'
import { seeded } from '../support/seeded.ts'
import { httpClient } from '../support/http-client.ts'

const REQUESTS = 5000

let upstream: RawUpstream
let proxy: Gateway

beforeAll(async () => {
  upstream = await rawUpstream()
  upstream.script = (request) => {
    void request.whole.then(() => request.socket.write('HTTP/1.1 204 No Content\r\n\r\n'))
  }
  proxy = await gateway({
    base: upstream.origin,
    consumers: {
      acme: 'grants: [acme: [example.com]]',
      deploy:
        'grants: [dns: { zones: [example.com], names: [www], types: [A], verbs: [read, upsert] }]',
    },
  })
})
afterAll(async () => {
  await proxy.stop()
  await upstream.close()
})

const { pick, below } = seeded(20261123)
const chance = (share: number) => below(1000) < share * 1000

const ZONES = [
  'example.com',
  'example.com.',
  'EXAMPLE.com',
  'example.org',
  'sub.example.com',
  'com',
  'ex%61mple.com',
  'example.com%2e',
  'example.com..',
  '*',
  'summary',
  'example%2Ecom',
] as const
const NAMES = [
  '_acme-challenge',
  '_acme-challenge.www',
  '_acme-challenge.example.com',
  '_acme-challenge.example.com.',
  'www',
  'www.example.com.',
  'WWW',
  'www.example.org.',
  '@',
  '',
  'example.com',
  '*',
  'www.',
  '_acme-challenge.',
  '_acme-challenge.example.org.',
  'x._acme-challenge',
  'w\\119w',
] as const
const NEAR = {
  acme: [
    ['_acme-challenge', 'TXT'],
    ['_acme-challenge.www', 'txt'],
  ],
  deploy: [
    ['www', 'A'],
    ['www.example.com.', 'a'],
  ],
} as const
type Name = keyof typeof NEAR
const TYPES = ['TXT', 'A', 'txt', 'a', 'AAAA', 'MX', 'TXT ', 'Α'] as const
const RECORDS = ['/records', '/rrsets', '/records', '/rrsets'] as const
const TAILS = ['', ...RECORDS, '/rrsets/', '/dnssec/disable', '/vanity-set'] as const
const METHODS = [
  'GET',
  'HEAD',
  'PATCH',
  'PATCH',
  'PATCH',
  'PATCH',
  'PUT',
  'POST',
  'DELETE',
] as const

type Member = 'record' | 'rrset'

/** One operation of a body that has `member` in each, as a rule. */
function entry(consumer: Name, member: Member): unknown {
  // Most of them are near to what is granted, or little would pass.
  const near = chance(0.8) ? pick<readonly [string, string]>(NEAR[consumer]) : undefined
  const target: Record<string, unknown> = {
    name: near?.[0] ?? pick(NAMES),
    type: near?.[1] ?? pick(TYPES),
    ttl: 60,
    rdata: 'x',
  }
  const rrset = { name: target['name'], type: target['type'], ttl: 60, records: [{ rdata: 'x' }] }
  const op = pick(['upsert', 'upsert', 'upsert', 'remove', 'replace'])
  if (chance(0.1)) target['zone'] = 'example.org'
  if (chance(0.05)) return { op, record: target, rrset }
  return (member === 'record') === chance(0.9) ? { op, record: target } : { op, rrset }
}

const entries = (consumer: Name, member: Member) =>
  Array.from({ length: pick([1, 1, 1, 2, 3]) }, () => entry(consumer, member))

function job(consumer: Name): unknown {
  const [command, member] = pick([
    ['dns_zone_patch_records_bulk', 'record'],
    ['dns_zone_patch_rrsets_bulk', 'rrset'],
  ] as const)
  const zone = () => (chance(0.8) ? 'example.com' : pick(ZONES))
  const instances = Array.from({ length: pick([1, 1, 2]) }, () => ({
    zone_name: zone(),
    ops: entries(consumer, member),
  }))
  return { [pick(['command', 'command', 'type'])]: command, payload: { instances } }
}

function bodyText(consumer: Name, path: string): string {
  const list = entries(consumer, path.endsWith('/records') ? 'record' : 'rrset')
  const jobs = path === '/v1/jobs' || chance(0.02)
  const whole = jobs
    ? { commands: Array.from({ length: pick([1, 1, 2]) }, () => job(consumer)) }
    : { [pick(['ops', 'ops', 'ops', 'ops', 'rrsets'])]: list }
  let text = JSON.stringify(whole)
  if (chance(0.1)) text = text.replace('"name"', '"n\\u0061me"')
  if (chance(0.1)) text = text.replace('"name":', `"name":${JSON.stringify(pick(NAMES))},"name":`)
  if (chance(0.05)) {
    text = `{"ops":${JSON.stringify([entry(consumer, 'record')])},${text.slice(1)}`
  }
  return text
}

/** As the simulator reads names (test/opusdns/rrsets.ts), which is as generous as any server. */
function absolute(name: string, zone: string): string {
  const lower = name.toLowerCase()
  if (lower === '' || lower === '@') return zone
  if (lower.endsWith('.')) return lower
  const dotted = `${lower}.`
  return dotted === zone || dotted.endsWith(`.${zone}`) ? dotted : `${lower}.${zone}`
}

interface Command {
  readonly command?: string
  readonly type?: string
  readonly payload: {
    readonly instances: readonly { readonly zone_name: string; readonly ops: readonly Entry[] }[]
  }
}

interface Entry {
  readonly op?: string
  readonly record?: { readonly name: string; readonly type: string }
  readonly rrset?: { readonly name: string; readonly type: string }
}

function judge(consumer: Name, { method, target, body }: RawRequest): void {
  const path = decodeURIComponent(target.split('?')[0] ?? '')
  if (path === '/v1/dns') {
    expect(method).toBe('GET')
    return
  }
  if (path === '/v1/jobs') {
    // An acme grant has none.
    expect([consumer, method]).toEqual(['deploy', 'POST'])
    const { commands } = JSON.parse(body.toString()) as { commands: readonly Command[] }
    expect(commands.length).toBeGreaterThan(0)
    for (const { command, type, payload } of commands) {
      const member = (command ?? type) === 'dns_zone_patch_records_bulk' ? 'record' : 'rrset'
      for (const { zone_name: zone, ops } of payload.instances) {
        judgeZone(zone, body)
        judgeOps(consumer, member, ops)
      }
    }
    return
  }
  const [, zone = '', tail = ''] = /^\/v1\/dns\/([^/]+)(\/.*)?$/.exec(path) ?? []
  judgeZone(zone, target)
  if (method === 'GET' || method === 'HEAD') {
    expect(consumer === 'deploy' ? ['', '/domain-forwards', '/email-forwards'] : ['']).toContain(
      tail,
    )
    return
  }
  expect(method).toBe('PATCH')
  const { ops } = JSON.parse(body.toString()) as { ops: readonly Entry[] }
  judgeOps(consumer, tail === '/records' ? 'record' : 'rrset', ops)
}

function judgeZone(zone: string, where: unknown): void {
  expect(`${zone.toLowerCase().replace(/\.$/, '')}.`, String(where)).toBe('example.com.')
}

function judgeOps(consumer: string, member: Member, ops: readonly Entry[]): void {
  expect(ops.length).toBeGreaterThan(0)
  for (const { op, [member]: said } of ops) {
    const name = absolute(said?.name ?? 'missing', 'example.com.')
    if (consumer === 'acme') {
      expect([op, said?.type.toUpperCase()]).toEqual([
        expect.stringMatching(/^(upsert|remove)$/),
        'TXT',
      ])
      expect(name).toMatch(
        /(^|\.)_acme-challenge\..*example\.com\.$|^_acme-challenge\.example\.com\.$/,
      )
    } else {
      expect([op, said?.type.toUpperCase(), name]).toEqual(['upsert', 'A', 'www.example.com.'])
    }
  }
}

test(`of ${REQUESTS} random requests, what reaches OpusDNS is within the grants`, async () => {
  const client = httpClient(`http://127.0.0.1:${proxy.port}`, { connections: 4 })
  const passed = { reads: 0, writes: 0, jobs: 0 }
  for (let at = 0; at < REQUESTS; at++) {
    const consumer = pick<Name>(['acme', 'deploy'])
    const path = chance(0.15)
      ? pick(['/v1/jobs', '/v1/jobs', '/v1/jobs', '/v1/dns', '/v1/dns/summary'])
      : `/v1/dns/${chance(0.7) ? 'example.com' : pick(ZONES)}${pick(TAILS)}`
    const method = path === '/v1/jobs' && chance(0.8) ? 'POST' : pick(METHODS)
    const before = upstream.requests.length
    const withBody = method !== 'GET' && method !== 'HEAD'
    const answer = await client.send({
      method,
      path,
      headers: { 'X-Api-Key': proxy.keys[consumer] ?? '', 'Content-Type': 'application/json' },
      ...(withBody ? { body: bodyText(consumer, path) } : {}),
    })
    const reached = upstream.requests.slice(before)
    // A list is read before it is judged, and this upstream shows none.
    const isList = path === '/v1/dns' && method === 'GET'
    if (answer.status >= 400 && !isList) expect(reached.map(({ target }) => target)).toEqual([])
    for (const request of reached) judge(consumer, request)
    if (path === '/v1/jobs') passed.jobs += reached.length
    else passed[withBody ? 'writes' : 'reads'] += reached.length
  }
  client.close()
  // Enough of each, or the property says nothing.
  expect(passed.reads).toBeGreaterThan(REQUESTS / 100)
  expect(passed.writes).toBeGreaterThan(REQUESTS / 50)
  expect(passed.jobs).toBeGreaterThan(5)
  expect(passed.reads + passed.writes + passed.jobs).toBeLessThan(REQUESTS / 2)
})
