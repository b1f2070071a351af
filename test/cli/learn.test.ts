// `learn` as a user runs it, on the audit file of a proxy in report mode: what it prints lets the same
// traffic pass, and nothing else.

import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { z } from '../../src/base/schema.ts'
import { learnCommand } from '../../src/cli/learn.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'
import { chainedLine } from '../../src/observe/audit-chain.ts'
import { grantedOperationOf } from '../../src/opusdns/operations.ts'
import { grantShape } from '../../src/policy/grant-options.ts'
import { judged } from '../../src/policy/judged.ts'
import { policy } from '../../src/policy/policy.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { httpClient } from '../support/http-client.ts'
import type { HttpClient } from '../support/http-client.ts'
import { seeded } from '../support/seeded.ts'

const folder = mkdtempSync(join(tmpdir(), 'learn-'))
const AUDIT = join(folder, 'audit.jsonl')
const CONSUMERS = [
  'certbot',
  'deploy',
  'shop',
  'forwarder',
  'parker',
  'registrar',
  'broken',
  'tagger',
  'delegate',
  ...Array.from({ length: 12 }, (_, n) => `random${n}`),
]

let simulator: Simulator
let proxy: Gateway
let client: HttpClient

beforeAll(async () => {
  simulator = await startSimulator()
  proxy = await gateway({
    base: simulator.origin,
    consumers: Object.fromEntries(CONSUMERS.map((name) => [name, 'mode: report, grants: []'])),
    config: `audit: { to: 'file:${AUDIT}' }`,
  })
  client = httpClient(`http://127.0.0.1:${proxy.port}`)
})
afterAll(async () => {
  client.close()
  await proxy.stop()
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Asked {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}

/** A text as `body` is sent as it is. */
async function send({ method, path, body }: Asked, consumer: string): Promise<number> {
  const reply = await client.send({
    method,
    path,
    headers: {
      'X-Api-Key': proxy.keys[consumer] ?? '',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return reply.status
}

async function learn(files: readonly string[], ...options: string[]) {
  const seen = { stdout: '', stderr: '' }
  const world = {
    out: (text: string) => void (seen.stdout += text),
    err: (text: string) => void (seen.stderr += text),
  } as unknown as World
  const code = await runProgram(['learn', ...files, ...options], world)
  return { code, ...seen }
}

const grantsOption = z.strictObject({ grants: grantShape.grants })
type Printed = { consumers: Record<string, unknown> }

/** The policy of each consumer in what `learn` printed. */
function policies(yaml: string): ReadonlyMap<string, Policy> {
  const { consumers } = parse(yaml) as Printed
  return new Map(
    Object.entries(consumers).map(([name, written]) => [
      name,
      policy(grantsOption.parse(written).grants),
    ]),
  )
}

function lets(one: Policy, { method, path, body }: Asked): boolean {
  const operation = grantedOperationOf(method, path)
  const decision = one.decide(method, path, operation)
  if (decision.kind !== 'body') return decision.kind !== 'denied'
  const form = { contentType: 'application/json', contentEncoding: undefined }
  const bytes = Buffer.from(JSON.stringify(body ?? null))
  return judged(one, { method, path, operation }, form, bytes).decision.kind === 'allowed'
}

const record = (op: string, name: string, type = 'TXT') => ({
  op,
  record: { name, type, ttl: 60, rdata: '"x"' },
})
const patch = (zone: string, ...list: object[]): Asked => ({
  method: 'PATCH',
  path: `/v1/dns/${zone}/records`,
  body: { ops: list },
})

describe('what is learnt of a client', () => {
  test('like certbot is an acme grant, whatever names it looked up', async () => {
    const walk = ['_acme-challenge.www.example.com', 'www.example.com', 'example.com']
    for (const name of walk) await send({ method: 'GET', path: `/v1/dns/${name}` }, 'certbot')
    await send(patch('example.com', record('upsert', '_acme-challenge.www')), 'certbot')
    await send(patch('example.com.', record('remove', '_acme-challenge.www')), 'certbot')
    const { code, stdout } = await learn([AUDIT], '--consumer', 'certbot')
    expect(code).toBe(0)
    expect((parse(stdout) as Printed).consumers).toEqual({
      certbot: { grants: [{ acme: ['example.com'] }] },
    })
    expect(stdout).toContain('# 3 requests')
    expect(stdout).toContain('# 3 of them would have been denied')
    expect(stdout).toContain('not learnt: 2 look-ups of what is no zone')
  })

  test('like certbot is one too where the challenges have a zone of their own', async () => {
    const zone = '_acme-challenge.example.com'
    await send({ method: 'GET', path: `/v1/dns/${zone}` }, 'delegate')
    await send(patch(zone, record('upsert', '@')), 'delegate')
    const { stdout } = await learn([AUDIT], '--consumer', 'delegate')
    expect((parse(stdout) as Printed).consumers['delegate']).toEqual({ grants: [{ acme: [zone] }] })
  })

  test('that buys is told to need a budget besides', async () => {
    await send({ method: 'POST', path: '/v1/domains/a.example/restore', body: {} }, 'shop')
    const { stdout } = await learn([AUDIT], '--consumer', 'shop')
    expect((parse(stdout) as Printed).consumers['shop']).toEqual({
      grants: [{ operation: ['POST /v1/domains/{domain_reference}/restore'] }],
    })
    expect(stdout).toContain('# 1 times: what is a purchase, or may be one')
  })

  test('that keeps forwards is one grant for its hosts', async () => {
    const body = { hostname: 'www.example.com' }
    await send({ method: 'POST', path: '/v1/domain-forwards', body }, 'forwarder')
    await send({ method: 'DELETE', path: '/v1/domain-forwards/a.example.org' }, 'forwarder')
    await send({ method: 'GET', path: '/v1/email-forwards?page=2' }, 'forwarder')
    const instances = [{ hostname: 'b.example.org' }]
    const commands = [
      { version: 'v1', command: 'domain_forward_delete_bulk', payload: { instances } },
    ]
    await send({ method: 'POST', path: '/v1/jobs', body: { commands } }, 'forwarder')
    const { stdout } = await learn([AUDIT], '--consumer', 'forwarder')
    expect((parse(stdout) as Printed).consumers['forwarder']).toEqual({
      grants: [{ forwards: ['a.example.org', 'b.example.org', 'www.example.com'] }],
    })
    expect(stdout).toContain('# 1 times: what may cost something: the consumer needs a budget')
  })

  test('that tags zones is a verb for them, and an operation for all else', async () => {
    const tag = (type: string, object: string) =>
      send(
        { method: 'POST', path: '/v1/tags/objects', body: { type, objects: [object] } },
        'tagger',
      )
    await tag('ZONE', 'example.com')
    const dns = { dns: { zones: ['example.com'], verbs: ['tag'] } }
    const zones = await learn([AUDIT], '--consumer', 'tagger')
    expect((parse(zones.stdout) as Printed).consumers['tagger']).toEqual({ grants: [dns] })
    await tag('DOMAIN', 'example.com')
    const all = await learn([AUDIT], '--consumer', 'tagger')
    expect((parse(all.stdout) as Printed).consumers['tagger']).toEqual({
      grants: [dns, { operation: ['POST /v1/tags/objects'] }],
    })
  })

  const job = (...commands: object[]): Asked => ({
    method: 'POST',
    path: '/v1/jobs',
    body: { commands },
  })
  const bulk = (command: string, ...instances: object[]) => ({ command, payload: { instances } })

  test('whose batch does what only wide grants let pass is told which, beside the narrow ones', async () => {
    const batch = job(
      bulk('parking_create_bulk', { domain: 'a.example' }),
      bulk('parking_enable_bulk', { parking_reference: 'a.example' }),
      bulk('parking_disable_bulk', { parking_reference: 'a.example' }),
      bulk('parking_delete_bulk', { parking_reference: 'a.example' }),
      bulk('dns_zone_patch_records_bulk', {
        zone_name: 'example.com',
        ops: [record('upsert', 'www')],
      }),
    )
    await send(batch, 'parker')
    const { stdout } = await learn([AUDIT], '--consumer', 'parker')
    const dns = { zones: ['example.com'], names: ['www'], types: ['TXT'], verbs: ['upsert'] }
    expect((parse(stdout) as Printed).consumers['parker']).toEqual({ grants: [{ dns }] })
    expect(stdout).not.toContain('purchase')
    expect(stdout).toContain(
      'a job that does DELETE /v1/parking/{parking_reference}: class: [write, destructive, bulk] would let it pass, which is wide',
    )
    const wide = policy(
      grantsOption.parse({ grants: [{ dns }, { class: ['write', 'destructive', 'bulk'] }] }).grants,
    )
    expect(lets(wide, batch)).toBe(true)
  })

  test('that orders in batches is told the class that would do, and the budget', async () => {
    const order = {
      name: 'new-name.example',
      period: { unit: 'y', value: 1 },
      contacts: { registrant: 'contact_1' },
      renewal_mode: 'expire',
    }
    const batch = job({ command: 'domain_create', payload: order })
    await send(batch, 'registrar')
    const { stdout } = await learn([AUDIT], '--consumer', 'registrar')
    expect((parse(stdout) as Printed).consumers['registrar']).toEqual({ grants: [] })
    expect(stdout).toContain('what is a purchase, or may be one')
    const [, classes = ''] =
      /does POST \/v1\/domains: class: \[(.*?)\] would let it pass/.exec(stdout) ?? []
    const wide = grantsOption.parse({ grants: [{ class: classes.split(', ') }] }).grants
    expect(lets(policy(wide), batch)).toBe(true)
  })

  test('is none where it was not understood, nor where nothing came of it', async () => {
    const garbage: Asked = { ...patch('example.com'), body: '{"ops":[1' }
    expect(await send(garbage, 'broken')).toBeGreaterThanOrEqual(400)
    await send({ method: 'GET', path: '/v1/domains/nobody-has-it.example' }, 'broken')
    const { stdout } = await learn([AUDIT], '--consumer', 'broken')
    expect((parse(stdout) as Printed).consumers['broken']).toEqual({
      grants: [{ 'domains:read': ['nobody-has-it.example'] }],
    })
    expect(stdout).toContain('not learnt: 1 that were answered 4xx, of which nothing came')
  })

  test('that keeps addresses is one dns grant for zones with the same names', async () => {
    for (const zone of ['example.com', 'example.net']) {
      await send({ method: 'GET', path: `/v1/dns/${zone}` }, 'deploy')
      for (const name of ['www', 'api.app']) {
        for (const type of ['A', 'AAAA']) {
          await send(patch(zone, record('upsert', name, type)), 'deploy')
        }
      }
    }
    await send({ method: 'GET', path: '/v1/tlds' }, 'deploy')
    const { stdout } = await learn([AUDIT], '--consumer', 'deploy', '--denied-only')
    expect((parse(stdout) as Printed).consumers['deploy']).toEqual({
      grants: [
        {
          dns: {
            zones: ['example.com', 'example.net'],
            names: ['api.app', 'www'],
            types: ['A', 'AAAA'],
            verbs: ['read', 'upsert'],
          },
        },
        { operation: ['GET /v1/tlds/'] },
      ],
    })
  })
})

const { pick, below } = seeded(7_005)
const ZONES = ['example.com', 'example.net', 'example.org'] as const
const NAMES = ['@', 'www', 'a.b', '_acme-challenge', 'x._acme-challenge', 'true', '1e3'] as const
const TYPES = ['A', 'TXT', 'MX'] as const
const rrset = () => ({ name: pick(NAMES), type: pick(TYPES), ttl: 60, records: [{ rdata: 'x' }] })
const some = <Item>(make: () => Item) => Array.from({ length: 1 + below(2) }, make)
const op = () => pick(['upsert', 'remove'])

function randomRequest(): Asked {
  const zone = pick(ZONES)
  const path = `/v1/dns/${zone}`
  switch (below(12)) {
    case 0:
      return { method: 'GET', path }
    case 1:
      return { method: 'GET', path: pick(['/v1/tlds/', '/v1/contacts', '/v1/dns/summary']) }
    case 2:
      return { method: 'GET', path: `/v1/domains/${pick(ZONES)}` }
    case 3:
      return { method: 'PUT', path: `${path}/rrsets`, body: { rrsets: some(rrset) } }
    case 4:
      return { method: 'POST', path: `${path}/dnssec/${pick(['enable', 'disable'])}` }
    case 5:
      return { method: 'GET', path: pick(['/v1/newer/a', '/v1/newer/b']) }
    case 6: {
      const instances = [{ zone_name: zone, ops: some(() => ({ op: op(), rrset: rrset() })) }]
      const command = { command: 'dns_zone_patch_rrsets_bulk', payload: { instances } }
      return { method: 'POST', path: '/v1/jobs', body: { commands: [command] } }
    }
    case 7:
      return {
        method: 'POST',
        path: '/v1/dns',
        body: { name: pick(['new.example', 'newer.example']), rrsets: some(rrset) },
      }
    case 8:
    case 9:
      return {
        method: 'PATCH',
        path: `${path}/rrsets`,
        body: { ops: some(() => ({ op: op(), rrset: rrset() })) },
      }
    default:
      return patch(zone, ...some(() => record(op(), pick(NAMES), pick(TYPES))))
  }
}

/**
 * What a request does, one text for each thing, worked out from the request alone; and what `learn` may
 * generalise to: challenges of one zone are one thing, and who changes a zone may see it.
 */
function doings({ method, path, body }: Asked): string[] {
  const zone = path.split('/')[3] ?? ''
  type Op = { op?: string; record?: Rrset; rrset?: Rrset }
  type Rrset = { name: string; type: string }
  const { ops, rrsets, name, commands } = (body ?? {}) as {
    ops?: Op[]
    rrsets?: Rrset[]
    name?: string
    commands?: { payload: { instances: { zone_name: string; ops: Op[] }[] } }[]
  }
  const changes = (within: string, list: Op[]) =>
    list.map((one) => {
      const { name: at = '', type = '' } = one.record ?? one.rrset ?? {}
      return `${within} ${one.op} ${at} ${type}`
    })
  if (ops !== undefined) return changes(zone, ops)
  if (commands !== undefined) {
    return commands.flatMap(({ payload }) =>
      payload.instances.flatMap((one) => changes(one.zone_name, one.ops)),
    )
  }
  if (name !== undefined)
    return (rrsets ?? []).map((one) => `${name} create ${one.name} ${one.type}`)
  if (rrsets !== undefined) return [`${zone} replace`]
  if (path.includes('/dnssec/')) return [`${zone} dnssec`]
  return [`${method} ${path}`]
}

const CHALLENGE = /^(\S+) (?:upsert|remove) (?:\S+\.)?_acme-challenge(?:\.\S+)? TXT$/

function isWithin(doing: string, seen: ReadonlySet<string>): boolean {
  if (seen.has(doing)) return true
  const zone = CHALLENGE.exec(doing)?.[1]
  if (zone !== undefined && [...seen].some((one) => CHALLENGE.exec(one)?.[1] === zone)) return true
  const read = /^GET \/v1\/dns\/(example\.\S+)$/.exec(doing)?.[1]
  return read !== undefined && [...seen].some((one) => CHALLENGE.exec(one)?.[1] === read)
}

test('what is printed lets pass all that was seen, and of other requests none', async () => {
  const traffic = new Map<string, Asked[]>()
  for (const name of CONSUMERS.filter((one) => one.startsWith('random'))) {
    const requests = Array.from({ length: 2 + below(14) }, randomRequest)
    traffic.set(name, requests)
    for (const request of requests) expect(await send(request, name)).not.toBe(403)
  }
  const { code, stdout } = await learn([AUDIT])
  expect(code).toBe(0)
  const learnt = policies(stdout)
  let refused = 0
  for (const [name, requests] of traffic) {
    const one = learnt.get(name)
    if (one === undefined) throw new Error(`nothing of ${name}`)
    for (const request of requests) {
      expect(lets(one, request), `${name} ${JSON.stringify(request)}\n${stdout}`).toBe(true)
    }
    const seen = new Set(requests.flatMap(doings))
    for (let others = 0; others < 100;) {
      const request = randomRequest()
      if (doings(request).every((doing) => isWithin(doing, seen))) continue
      others += 1
      refused += 1
      expect(lets(one, request), `${name} ${JSON.stringify(request)}\n${stdout}`).toBe(false)
    }
  }
  expect(refused).toBe(1200)
}, 15_000)

describe('learn', () => {
  const line = (fields: object) =>
    chainedLine('0'.repeat(16), 1, '0'.repeat(64), 0, JSON.stringify(fields).slice(1, -1))
  const seen = {
    event: 'decision',
    consumer: 'one',
    decision: 'allow',
    method: 'PATCH',
    path: '/v1/dns/example.com/records',
    zones: ['example.com'],
  }
  const only = async (...records: object[]) => {
    const path = join(folder, 'made.jsonl')
    writeFileSync(path, records.map(line).join(''))
    return learn([path])
  }

  const grantsIn = ({ stdout }: { stdout: string }) =>
    (parse(stdout) as Printed).consumers['one'] as { grants: unknown }
  const ID = `email_forward_01${'a'.repeat(24)}`

  test('grants by name what was looked up by its id, and notes what was not', async () => {
    const deleted = {
      ...seen,
      method: 'DELETE',
      path: `/v1/email-forwards/${ID}`,
      zones: undefined,
    }
    const named = await only({ ...deleted, names: ['mail.example.com'] })
    expect(grantsIn(named)).toEqual({ grants: [{ forwards: ['mail.example.com'] }] })
    expect(named.stdout).not.toContain('of all hosts')
    const nameless = await only(deleted)
    expect(grantsIn(nameless)).toEqual({
      grants: [{ operation: ['DELETE /v1/email-forwards/{email_forward_id}'] }],
    })
    expect(nameless.stdout).toContain('granted for those of all hosts')
    const domain = { ...deleted, method: 'GET', path: `/v1/domains/domain_01${'a'.repeat(24)}` }
    expect(grantsIn(await only({ ...domain, names: ['example.com'] }))).toEqual({
      grants: [{ 'domains:read': ['example.com'] }],
    })
  })

  test('says of a job with an idempotency_key that it needs a grant for all', async () => {
    const change = 'upsert A www.example.com in example.com'
    const keyed = { ...seen, method: 'POST', path: '/v1/jobs', changes: [change, 'POST /v1/jobs'] }
    const { stdout } = await only(keyed)
    expect(stdout).toContain(
      'a job with an idempotency_key, which only a grant for all of POST /v1/jobs',
    )
    expect((await only({ ...keyed, changes: [change] })).stdout).not.toContain('idempotency_key')
  })

  test('of a dry run grants the reading besides, also of a zone that would be deleted', async () => {
    const tried = { ...seen, method: 'DELETE', path: '/v1/dns/example.com', dry_run: true }
    expect(grantsIn(await only(tried))).toEqual({
      grants: [{ dns: { zones: ['example.com'], verbs: ['read', 'delete'] } }],
    })
  })

  test('grants the zone, and says so, where the record does not tell the records', async () => {
    const { stdout } = await only(seen)
    expect(stdout).toContain('dns: { zones: [example.com], verbs: [upsert, remove] }')
    expect(stdout).toContain('# 1 times: a body that was not judged')
    const cut = await only({ ...seen, changes: ['upsert TXT a.example.com'], changes_count: 101 })
    expect(cut.stdout).toContain('dns: { zones: [example.com], verbs: [upsert, remove] }')
    expect(cut.stdout).toContain(
      '# 1 times: more than 100 changes: granted for all records of the zone\n',
    )
    expect(cut.stdout).not.toContain('not judged')
    const zone = { ...seen, method: 'POST', path: '/v1/dns', changes_count: 101 }
    const created = await only({ ...zone, changes: ['create TXT a.example.com'] })
    expect(created.stdout).toContain('dns: { zones: [example.com], verbs: [create] }')
  })

  test('goes by the name of what has an id, where the record tells it, and says so where not', async () => {
    const path = '/v1/email-forwards/email_forward_01h45ytscbebyvny4gc8cr8ma2'
    const forward = { ...seen, method: 'DELETE', path, zones: [] }
    const domain = {
      ...forward,
      method: 'GET',
      path: '/v1/domains/domain_01h45ytscbebyvny4gc8cr8ma2',
    }
    const told = await only(
      { ...forward, names: ['mail.example.com'] },
      { ...domain, names: ['example.com'] },
    )
    expect((parse(told.stdout) as Printed).consumers['one']).toEqual({
      grants: [{ forwards: ['mail.example.com'] }, { 'domains:read': ['example.com'] }],
    })
    const untold = await only(forward)
    expect(untold.stdout).toContain('# 1 times: an email forward by its id')
    expect((parse(untold.stdout) as Printed).consumers['one']).toEqual({
      grants: [{ operation: ['DELETE /v1/email-forwards/{email_forward_id}'] }],
    })
  })

  test('leaves out the one change that it does not understand, and says so', async () => {
    const { stdout } = await only({
      ...seen,
      changes: [`upsert TXT ${'a'.repeat(280)}…`, 'upsert TXT a.example.com', 'frob TXT b'],
    })
    expect(stdout).toContain('names: [a], types: [TXT], verbs: [upsert]')
    expect(stdout).toContain('# 1 times: a change that is cut, or not understood: not learnt')
    expect(stdout).toContain(
      '# 1 times: upsert TXT at a name that no grant of example.com can name',
    )
    const none = await only({ ...seen, changes: ['frob TXT b'] })
    expect(none.stdout).toContain('grants: []')
  })

  test.each([
    [{ method: 'POST', path: '/v1/contacts', zones: [], status: 422 }, '4xx'],
    [{ decision: 'reported' }, 'limits.judged_body_size'],
  ])('does not learn %j', async (odd, why) => {
    const fine = { ...seen, changes: ['upsert TXT a.example.com'] }
    const { stdout } = await only(fine, { ...seen, ...odd })
    expect(stdout).toMatch(new RegExp(`# not learnt: 1 .*${why}`))
    expect(policies(stdout).size).toBe(1)
    expect((parse(stdout) as Printed).consumers['one']).toEqual({
      grants: [
        { dns: { zones: ['example.com'], names: ['a'], types: ['TXT'], verbs: ['upsert'] } },
      ],
    })
  })

  test('says what of a job it has not seen', async () => {
    const batch = { ...seen, method: 'POST', path: '/v1/jobs', changes_count: 101 }
    const { stdout } = await only({
      ...batch,
      changes: ['upsert TXT a.example.com in example.com'],
    })
    expect(stdout).toContain('more than 100 changes in one job: only the first 100 are learnt')
    expect(stdout).toContain('names: [a]')
  })

  test('takes a decision that was written ahead for allowed where its outcome is missing', async () => {
    const ahead = { ...seen, ahead: true, changes: ['upsert TXT a.example.com'] }
    expect((await only(ahead)).stdout).toContain('names: [a]')
    const refused = { event: 'outcome', of: 1, status: 400 }
    const unread = await only({ ...seen, ahead: true }, refused)
    expect(unread.code).toBe(1)
    const stranger = await only(ahead, { ...refused, of: 7 }, { ...refused, of: null })
    expect(stranger.stdout).toContain('names: [a]')
  })

  test('does not learn what was denied, nor what is no record', async () => {
    const { code, stderr } = await only({ ...seen, decision: 'deny' }, { event: 'begun' })
    expect(code).toBe(1)
    expect(stderr).toContain('nothing to learn')
    expect((await learn([join(folder, 'nowhere')])).stderr).toContain('ENOENT')
  })

  test.each([
    { path: '/v1/dns/%00/records' },
    { path: '/v1/dns/a%ZZ' },
    { consumer: 'x:\n  admin' },
    { changes: ["upsert TXT ']} #"] },
    { changes: ['upsert EVIL\n a.example.com'] },
    { zones: ["a'b", 1, null], path: '/v1/dns', method: 'POST' },
    { path: "/v1/newer/'x" },
    { path: '/v1/newer/**', method: 'GET' },
    { path: '/v1/newer/*', method: 'GET' },
    { path: '/v1/dns/*.com/records' },
    { path: '/v1/dns/*/dnssec/enable', method: 'POST' },
  ])('prints YAML, and never admin or a zone of *, for %j', async (odd) => {
    const { stdout } = await only(
      { ...seen, changes: ['upsert TXT a.example.com'] },
      { ...seen, ...odd },
    )
    const [one] = [...policies(stdout).values()]
    expect(Object.keys((parse(stdout) as Printed).consumers)).toEqual(['one'])
    expect(one && lets(one, { method: 'GET', path: '/v1/newer/y' })).toBe(false)
    expect(one && lets(one, { method: 'GET', path: '/v1/users' })).toBe(false)
    expect(one && lets(one, patch('other.com', record('upsert', 'a')))).toBe(false)
    expect(one && lets(one, { method: 'POST', path: '/v1/dns/other.com/dnssec/enable' })).toBe(
      false,
    )
  })

  test('reads a large file in little memory', async () => {
    const path = join(folder, 'large.jsonl')
    writeFileSync(path, '')
    for (let part = 0; part < 20; part += 1) {
      const lines = Array.from({ length: 2000 }, (_, n) =>
        line({ ...seen, changes: [`upsert TXT n${part * 2000 + n}.example.com`] }),
      )
      appendFileSync(path, lines.join(''))
    }
    expect(readFileSync(path).length).toBeGreaterThan(10_000_000)
    const out: string[] = []
    const code = await learnCommand(
      [path],
      {},
      { out: (text) => out.push(text), err: () => undefined },
    )
    expect(code).toBe(0)
    expect(out.join('')).toContain('beyond the first 20000 names')
  })
})
