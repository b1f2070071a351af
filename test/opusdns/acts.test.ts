import { describe, expect, test } from 'vitest'

import { MAX_ACTS } from '../../src/opusdns/act-list.ts'
import { bodyActs, needsBody, pathActs } from '../../src/opusdns/acts.ts'
import { OPERATIONS, UNKNOWN_OPERATION, operationOf } from '../../src/opusdns/operations.ts'
import { seeded } from '../support/seeded.ts'
import { actsOf, faultOf, textOf } from './act-text.ts'

const SEED = Math.floor(Math.random() * 0x7fff_ffff)
const DOMAIN_ID = 'domain_01h45ytscbebyvny4gc8cr8ma2'
const ZONE = '/v1/dns/example.com'
const RECORD = { name: 'www', type: 'A', ttl: 60, rdata: '192.0.2.1' }
const RRSET = { name: 'www', type: 'A', ttl: 60, records: [{ rdata: '192.0.2.1' }] }

const ofPath = (line: string) => {
  const [method = '', path = ''] = line.split(' ')
  return pathActs(operationOf(method, path), path).map(textOf)
}
const ofBody = (line: string, body: unknown) => actsOf(line, body).map(textOf)

describe('the path alone', () => {
  test.each([
    ['GET /v1/dns/Example.com.', ['GET /v1/dns/{zone_name} zone=example.com']],
    ['GET /v1/dns/b%C3%BCcher.example', ['GET /v1/dns/{zone_name} zone=xn--bcher-kva.example']],
    ['GET /v1/dns/xn--BCHER-kva.example', ['GET /v1/dns/{zone_name} zone=xn--bcher-kva.example']],
    ['GET /v1/dns/stra%C3%9Fe.de', ['GET /v1/dns/{zone_name}']],
    ['GET /v1/dns/example.com%20', ['GET /v1/dns/{zone_name}']],
    ['GET /v1/dns/exam%252eple.com', ['GET /v1/dns/{zone_name}']],
    ['GET /v1/dns/summary', ['GET /v1/dns/summary']],
    [
      'DELETE /v1/dns/example.com',
      ['DELETE /v1/dns/{zone_name} zone=example.com remove every every'],
    ],
    [
      'POST /v1/dns/example.com/dnssec/disable',
      ['POST /v1/dns/{zone_name}/dnssec/disable zone=example.com'],
    ],
    [
      'PATCH /v1/dns/example.com/vanity-set',
      ['PATCH /v1/dns/{zone_name}/vanity-set zone=example.com'],
    ],
    ['GET /v1/domains/Example.COM', ['GET /v1/domains/{domain_reference} domain=example.com']],
    [`GET /v1/domains/${DOMAIN_ID}`, [`GET /v1/domains/{domain_reference} domain=${DOMAIN_ID}`]],
    [
      'POST /v1/domains/tld-specific/be/example.be/auth_code/request',
      ['POST /v1/domains/tld-specific/be/{domain_reference}/auth_code/request domain=example.be'],
    ],
    [
      'PUT /v1/domain-forwards/WWW.example.com/http',
      ['PUT /v1/domain-forwards/{hostname}/{protocol} host=www.example.com'],
    ],
    [
      'DELETE /v1/hosts/ns1.example.com',
      ['DELETE /v1/hosts/{host_reference} host=ns1.example.com'],
    ],
    ['DELETE /v1/hosts/host_01h45ytscbebyvny4gc8cr8ma2', ['DELETE /v1/hosts/{host_reference}']],
    [
      'DELETE /v1/email-forwards/email_forward_01h45ytscbebyvny4gc8cr8ma2',
      ['DELETE /v1/email-forwards/{email_forward_id}'],
    ],
    ['POST /v1/jobs/batch_1/resume', ['POST /v1/jobs/{batch_id}/resume buys=unknown']],
    ['POST /v1/jobs/batch_1/retry', ['POST /v1/jobs/{batch_id}/retry buys=unknown']],
    ['POST /v1/job/job_1/resume', ['POST /v1/job/{job_id}/resume buys=unknown']],
    ['POST /v1/job/job_1/retry', ['POST /v1/job/{job_id}/retry buys=unknown']],
    ['POST /v1/job/job_1/pause', ['POST /v1/job/{job_id}/pause']],
    [
      'POST /v1/vanity-nameserver-sets/vns_1/restore',
      ['POST /v1/vanity-nameserver-sets/{set_id}/restore buys=1'],
    ],
    ['GET /v1/nothing/example.com', ['* unknown']],
  ])('of %s says %j', (line, expected) => {
    expect(ofPath(line)).toEqual(expected)
  })

  test('of every operation is one act of it, which buys only where that is billable', () => {
    for (const operation of [...OPERATIONS, UNKNOWN_OPERATION]) {
      const path = operation.template.replaceAll(/\{[^}]+\}/g, 'example.com')
      const acts = pathActs(operation, path)
      expect(acts.map((act) => act.operation)).toEqual([operation])
      if (acts[0]?.purchase !== undefined) expect(operation.billable).toBe(true)
    }
  })
})

describe('a body', () => {
  test('of records is one act for each op', () => {
    const ops = [
      { op: 'upsert', record: { ...RECORD, name: '_acme-challenge', type: 'txt' } },
      { op: 'remove', record: { ...RECORD, name: '@', type: 'MX' } },
      { op: 'remove', record: { ...RECORD, name: 'WWW.Example.com.' } },
      { op: 'upsert', record: { ...RECORD, name: 'www.example.com' } },
    ]
    const template = 'PATCH /v1/dns/{zone_name}/records zone=example.com'
    expect(ofBody('PATCH /v1/dns/EXAMPLE.com./records', { ops })).toEqual([
      `${template} upsert TXT _acme-challenge.example.com`,
      `${template} remove MX example.com`,
      `${template} remove A www.example.com`,
      `${template} upsert A www.example.com.example.com|www.example.com`,
    ])
  })

  test('of record sets is one act for each op', () => {
    const ops = [
      { op: 'remove', rrset: { ...RRSET, records: [] } },
      { op: 'upsert', rrset: RRSET },
    ]
    const template = 'PATCH /v1/dns/{zone_name}/rrsets zone=example.com'
    expect(ofBody(`PATCH ${ZONE}/rrsets`, { ops })).toEqual([
      `${template} remove A www.example.com`,
      `${template} upsert A www.example.com`,
    ])
  })

  test.each([[{ rrsets: [] }], [{}], [{ rrsets: null }]])(
    'that replaces a zone by %j removes everything',
    (body) => {
      expect(ofBody(`PUT ${ZONE}/rrsets`, body)).toEqual([
        'PUT /v1/dns/{zone_name}/rrsets zone=example.com remove every every',
      ])
    },
  )

  test('that replaces a zone removes everything, and adds what it holds', () => {
    expect(ofBody(`PUT ${ZONE}/rrsets`, { rrsets: [RRSET] })).toEqual([
      'PUT /v1/dns/{zone_name}/rrsets zone=example.com remove every every',
      'PUT /v1/dns/{zone_name}/rrsets zone=example.com upsert A www.example.com',
    ])
  })

  test('that makes a zone names it', () => {
    const body = { name: 'New.Example.', rrsets: [RRSET], dnssec_status: 'enabled' }
    expect(ofBody('POST /v1/dns', body)).toEqual([
      'POST /v1/dns zone=new.example may-cost=1',
      'POST /v1/dns zone=new.example upsert A www.new.example',
    ])
  })

  test.each([
    [
      'POST /v1/domains',
      { name: 'New.example', period: { value: 2, unit: 'y' }, expected_price: '12.00' },
      ['POST /v1/domains domain=new.example buys=1 at=12.00 years=2'],
    ],
    [
      'POST /v1/domains',
      { name: 'new.example', create_zone: true, contacts: { registrant: 'x' } },
      ['POST /v1/domains zone=new.example domain=new.example buys=1'],
    ],
    [
      'POST /v1/domains/transfer',
      { name: 'new.example', period: { value: 18, unit: 'm' }, auth_code: 'x' },
      ['POST /v1/domains/transfer domain=new.example buys=1 years=2'],
    ],
    [
      'POST /v1/domains/Example.com/renew',
      { period: { value: 1, unit: 'y' }, current_expiry_date: 'x' },
      ['POST /v1/domains/{domain_reference}/renew domain=example.com buys=1 years=1'],
    ],
    [
      `POST /v1/domains/${DOMAIN_ID}/restore`,
      {},
      [`POST /v1/domains/{domain_reference}/restore domain=${DOMAIN_ID} buys=1`],
    ],
    [
      'PATCH /v1/domains/example.com',
      { renewal_mode: 'renew' },
      ['PATCH /v1/domains/{domain_reference} domain=example.com buys=1'],
    ],
    [
      'PATCH /v1/domains/example.com',
      { contacts: { registrant: [{ contact_id: 'x' }] } },
      ['PATCH /v1/domains/{domain_reference} domain=example.com buys=1'],
    ],
    [
      'PATCH /v1/domains/example.com',
      { renewal_mode: 'expire', contacts: { tech: 'x' }, nameservers: [] },
      ['PATCH /v1/domains/{domain_reference} domain=example.com'],
    ],
    [
      'PATCH /v1/domains/example.com',
      { auth_code: 'MyOwn', renewal_mode: 'expire' },
      [
        'PATCH /v1/domains/{domain_reference} domain=example.com',
        'PATCH /v1/domains/{domain_reference}/auth_code domain=example.com',
      ],
    ],
    [
      'PATCH /v1/domains/example.com',
      { auth_code: null, renewal_mode: 'expire' },
      ['PATCH /v1/domains/{domain_reference} domain=example.com'],
    ],
    [
      'PATCH /v1/domains/example.com',
      { auth_code: '' },
      ['PATCH /v1/domains/{domain_reference} domain=example.com'],
    ],
    [
      'PATCH /v1/vanity-nameserver-sets/vns_1',
      { renewal_mode: 'expire' },
      ['PATCH /v1/vanity-nameserver-sets/{set_id}'],
    ],
    [
      'POST /v1/domain-forwards',
      { hostname: '*.Example.com', enabled: true, http: { redirects: [] } },
      ['POST /v1/domain-forwards host=*.example.com may-cost=1'],
    ],
    [
      'POST /v1/domain-forwards',
      { hostname: 'example.com', http: null, https: { redirects: [TO] } },
      ['POST /v1/domain-forwards host=example.com may-cost=1'],
    ],
    [
      'POST /v1/domain-forwards/WWW.example.com',
      { protocol: 'http', redirects: [TO] },
      ['POST /v1/domain-forwards/{hostname} host=www.example.com may-cost=1'],
    ],
    [
      'PUT /v1/domain-forwards/example.com/https',
      { redirects: [TO] },
      ['PUT /v1/domain-forwards/{hostname}/{protocol} host=example.com'],
    ],
    [
      'POST /v1/email-forwards',
      { hostname: 'example.com', aliases: [{ alias: '*', forward_to: ['a@example.org'] }] },
      ['POST /v1/email-forwards host=example.com may-cost=1'],
    ],
    [
      'POST /v1/email-forwards',
      { hostname: 'example.com.', aliases: [] },
      ['POST /v1/email-forwards host=example.com may-cost=1'],
    ],
    [
      'PATCH /v1/domain-forwards',
      {
        ops: [
          { op: 'upsert', redirect: redirect('example.com', null) },
          { op: 'remove', redirect: redirect('example.org', 'WWW') },
        ],
      },
      [
        'PATCH /v1/domain-forwards host=example.com',
        'PATCH /v1/domain-forwards host=example.org',
        'PATCH /v1/domain-forwards host=www.example.org',
      ],
    ],
    [
      'POST /v1/hosts',
      { hostname: 'ns1.example.com', ip_addresses: ['192.0.2.1'] },
      ['POST /v1/hosts host=ns1.example.com'],
    ],
    [
      'POST /v1/tags/objects',
      { type: 'ZONE', objects: ['Example.com', 'zone_01h45ytscbebyvny4gc8cr8ma2'], add: ['x'] },
      ['POST /v1/tags/objects zone=example.com', 'POST /v1/tags/objects'],
    ],
    [
      'POST /v1/tags/objects',
      { type: 'DOMAIN', objects: ['example.com', DOMAIN_ID] },
      ['POST /v1/tags/objects domain=example.com', `POST /v1/tags/objects domain=${DOMAIN_ID}`],
    ],
  ])('of %s with %j would do what it says', (line, body, expected) => {
    const [method = '', path = ''] = line.split(' ')
    expect(needsBody(operationOf(method, path))).toBe(true)
    expect(ofBody(line, body)).toEqual(expected)
  })

  test('of an operation whose path says all is not looked at', () => {
    const path = `${ZONE}/dnssec/enable`
    const operation = operationOf('POST', path)
    expect(needsBody(operation)).toBe(false)
    expect(bodyActs(operation, path, Buffer.from('{'), 'text/plain', 'gzip').map(textOf)).toEqual([
      'POST /v1/dns/{zone_name}/dnssec/enable zone=example.com',
    ])
  })
})

const TO = {
  request_path: '/*',
  redirect_code: 301,
  target_protocol: 'https',
  target_hostname: 'example.net',
  target_path: '/',
}

function redirect(hostname: string, subdomain: string | null) {
  const from = { request_protocol: 'http', request_hostname: hostname, request_path: '/' }
  return { ...from, request_subdomain: subdomain }
}

const op = (record: object) => ({ ops: [{ op: 'upsert', record: { ...RECORD, ...record } }] })

describe('a body is refused', () => {
  test.each([
    ['without an op', { ops: [] }, '/ops'],
    ['without ops', {}, '/ops'],
    ['that is a list', [{ op: 'upsert', record: RECORD }], 'the whole body'],
    ['that is null', null, 'the whole body'],
    ['with a member that nobody knows', { ...op({}), zone: 'example.org' }, '/zone'],
    ['with a member of an op that nobody knows', op({ zone_name: 'x' }), '/ops/0/record/zone_name'],
    ['with __proto__', '{"__proto__":{"ops":[]},"ops":[]}', '/?'],
    ['with an unknown verb', { ops: [{ op: 'replace', record: RECORD }] }, '/ops/0/op'],
    ['with a verb in capitals', { ops: [{ op: 'UPSERT', record: RECORD }] }, '/ops/0/op'],
    ['with both parts', { ops: [{ op: 'remove', record: RECORD, rrset: RRSET }] }, '/ops/0/rrset'],
    ['with the other part', { ops: [{ op: 'remove', rrset: RRSET }] }, '/ops/0/rrset'],
    ['with an op that is a list', { ops: [[{ op: 'upsert', record: RECORD }]] }, '/ops/0'],
    ['with a bad op behind a good one', { ops: [...op({}).ops, null] }, '/ops/1'],
    ['with no name', { ops: [{ op: 'upsert', record: { type: 'A' } }] }, '/ops/0/record/name'],
    ['with a name that is no text', op({ name: ['www'] }), '/ops/0/record/name'],
    ['with a null name', op({ name: null }), '/ops/0/record/name'],
    ['with an unknown type', op({ type: 'ANY' }), '/ops/0/record/type'],
    ['with a type by its number', op({ type: 'TYPE16' }), '/ops/0/record/type'],
    ['with a type that only folds', op({ type: '\u017frv' }), '/ops/0/record/type'],
    ['with a type and a space', op({ type: 'TXT ' }), '/ops/0/record/type'],
    ['with a name in escapes', op({ name: 'www\\046x' }), '/ops/0/record/name'],
    ['with a name with a NUL', op({ name: 'www\0' }), '/ops/0/record/name'],
    ['with a name with a space', op({ name: 'www ' }), '/ops/0/record/name'],
    ['with a name with an empty label', op({ name: 'a..b' }), '/ops/0/record/name'],
    ['with a look-alike dot', op({ name: 'www\u3002x' }), '/ops/0/record/name'],
  ])('%s', (_what, body, place) => {
    const fault = faultOf(() => actsOf(`PATCH ${ZONE}/records`, body))
    expect(fault.code).toBe('body_not_understood')
    expect(fault.problems[0]?.place).toBe(place)
    expect(fault.problems[0]?.remedy).toMatch(/^[A-Z].*\.$/)
  })

  test.each([
    ['POST /v1/dns', { name: 'a..b' }, '/name'],
    ['POST /v1/dns', { rrsets: [] }, '/name'],
    ['POST /v1/dns', { name: 'a.example', zone: 'b.example' }, '/zone'],
    ['PUT /v1/dns/example.com/rrsets', { ops: [] }, '/ops'],
    [
      'PUT /v1/dns/example.com/rrsets',
      { rrsets: [{ ...RRSET, records: [{}] }] },
      '/rrsets/0/records/0/rdata',
    ],
    ['POST /v1/domains', { name: 'a.example', expected_price: '1e3' }, '/expected_price'],
    ['POST /v1/domains', { name: 'a.example', expected_price: 12 }, '/expected_price'],
    ['POST /v1/domains', { name: 'a.example', names: ['b.example'] }, '/names'],
    ['POST /v1/domains', { name: 'a.example', period: { value: -1, unit: 'y' } }, '/period/value'],
    ['PATCH /v1/domains/example.com', { renewal_mode: 'RENEW' }, '/renewal_mode'],
    ['POST /v1/tags/objects', { type: 'ZONE', objects: [1] }, '/objects/0'],
    ['POST /v1/tags/objects', { type: 'ZONE', objects: [] }, '/objects'],
    ['PATCH /v1/domain-forwards', { ops: [] }, '/ops'],
    [
      'PUT /v1/domain-forwards/example.com/http',
      { redirects: [TO, { ...TO, request_hostname: 'example.org' }] },
      '/redirects/1/request_hostname',
    ],
    [
      'POST /v1/domain-forwards',
      { hostname: 'example.com', http: { redirects: [], hostname: 'example.org' } },
      '/http/hostname',
    ],
    ['POST /v1/email-forwards', { hostname: 'example.com', aliases: ['info'] }, '/aliases/0'],
  ])('of %s: %j', (line, body, place) => {
    expect(faultOf(() => actsOf(line, body)).problems[0]?.place).toBe(place)
  })

  test('when the zone in the path cannot be compared', () => {
    const fault = faultOf(() => actsOf('PATCH /v1/dns/stra%C3%9Fe.de/records', op({})))
    expect(fault.code).toBe('path_not_canonical')
  })

  test.each([
    ['', undefined],
    [undefined, undefined],
    ['text/plain', undefined],
    ['application/x-www-form-urlencoded', undefined],
    ['application/json, text/plain', undefined],
    ['application/json; charset=utf-16', undefined],
    ['application/json; charset=utf-8; charset=utf-7', undefined],
    ['application/jsonx', undefined],
    ['application/json', 'gzip'],
    ['application/json', 'identity, gzip'],
    ['application/json', 'br'],
  ])('as %s with coding %s', (type, coding) => {
    const path = `${ZONE}/records`
    const bytes = Buffer.from(JSON.stringify(op({})))
    const run = () => bodyActs(operationOf('PATCH', path), path, bytes, type, coding)
    expect(faultOf(run)).toMatchObject({ code: 'unsupported_media_type', status: 415 })
  })

  test.each([
    'application/json',
    'Application/JSON; charset=UTF-8',
    'application/json;charset="utf-8"',
    'application/vnd.api+json',
  ])('but not as %s', (type) => {
    expect(actsOf(`PATCH ${ZONE}/records`, op({}), type)).toHaveLength(1)
  })

  test('when it asks for more than the bound', () => {
    const ops = (count: number) => ({
      ops: Array.from({ length: count }, () => ({ op: 'upsert', record: RECORD })),
    })
    expect(actsOf(`PATCH ${ZONE}/records`, ops(MAX_ACTS))).toHaveLength(MAX_ACTS)
    const fault = faultOf(() => actsOf(`PATCH ${ZONE}/records`, ops(MAX_ACTS + 1)))
    expect(fault.code).toBe('body_not_understood')
  })
})

test(`whatever is changed in a body, its acts stay in its zone or it is refused (seed ${SEED})`, () => {
  const { below, pick } = seeded(SEED)
  const noise = [
    '"',
    '\\u0040',
    '.',
    '@',
    '*',
    ',',
    '{',
    '}',
    '[',
    ' ',
    '\\u3002',
    'example.org',
    '\0',
  ]
  const line = `PATCH ${ZONE}/records`
  const text = JSON.stringify({
    ops: [
      ...op({ name: 'www' }).ops,
      { op: 'remove', record: { ...RECORD, name: 'a.example.com.' } },
    ],
  })
  let read = 0
  for (let run = 0; run < 3_000; run += 1) {
    const at = below(text.length)
    const cut = text.slice(0, at) + pick(noise as [string]) + text.slice(at + below(2))
    try {
      for (const { zone, change, operation } of actsOf(line, cut)) {
        expect(zone).toBe('example.com')
        expect(operation.template).toBe('/v1/dns/{zone_name}/records')
        expect(['upsert', 'remove']).toContain(change?.verb)
        read += 1
        // What was written with a final dot is told as it is, for the grant to refuse.
        for (const name of change?.names ?? []) expect(name).toMatch(/^[a-z0-9_*.-]+$/)
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'Fault') throw error
    }
  }
  expect(read).toBeGreaterThan(0)
})
