// Attempts to do more than a grant says. None of them reaches OpusDNS; what is allowed does, byte for
// byte.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

let upstream: RawUpstream
let proxy: Gateway

beforeAll(async () => {
  upstream = await rawUpstream()
  upstream.script = (request) => {
    void request.whole.then(() =>
      request.socket.write('HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n'),
    )
  }
  proxy = await gateway({
    base: upstream.origin,
    consumers: {
      acme: 'grants: [acme: [example.com]]',
      deploy:
        'grants: [dns: { zones: [example.com], names: [www, "*.app"], types: [A, AAAA], verbs: [read, upsert] }]',
      zones: 'grants: [dns: { zones: [example.com, xn--bcher-kva.example, fass.example] }]',
      owner: 'grants: [dns: { zones: [example.com], verbs: [read, replace, delete] }]',
      batch: 'grants: [class: [read, write, bulk]]',
      reader: 'grants: [read]',
      writer: 'grants: [class: [read, write]]',
      domains: 'grants: [{"domains:read": [example.com]}]',
      forwards: 'grants: [forwards: [example.com, "*.app.example.com"]]',
      // The zone to which a challenge is delegated.
      delegated: 'grants: [acme: [_acme-challenge.example.com, _acme-challenge.www.example.org]]',
      below: 'grants: [acme: ["*.example.com"]]',
      tagger: 'grants: [dns: { zones: [example.com, "*.mine.example"], verbs: [tag] }]',
      everywhere: 'grants: [dns: { zones: ["*"], verbs: [tag] }]',
      lookup: "grants: [path: ['GET /v1/tlds']]",
      nobody: 'grants: []',
    },
  })
})
afterAll(async () => {
  await proxy.stop()
  await upstream.close()
})

type Attempt = readonly [
  what: string,
  consumer: string,
  method: string,
  path: string,
  body?: unknown,
  fields?: readonly string[],
]

const record = (name: string, more: Record<string, unknown> = {}) => ({
  ops: [{ op: 'upsert', record: { name, type: 'TXT', ttl: 60, rdata: '"x"', ...more } }],
})
const rrset = (name: string, type: string, op = 'upsert') => ({
  ops: [{ op, rrset: { name, type, ttl: 60, records: [{ rdata: '192.0.2.1' }] } }],
})
const job = (...commands: unknown[]) => ({ commands })
const patchJob = (zone: string, name: string, extra: Record<string, unknown> = {}) => ({
  command: 'dns_zone_patch_records_bulk',
  payload: {
    instances: [
      {
        zone_name: zone,
        ops: [{ op: 'upsert', record: { name, type: 'TXT', ttl: 60, rdata: '"x"' } }],
      },
    ],
  },
  ...extra,
})
const REDIRECT = {
  request_path: '/',
  redirect_code: 301,
  target_hostname: 'www.example.com',
  target_path: '/',
  target_protocol: 'https',
}
const ZONE = '/v1/dns/example.com'
const RECORDS = `${ZONE}/records`
const RRSETS = `${ZONE}/rrsets`
const DELEGATED = '/v1/dns/_acme-challenge.example.com/records'
const TAGS = '/v1/tags/objects'
const tags = (type: string, ...objects: string[]) => ({
  type,
  objects,
  add: ['tag_01h45ytscbebyvny4gc8cr8ma2'],
})
const CHALLENGE = '_acme-challenge.example.com.'
const JSON_TYPE = ['Content-Type', 'application/json']

const ATTEMPTS: readonly Attempt[] = [
  // Other zones, in every spelling.
  ['another zone', 'acme', 'PATCH', '/v1/dns/example.org/records', record('_acme-challenge')],
  ['a zone below', 'acme', 'PATCH', '/v1/dns/sub.example.com/records', record('_acme-challenge')],
  ['the zone above', 'acme', 'PATCH', '/v1/dns/com/records', record('_acme-challenge')],
  [
    'a zone that ends alike',
    'acme',
    'PATCH',
    '/v1/dns/notexample.com/records',
    record('_acme-challenge'),
  ],
  ['two final dots', 'acme', 'PATCH', '/v1/dns/example.com../records', record('_acme-challenge')],
  ['an encoded dot', 'acme', 'PATCH', '/v1/dns/example%2Ecom/records', record('_acme-challenge')],
  ['an encoded slash', 'acme', 'PATCH', '/v1/dns/example.com%2Frecords', record('_acme-challenge')],
  [
    'a dot segment',
    'acme',
    'PATCH',
    '/v1/dns/example.com/../example.org/records',
    record('_acme-challenge'),
  ],
  [
    'an encoded dot segment',
    'acme',
    'PATCH',
    '/v1/dns/example.com/%2e%2e/example.org/records',
    record('_acme-challenge'),
  ],
  ['a path parameter', 'acme', 'PATCH', '/v1/dns/example.com;x/records', record('_acme-challenge')],
  [
    'an ideographic full stop',
    'acme',
    'PATCH',
    '/v1/dns/example%E3%80%82com/records',
    record('_acme-challenge'),
  ],
  [
    'fullwidth letters',
    'acme',
    'PATCH',
    '/v1/dns/%EF%BD%85xample.com/records',
    record('_acme-challenge'),
  ],
  [
    'a soft hyphen',
    'acme',
    'PATCH',
    '/v1/dns/exam%C2%ADple.com/records',
    record('_acme-challenge'),
  ],
  ['a null byte', 'acme', 'PATCH', '/v1/dns/example.com%00.org/records', record('_acme-challenge')],
  ['punycode of a look-alike', 'owner', 'DELETE', '/v1/dns/xn--exmple-cua.com'],
  ['deleting another zone', 'owner', 'DELETE', '/v1/dns/example.org'],
  ['a deviating sharp s', 'zones', 'PATCH', '/v1/dns/fa%C3%9F.example/records', record('a')],
  [
    'punycode that does not round-trip',
    'zones',
    'PATCH',
    '/v1/dns/xn--bcher-KVA-.example/records',
    record('a'),
  ],
  ['reading another zone', 'acme', 'GET', '/v1/dns/example.org'],
  ['reading by HEAD', 'acme', 'HEAD', '/v1/dns/example.org'],
  ['the summary of all zones', 'acme', 'GET', '/v1/dns/summary'],
  ['a list by HEAD', 'acme', 'HEAD', '/v1/dns'],
  ['a forward above', 'forwards', 'DELETE', '/v1/domain-forwards/app.example.com'],
  [
    'a forward with the name in front',
    'forwards',
    'DELETE',
    '/v1/domain-forwards/example.com.a.org',
  ],
  ['a forward with the name behind', 'forwards', 'DELETE', '/v1/domain-forwards/notexample.com'],
  ['a forward by an encoded dot', 'forwards', 'DELETE', '/v1/domain-forwards/example.com%2E.org'],
  ['a forward for all hosts', 'forwards', 'POST', '/v1/domain-forwards', { hostname: '*.com' }],
  // By an id that could be looked up: test/journeys/names-by-id.test.ts.
  [
    'an email forward by the id of a zone',
    'forwards',
    'DELETE',
    '/v1/email-forwards/zone_01h45ytscbebyvny4gc8cr8ma2',
  ],
  [
    'one host of two in a job',
    'forwards',
    'POST',
    '/v1/jobs',
    job({
      command: 'domain_forward_delete_bulk',
      version: 'v1',
      payload: { instances: [{ hostname: 'example.com' }, { hostname: 'example.org' }] },
    }),
  ],
  [
    'another host within a redirect',
    'forwards',
    'PUT',
    '/v1/domain-forwards/example.com/http',
    { redirects: [{ ...REDIRECT, request_hostname: 'example.org' }] },
  ],
  [
    'another host beside the one in the path',
    'forwards',
    'POST',
    '/v1/domain-forwards/example.com',
    { protocol: 'http', redirects: [], hostname: 'example.org' },
  ],
  [
    'another host within a new forward',
    'forwards',
    'POST',
    '/v1/domain-forwards',
    { hostname: 'example.com', https: { hostname: 'example.org', redirects: [REDIRECT] } },
  ],
  [
    'another host in the template of a job, which its instance replaces',
    'forwards',
    'POST',
    '/v1/jobs',
    job({
      command: 'domain_forward_create_bulk',
      payload: {
        template: { http: { redirects: [{ ...REDIRECT, request_hostname: 'example.org' }] } },
        instances: [{ hostname: 'example.com', http: { redirects: [] } }],
      },
    }),
  ],
  [
    'a member of an alias that nobody knows',
    'forwards',
    'POST',
    '/v1/email-forwards',
    {
      hostname: 'example.com',
      aliases: [{ alias: '*', forward_to: ['a@b.example'], hostname: 'a.org' }],
    },
  ],
  ['reading the forward of another', 'forwards', 'GET', '/v1/domain-forwards/example.org'],
  ['the length of the list of forwards', 'forwards', 'HEAD', '/v1/domain-forwards'],
  ['the list of forwards', 'zones', 'GET', '/v1/domain-forwards'],
  ['the metrics of all forwards', 'forwards', 'GET', '/v1/domain-forwards/metrics'],
  ['a list of forwards by zone', 'forwards', 'GET', '/v1/dns/domain-forwards'],
  ['another list', 'acme', 'GET', '/v1/dns/domain-forwards'],
  // Other records of the zone.
  ['an address', 'acme', 'PATCH', RECORDS, record(CHALLENGE, { type: 'A' })],
  ['a small-letter type', 'acme', 'PATCH', RECORDS, record(CHALLENGE, { type: 'a' })],
  ['a type that is none', 'acme', 'PATCH', RECORDS, record(CHALLENGE, { type: 'TXT ' })],
  ['the apex', 'acme', 'PATCH', RECORDS, record('@')],
  ['the apex as an empty name', 'acme', 'PATCH', RECORDS, record('')],
  ['the apex in full', 'acme', 'PATCH', RECORDS, record('example.com.')],
  ['another name', 'acme', 'PATCH', RECORDS, record('www')],
  ['a name that begins alike', 'acme', 'PATCH', RECORDS, record('_acme-challengex')],
  ['a name outside', 'acme', 'PATCH', RECORDS, record('_acme-challenge.example.org.')],
  ['a name with an escaped dot', 'acme', 'PATCH', RECORDS, record('_acme-challenge\\.www')],
  ['a name with a decimal escape', 'acme', 'PATCH', RECORDS, record('_acme-challenge\\046www')],
  ['a name with a space', 'acme', 'PATCH', RECORDS, record('_acme-challenge www')],
  ['a name with a newline', 'acme', 'PATCH', RECORDS, record('_acme-challenge\nwww')],
  [
    'the second of two operations',
    'acme',
    'PATCH',
    RECORDS,
    { ops: [...record(CHALLENGE).ops, ...record('www').ops] },
  ],
  ['a mixed array', 'acme', 'PATCH', RECORDS, { ops: [...record(CHALLENGE).ops, 'www'] }],
  ['a nested array', 'acme', 'PATCH', RECORDS, { ops: [record(CHALLENGE).ops] }],
  ['an rrset where a record belongs', 'acme', 'PATCH', RECORDS, rrset('www', 'A')],
  [
    'both of them',
    'acme',
    'PATCH',
    RECORDS,
    { ops: [{ ...record(CHALLENGE).ops[0], ...rrset('www', 'A').ops[0] }] },
  ],
  ['an unknown member', 'acme', 'PATCH', RECORDS, { ...record(CHALLENGE), rrsets: [] }],
  [
    'an unknown member within',
    'acme',
    'PATCH',
    RECORDS,
    record(CHALLENGE, { zone: 'example.org' }),
  ],
  [
    'an unknown op',
    'acme',
    'PATCH',
    RECORDS,
    { ops: [{ ...record(CHALLENGE).ops[0], op: 'replace' }] },
  ],
  [
    'a name that is a list',
    'acme',
    'PATCH',
    RECORDS,
    { ops: [{ op: 'upsert', record: { name: [CHALLENGE], type: 'TXT', ttl: 60, rdata: 'x' } }] },
  ],
  ['no operations', 'acme', 'PATCH', RECORDS, { ops: [] }],
  ['a list as the body', 'acme', 'PATCH', RECORDS, []],
  [
    'PUT of the whole zone',
    'acme',
    'PUT',
    RRSETS,
    { rrsets: [{ name: '_acme-challenge', type: 'TXT', ttl: 60, records: [{ rdata: '"x"' }] }] },
  ],
  ['PUT of nothing, which empties the zone', 'zones', 'PUT', RRSETS, { rrsets: [] }],
  ['deleting the zone', 'zones', 'DELETE', ZONE],
  ['DNSSEC off', 'zones', 'POST', `${ZONE}/dnssec/disable`],
  ['a new zone', 'zones', 'POST', '/v1/dns', { name: 'example.com' }],
  ['removing what may only be set', 'deploy', 'PATCH', RRSETS, rrset('www', 'A', 'remove')],
  ['a wildcard record for one label', 'deploy', 'PATCH', RRSETS, rrset('*.app', 'A')],
  ['two labels for one', 'deploy', 'PATCH', RRSETS, rrset('a.b.app', 'A')],
  ['a mail exchanger', 'deploy', 'PATCH', RRSETS, rrset('www', 'MX')],
  // Bodies that two readers understand differently.
  [
    'a name twice, the good one last',
    'acme',
    'PATCH',
    RECORDS,
    `{"ops":[{"op":"upsert","record":{"name":"www","name":"${CHALLENGE}","type":"TXT","ttl":60,"rdata":"x"}}]}`,
  ],
  [
    'a name twice, the good one first',
    'acme',
    'PATCH',
    RECORDS,
    `{"ops":[{"op":"upsert","record":{"name":"${CHALLENGE}","name":"www","type":"TXT","ttl":60,"rdata":"x"}}]}`,
  ],
  [
    'a name twice, one escaped',
    'acme',
    'PATCH',
    RECORDS,
    `{"ops":[{"op":"upsert","record":{"name":"${CHALLENGE}","n\\u0061me":"www","type":"TXT","ttl":60,"rdata":"x"}}]}`,
  ],
  [
    'two lists of operations',
    'acme',
    'PATCH',
    RECORDS,
    `{"ops":${JSON.stringify(record(CHALLENGE).ops)},"ops":${JSON.stringify(record('www').ops)}}`,
  ],
  ['a byte-order mark', 'acme', 'PATCH', RECORDS, `\uFEFF${JSON.stringify(record(CHALLENGE))}`],
  [
    'two values',
    'acme',
    'PATCH',
    RECORDS,
    `${JSON.stringify(record(CHALLENGE))}${JSON.stringify(record('www'))}`,
  ],
  ['a comment', 'acme', 'PATCH', RECORDS, `/* */${JSON.stringify(record(CHALLENGE))}`],
  ['NaN', 'acme', 'PATCH', RECORDS, JSON.stringify(record(CHALLENGE)).replace('60', 'NaN')],
  ['invalid UTF-8', 'acme', 'PATCH', RECORDS, Buffer.from([0x7b, 0xff, 0x7d])],
  ['an overlong UTF-8 quote', 'acme', 'PATCH', RECORDS, Buffer.from([0x7b, 0xc0, 0xa2, 0x7d])],
  ['UTF-16', 'acme', 'PATCH', RECORDS, Buffer.from(JSON.stringify(record(CHALLENGE)), 'utf16le')],
  [
    'another charset',
    'acme',
    'PATCH',
    RECORDS,
    record(CHALLENGE),
    ['Content-Type', 'application/json; charset=utf-7'],
  ],
  [
    'a form',
    'acme',
    'PATCH',
    RECORDS,
    record(CHALLENGE),
    ['Content-Type', 'application/x-www-form-urlencoded'],
  ],
  ['no media type', 'acme', 'PATCH', RECORDS, record(CHALLENGE), []],
  [
    'a compressed body',
    'acme',
    'PATCH',
    RECORDS,
    record(CHALLENGE),
    ['Content-Type', 'application/json', 'Content-Encoding', 'gzip'],
  ],
  ['no body', 'acme', 'PATCH', RECORDS],
  ['a body that is too deep', 'acme', 'PATCH', RECORDS, `${'['.repeat(5000)}${']'.repeat(5000)}`],
  // Zones that are only for challenges.
  [
    'an address in a zone of challenges',
    'delegated',
    'PATCH',
    DELEGATED,
    record('@', { type: 'A' }),
  ],
  [
    'a challenge in the zone above',
    'delegated',
    'PATCH',
    RECORDS,
    record('_acme-challenge.example.com.'),
  ],
  ['a name of the zone above', 'delegated', 'PATCH', DELEGATED, record('example.com.')],
  [
    'a challenge by a name outside',
    'delegated',
    'PATCH',
    DELEGATED,
    record('_acme-challenge.example.org.'),
  ],
  ['deleting a zone of challenges', 'delegated', 'DELETE', '/v1/dns/_acme-challenge.example.com'],
  [
    'the apex of a zone whose name ends alike',
    'below',
    'PATCH',
    '/v1/dns/x_acme-challenge.example.com/records',
    record('@'),
  ],
  // Tags.
  ['a tag at another zone', 'tagger', 'POST', TAGS, tags('ZONE', 'example.org')],
  [
    'a tag at another zone behind its own',
    'tagger',
    'POST',
    TAGS,
    tags('ZONE', 'example.com', 'example.org'),
  ],
  [
    'a tag at a zone by its id',
    'tagger',
    'POST',
    TAGS,
    tags('ZONE', 'example.com', 'zone_01h45ytscbebyvny4gc8cr8ma2'),
  ],
  ['a tag at a zone above', 'tagger', 'POST', TAGS, tags('ZONE', 'mine.example')],
  ['a tag at zones of a pattern', 'tagger', 'POST', TAGS, tags('ZONE', '*.mine.example')],
  ['a tag at a name with a space', 'tagger', 'POST', TAGS, tags('ZONE', 'example.com ')],
  ['a tag at the domain of that name', 'tagger', 'POST', TAGS, tags('DOMAIN', 'example.com')],
  ['a tag at a contact of that name', 'tagger', 'POST', TAGS, tags('CONTACT', 'example.com')],
  [
    'a tag of two types',
    'tagger',
    'POST',
    TAGS,
    `{"type":"DOMAIN","objects":["example.com"],"type":"ZONE"}`,
  ],
  ['a tag at any domain', 'everywhere', 'POST', TAGS, tags('DOMAIN', 'example.com')],
  ['a tag without the verb', 'zones', 'POST', TAGS, tags('ZONE', 'example.com')],
  ['a tag with a challenge', 'acme', 'POST', TAGS, tags('ZONE', 'example.com')],
  [
    'the objects of a tag, whose type nobody knows',
    'tagger',
    'POST',
    '/v1/tags/tag_01h45ytscbebyvny4gc8cr8ma2/objects',
    { add: ['example.com'] },
  ],
  ['a new tag', 'tagger', 'POST', '/v1/tags', { label: 'x', type: 'ZONE' }],
  // Jobs.
  [
    'a job of a consumer without them',
    'acme',
    'POST',
    '/v1/jobs',
    job(patchJob('example.com', '_acme-challenge')),
  ],
  ['a job for another zone', 'zones', 'POST', '/v1/jobs', job(patchJob('example.org', 'a'))],
  [
    'a job whose second command is another',
    'zones',
    'POST',
    '/v1/jobs',
    job(patchJob('example.com', 'a'), { command: 'domain_create', payload: { name: 'x.com' } }),
  ],
  [
    'a job whose second instance is another',
    'zones',
    'POST',
    '/v1/jobs',
    job({
      command: 'dns_zone_patch_records_bulk',
      payload: {
        instances: [
          ...patchJob('example.com', 'a').payload.instances,
          ...patchJob('example.org', 'a').payload.instances,
        ],
      },
    }),
  ],
  [
    'a job with both spellings',
    'zones',
    'POST',
    '/v1/jobs',
    job(patchJob('example.com', 'a', { type: 'dns_zone_update' })),
  ],
  ['a job with neither', 'zones', 'POST', '/v1/jobs', job({ payload: {} })],
  [
    'a job of an unknown kind',
    'zones',
    'POST',
    '/v1/jobs',
    job({ command: 'dns_zone_delete', payload: {} }),
  ],
  ['a nested job', 'zones', 'POST', '/v1/jobs', job({ commands: [patchJob('example.com', 'a')] })],
  [
    'a job that replaces the zone',
    'zones',
    'POST',
    '/v1/jobs',
    job({ command: 'dns_zone_update', payload: { name: 'example.com', rrsets: [] } }),
  ],
  ['a job without commands', 'zones', 'POST', '/v1/jobs', job()],
  ['a resumed job', 'zones', 'POST', '/v1/job/job_01h45ytscbebyvny4gc8cr8ma2/resume'],
  ['a retried batch', 'writer', 'POST', '/v1/jobs/batch_01h45ytscbebyvny4gc8cr8ma2/retry'],
  [
    'a domain by job',
    'batch',
    'POST',
    '/v1/jobs',
    job({
      command: 'domain_create',
      payload: {
        name: 'x.com',
        contacts: {},
        period: { unit: 'y', value: 1 },
        renewal_mode: 'renew',
      },
    }),
  ],
  // Classes and presets.
  ['a purchase', 'writer', 'POST', '/v1/domains', { name: 'x.com' }],
  ['a deletion', 'writer', 'DELETE', '/v1/domains/example.com'],
  ['a GET that writes', 'reader', 'GET', '/v1/contacts/verify?token=x'],
  ['the history of requests', 'reader', 'GET', '/v1/archive/request-history'],
  ['a transfer code', 'writer', 'POST', '/v1/domains/tld-specific/eu/example.eu/auth_code/request'],
  ['a new user', 'writer', 'POST', '/v1/users', {}],
  ['the credentials', 'reader', 'GET', '/v1/auth/client_credentials'],
  ['an unknown path', 'reader', 'GET', '/v1/unheard-of'],
  ['a known path with a slash behind it', 'reader', 'GET', '/v1/contacts/'],
  ['a known path in capitals', 'reader', 'GET', '/v1/Contacts'],
  ['OPTIONS', 'reader', 'OPTIONS', '/v1/contacts'],
  ['another domain', 'domains', 'GET', '/v1/domains/example.org'],
  [
    'a domain by the id of a contact',
    'domains',
    'GET',
    '/v1/domains/contact_01h45ytscbebyvny4gc8cr8ma2',
  ],
  [
    'a domain by an id that is none',
    'domains',
    'GET',
    '/v1/domains/domain_81h45ytscbebyvny4gc8cr8ma2',
  ],
  [
    'a write to a domain by its id',
    'domains',
    'PATCH',
    '/v1/domains/domain_01h45ytscbebyvny4gc8cr8ma2',
    {},
  ],
  ['a check of domains', 'domains', 'GET', '/v1/domains/check?domains=example.com'],
  ['anything without grants', 'nobody', 'GET', '/v1/tlds/'],
  ['a single top-level domain', 'lookup', 'GET', '/v1/tlds/com'],
  // Headers.
  [
    'another method by header',
    'reader',
    'DELETE',
    ZONE,
    undefined,
    ['X-HTTP-Method-Override', 'GET'],
  ],
  [
    'another path by header',
    'lookup',
    'GET',
    '/v1/contacts',
    undefined,
    ['X-Original-URL', '/v1/tlds/'],
  ],
  [
    'a placeholder beside the key',
    'acme',
    'PATCH',
    '/v1/dns/example.org/records',
    record('_acme-challenge'),
    ['Content-Type', 'application/json', 'Authorization', 'Bearer placeholder'],
  ],
]

function attempt([, consumer, method, path, body, fields]: Attempt) {
  const text =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
      ? body
      : JSON.stringify(body)
  return send(proxy.port, {
    method,
    path,
    headers: ['X-Api-Key', proxy.keys[consumer] ?? '', ...(fields ?? JSON_TYPE)],
    ...(text === undefined ? {} : { body: text }),
  })
}

describe('an attempt to exceed a grant', () => {
  test('is one of at least sixty', () => {
    expect(new Set(ATTEMPTS.map(([what]) => what)).size).toBe(ATTEMPTS.length)
    expect(ATTEMPTS.length).toBeGreaterThanOrEqual(60)
  })

  test.each(ATTEMPTS.map((one) => [one[0], one[1], one] as const))(
    'fails: %s (%s)',
    async (_what, _consumer, one) => {
      const before = upstream.requests.length
      const reply = await attempt(one)
      expect(upstream.requests.length, 'requests that reached OpusDNS').toBe(before)
      expect(reply.status).toBeGreaterThanOrEqual(400)
      expect(reply.status).toBeLessThan(500)
      expect(reply.text).not.toContain('dnssec_status')
      expect(reply.text).not.toContain('opxk_')
    },
  )
})

test.each([
  ['DELETE', ''],
  ['PATCH', '/records'],
  ['PUT', '/rrsets'],
  ['POST', '/dnssec/enable'],
])('%s …%s of a foreign zone is answered as if there were none', async (method, rest) => {
  const before = upstream.requests.length
  const ask = (zone: string) =>
    attempt(['', 'zones', method, `/v1/dns/${zone}${rest}`, record('a.example.org.')])
  const foreign = await ask('example.org')
  expect([foreign.status, JSON.parse(foreign.text)]).toMatchObject([404, { code: 'not_visible' }])
  const own = await ask('example.com')
  expect([own.status, JSON.parse(own.text)]).toMatchObject([403, { code: 'not_granted' }])
  expect(upstream.requests.length).toBe(before)
})

describe('what a grant allows', () => {
  const ALLOWED: readonly Attempt[] = [
    ['the challenge in full', 'acme', 'PATCH', RECORDS, record(CHALLENGE)],
    ['deleting its zone', 'owner', 'DELETE', ZONE],
    ['without the final dot', 'acme', 'PATCH', RECORDS, record('_acme-challenge.example.com')],
    ['relative', 'acme', 'PATCH', RECORDS, record('_acme-challenge')],
    ['for a name below', 'acme', 'PATCH', RECORDS, record('_acme-challenge.www')],
    ['in capitals', 'acme', 'PATCH', '/v1/dns/EXAMPLE.com./records', record('_ACME-Challenge')],
    ['as an rrset', 'acme', 'PATCH', RRSETS, rrset('_acme-challenge', 'TXT')],
    ['reading the zone', 'acme', 'GET', '/v1/dns/example.com'],
    // opusdns/API.md section 4: acme.sh names a type for no body; lego writes no quotes.
    ['as acme.sh reads', 'acme', 'GET', '/v1/dns/example.com', undefined, JSON_TYPE],
    [
      'as lego writes',
      'acme',
      'PATCH',
      RECORDS,
      record('_acme-challenge.www.example.com.', { rdata: 'unquoted' }),
    ],
    ['an address of the deployment', 'deploy', 'PATCH', RRSETS, rrset('x.app', 'AAAA')],
    ['an international zone', 'zones', 'PATCH', '/v1/dns/b%C3%BCcher.example/records', record('a')],
    ['a job in the zone', 'zones', 'POST', '/v1/jobs', job(patchJob('example.com', 'a'))],
    ['at the top of a zone of challenges', 'delegated', 'PATCH', DELEGATED, record('@')],
    ['there without a name', 'delegated', 'PATCH', DELEGATED, record('')],
    ['there in full', 'delegated', 'PATCH', DELEGATED, record('_acme-challenge.example.com.')],
    [
      'there without the dot',
      'delegated',
      'PATCH',
      DELEGATED,
      record('_acme-challenge.example.com'),
    ],
    [
      'there for a name',
      'delegated',
      'PATCH',
      '/v1/dns/_acme-challenge.www.example.org/rrsets',
      rrset('@', 'TXT', 'remove'),
    ],
    ['in such a zone of a pattern', 'below', 'PATCH', DELEGATED, record('@')],
    ['a tag at its zones', 'tagger', 'POST', TAGS, tags('ZONE', 'Example.com.', 'a.mine.example')],
    ['a tag at any zone', 'everywhere', 'POST', TAGS, tags('ZONE', 'example.org')],
    ['a domain by its name', 'domains', 'GET', '/v1/domains/EXAMPLE.COM'],
    ['the top-level domains', 'lookup', 'GET', '/v1/tlds'],
    ['the top-level domains with the slash', 'lookup', 'GET', '/v1/tlds/'],
    ['a read', 'reader', 'GET', '/v1/contacts?page=2'],
  ]

  test.each(ALLOWED.map((one) => [one[0], one[1], one] as const))(
    'reaches OpusDNS as it was sent: %s (%s)',
    async (_what, _consumer, one) => {
      const before = upstream.requests.length
      const reply = await attempt(one)
      expect(reply.status, reply.text).toBe(204)
      const seen = upstream.requests.slice(before)
      // The one path that is completed.
      const target = one[3] === '/v1/tlds' ? '/v1/tlds/' : one[3]
      expect(seen.map((request) => [request.method, request.target])).toEqual([[one[2], target]])
      await seen[0]?.whole
      expect(seen[0]?.body.toString()).toBe(one[4] === undefined ? '' : JSON.stringify(one[4]))
    },
  )
})
