import { describe, expect, test } from 'vitest'

import { bodyActs } from '../../src/opusdns/acts.ts'
import { OPERATIONS, grantedOperationOf } from '../../src/opusdns/operations.ts'
import { grantShape } from '../../src/policy/grant-options.ts'
import { policy } from '../../src/policy/policy.ts'
import type { Policy } from '../../src/policy/policy.ts'

/** A policy as the file would write it. */
function granted(...grants: readonly unknown[]): Policy {
  return policy(grantShape.grants.parse(grants))
}

/** What is decided in the end. */
function decided(of: Policy, method: string, path: string, body?: unknown) {
  const operation = grantedOperationOf(method, path)
  const first = of.decide(method, path, operation)
  if (first.kind !== 'body') return first
  const bytes = Buffer.from(JSON.stringify(body))
  const acts = bodyActs(operation, path, bytes, 'application/json', undefined)
  return of.judge(method, path, operation, acts)
}

const filled = (template: string) =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'zone_name' ? 'example.com' : 'x_01h45ytscbebyvny4gc8cr8ma2',
  )

describe('a consumer without grants', () => {
  test.each(OPERATIONS.map(({ method, template }) => [method, template] as const))(
    'may not %s %s',
    (method, template) => {
      expect(decided(granted(), method, filled(template))).toMatchObject({ kind: 'denied' })
    },
  )
})

describe('read', () => {
  const read = granted('read')

  test('lets every operation pass that only reads, and no other', () => {
    for (const { method, template, classes, bulk } of OPERATIONS) {
      // A batch is what its commands are; test/journeys/grant-attacks.test.ts has those.
      if (bulk) continue
      const kind = decided(read, method, filled(template)).kind
      expect([method, template, kind]).toEqual([
        method,
        template,
        classes.length === 1 && classes[0] === 'read' ? 'allowed' : 'denied',
      ])
    }
  })

  test('does not know what the catalogue does not know', () => {
    expect(decided(read, 'GET', '/v1/new').kind).toBe('denied')
    expect(decided(granted('read', { class: ['unknown'] }), 'GET', '/v1/new').kind).toBe('allowed')
    expect(decided(granted({ path: ['GET /v1/new'] }), 'GET', '/v1/new').kind).toBe('allowed')
  })
})

describe('a class grant', () => {
  const contact = { first_name: 'A', last_name: 'B', email: 'a@example.com', phone: '+1.5550100' }
  const address = { street: 'S', city: 'C', postal_code: '1', country: 'DE', disclose: false }
  const payload = { ...contact, ...address }
  const job = { commands: [{ command: 'contact_create', payload }] }

  test('without bulk lets no batch pass, also not beside a grant that does', () => {
    const jobs = ['POST', '/v1/jobs'] as const
    const operation = grantedOperationOf(...jobs)
    for (const classes of [['read'], ['read', 'write'], ['write', 'destructive', 'billable']]) {
      const one = granted({ class: classes })
      // It is not even read.
      expect(one.decide(...jobs, operation)).toMatchObject({ kind: 'denied', code: 'not_granted' })
    }
    const beside = granted({ class: ['read', 'write'] }, { dns: { zones: ['example.com'] } })
    expect(decided(beside, ...jobs, job)).toMatchObject({ kind: 'denied', code: 'not_granted' })
    expect(decided(granted({ operation: ['POST /v1/contacts'] }), ...jobs, job).kind).toBe('denied')
  })

  test('with bulk lets a batch pass whose commands are of its classes', () => {
    const writer = granted({ class: ['write', 'bulk'] })
    expect(decided(writer, 'POST', '/v1/jobs', job).kind).toBe('allowed')
    const deletion = { command: 'domain_forward_delete_bulk' }
    const instances = [{ hostname: 'a.example' }]
    const more = { commands: [...job.commands, { ...deletion, payload: { instances } }] }
    expect(decided(writer, 'POST', '/v1/jobs', more).kind).toBe('denied')
    const all = granted({ class: ['write', 'destructive', 'bulk'] })
    expect(decided(all, 'POST', '/v1/jobs', more).kind).toBe('allowed')
  })
})

test('an idempotency_key in a job needs a grant for all of POST /v1/jobs', () => {
  const instances = [{ hostname: 'a.example' }]
  const command = { command: 'domain_forward_enable_bulk', payload: { instances } }
  const job = { commands: [command, { ...command, idempotency_key: 'somebody-else-s' }] }
  const without = { commands: [command, command] }
  const classes = ['write', 'destructive', 'billable', 'bulk']
  for (const one of [granted({ forwards: ['*'] }), granted({ class: ['write', 'bulk'] })]) {
    expect(decided(one, 'POST', '/v1/jobs', without).kind).toBe('allowed')
    expect(decided(one, 'POST', '/v1/jobs', job)).toMatchObject({
      kind: 'denied',
      code: 'not_granted',
      missing: expect.stringMatching(
        /^No grant covers POST \/v1\/jobs as a whole, .*Leave idempotency_key out\.$/,
      ),
    })
  }
  for (const one of [
    granted('admin'),
    granted({ class: classes }),
    granted({ operation: ['POST /v1/jobs'] }),
    granted({ path: ['POST /v1/jobs'] }),
    granted({ forwards: ['*'] }, { class: classes }),
  ]) {
    expect(decided(one, 'POST', '/v1/jobs', job).kind).toBe('allowed')
  }
})

describe('admin', () => {
  const admin = granted('admin')

  test('buys nothing, also not by a job or by a renewal that is switched on', () => {
    const domain = '/v1/domains/example.com'
    expect(decided(admin, 'PATCH', domain, { renewal_mode: 'expire' }).kind).toBe('allowed')
    expect(decided(admin, 'PATCH', domain, { renewal_mode: 'renew' }).kind).toBe('denied')
    expect(decided(admin, 'POST', `${domain}/restore`, {}).kind).toBe('denied')
    expect(decided(admin, 'POST', '/v1/job/job_1/resume').kind).toBe('denied')
    expect(decided(admin, 'POST', '/v1/dns', { name: 'example.com' }).kind).toBe('allowed')
    const job = (payload: unknown) => ({ commands: [{ command: 'domain_update', payload }] })
    const update = { domain_id: 'domain_01h45ytscbebyvny4gc8cr8ma2' }
    expect(decided(admin, 'POST', '/v1/jobs', job(update)).kind).toBe('allowed')
    const renewing = { ...update, renewal_mode: 'renew' }
    expect(decided(admin, 'POST', '/v1/jobs', job(renewing)).kind).toBe('denied')
    const buyer = granted('admin', { class: ['write', 'billable'] })
    expect(decided(buyer, 'PATCH', domain, { renewal_mode: 'renew' }).kind).toBe('denied')
    const all = granted('admin', { class: ['write', 'destructive', 'billable'] })
    expect(decided(all, 'PATCH', domain, { renewal_mode: 'renew' }).kind).toBe('allowed')
  })

  test('sets no transfer code, which whoever sets it knows; nor does a class without credential', () => {
    const domain = '/v1/domains/example.com'
    const instance = { name: 'example.com', auth_code: 'MyOwn' }
    const single = { domain_id: 'domain_01h45ytscbebyvny4gc8cr8ma2', auth_code: 'MyOwn' }
    const job = (command: string, payload: unknown) => ({ commands: [{ command, payload }] })
    const ways: readonly (readonly [string, string, unknown])[] = [
      ['PATCH', domain, { auth_code: 'MyOwn' }],
      ['PATCH', domain, { nameservers: [], auth_code: ' ' }],
      ['POST', '/v1/jobs', job('domain_update', single)],
      ['POST', '/v1/jobs', job('domain_update_bulk', { instances: [instance] })],
    ]
    const classes = ['read', 'write', 'destructive', 'billable', 'identity', 'bulk']
    const most = granted({ class: classes })
    const all = granted({ class: [...classes, 'credential'] })
    const both = granted('admin', { class: ['write', 'credential', 'bulk'] })
    for (const way of ways) {
      for (const one of [admin, most]) {
        expect(decided(one, ...way)).toMatchObject({
          kind: 'denied',
          missing: expect.stringContaining('/v1/domains/{domain_reference}/auth_code, domain '),
        })
      }
      for (const one of [all, both]) expect(decided(one, ...way).kind).toBe('allowed')
    }
    for (const one of [admin, most, all]) {
      expect(decided(one, 'PATCH', domain, { nameservers: [], auth_code: null }).kind).toBe(
        'allowed',
      )
    }
  })

  test('lets everything else pass but credentials, and what the catalogue does not know', () => {
    expect(decided(admin, 'DELETE', '/v1/dns/example.com').kind).toBe('allowed')
    expect(decided(admin, 'POST', '/v1/users').kind).toBe('allowed')
    expect(decided(admin, 'GET', '/v1/archive/request-history').kind).toBe('denied')
    const verify = '/v1/contacts/contact_01h45ytscbebyvny4gc8cr8ma2/verification'
    expect(decided(admin, 'POST', verify).kind).toBe('denied')
    expect(decided(admin, 'GET', '/v1/new').kind).toBe('denied')
  })
})

test.each([
  [['GET /v1/tlds'], '/v1/tlds/', 'allowed'],
  [['GET /v1/tlds/'], '/v1/tlds/', 'allowed'],
  [['GET /v1/*'], '/v1/tlds/', 'denied'],
  [['GET /v1/tlds/**'], '/v1/tlds/com', 'allowed'],
  [['GET /v1/tlds'], '/v1/tlds/com', 'denied'],
])('a path grant of %j for %s: %s', (paths, path, kind) => {
  expect(decided(granted({ path: paths }), 'GET', path).kind).toBe(kind)
})

describe('billing:read and domains:read', () => {
  test('let their own reads pass', () => {
    const billing = granted('billing:read')
    const of = '/v1/organizations/organization_1'
    for (const path of ['billing/invoices', 'transactions', 'usage/zones', 'usage/zones/summary']) {
      expect(decided(billing, 'GET', `${of}/${path}`).kind, path).toBe('allowed')
    }
    expect(decided(billing, 'GET', of).kind).toBe('denied')
    expect(decided(billing, 'GET', '/v1/domains').kind).toBe('denied')
    const domains = granted('domains:read')
    expect(decided(domains, 'GET', '/v1/domains').kind).toBe('allowed')
    expect(decided(domains, 'GET', '/v1/availability').kind).toBe('allowed')
    expect(decided(domains, 'GET', '/v1/dns').kind).toBe('denied')
    expect(decided(domains, 'POST', '/v1/domains', { name: 'x.com' }).kind).toBe('denied')
  })

  test('a list of domains is shown as far as it is granted', () => {
    const some = granted({ 'domains:read': ['example.com', '*.example.net'] })
    const decision = decided(some, 'GET', '/v1/domains')
    if (decision.kind !== 'filtered') throw new Error(decision.kind)
    const names = [
      'example.com',
      'a.example.com',
      'example.net',
      'a.example.net',
      'b.a.example.net',
    ]
    expect(names.filter((name) => decision.sees(name))).toEqual([
      'example.com',
      'a.example.net',
      'b.a.example.net',
    ])
  })
})

describe('dns', () => {
  const records = (...ops: readonly [op: string, name: string, type: string][]) => ({
    ops: ops.map(([op, name, type]) => ({ op, record: { name, type, ttl: 60, rdata: 'x' } })),
  })
  const PATCH = ['PATCH', '/v1/dns/example.com/records'] as const

  test('several grants cover what one alone does not', () => {
    const two = granted(
      { dns: { zones: ['example.com'], names: ['www'], types: ['A'], verbs: ['upsert'] } },
      { dns: { zones: ['example.com'], names: ['mail'], types: ['MX'], verbs: ['remove'] } },
    )
    const both = records(['upsert', 'www', 'A'], ['remove', 'mail', 'MX'])
    expect(decided(two, ...PATCH, both)).toMatchObject({
      kind: 'allowed',
      grants: [expect.stringContaining('www'), expect.stringContaining('mail')],
    })
    const crossed = records(['upsert', 'www', 'MX'])
    expect(decided(two, ...PATCH, crossed)).toMatchObject({
      kind: 'denied',
      code: 'not_granted',
      missing: expect.stringContaining('upsert MX at www.example.com'),
    })
  })

  test('a verb that is not written is not granted', () => {
    const plain = granted({ dns: { zones: ['example.com'] } })
    expect(decided(plain, 'GET', '/v1/dns/example.com').kind).toBe('allowed')
    expect(decided(plain, ...PATCH, records(['remove', 'a', 'A'])).kind).toBe('allowed')
    expect(decided(plain, 'PUT', '/v1/dns/example.com/rrsets', { rrsets: [] }).kind).toBe('denied')
    expect(decided(plain, 'DELETE', '/v1/dns/example.com').kind).toBe('denied')
    expect(decided(plain, 'POST', '/v1/dns/example.com/dnssec/enable').kind).toBe('denied')
    const all = granted({
      dns: { zones: ['example.com'], verbs: ['replace', 'create', 'delete', 'dnssec', 'vanity'] },
    })
    expect(decided(all, 'PUT', '/v1/dns/example.com/rrsets', { rrsets: [] }).kind).toBe('allowed')
    expect(decided(all, 'DELETE', '/v1/dns/example.com').kind).toBe('allowed')
    expect(decided(all, 'POST', '/v1/dns/example.com/dnssec/enable').kind).toBe('allowed')
    expect(decided(all, 'POST', '/v1/dns', { name: 'EXAMPLE.com.' }).kind).toBe('allowed')
    expect(decided(all, 'GET', '/v1/dns/example.com').kind).toBe('denied')
  })

  test('of a grant for some names, the whole zone is more', () => {
    const some = granted({
      dns: { zones: ['example.com'], names: ['www'], verbs: ['replace', 'delete'] },
    })
    const rrsets = [{ name: 'www', type: 'A', ttl: 60, records: [{ rdata: '192.0.2.1' }] }]
    expect(decided(some, 'PUT', '/v1/dns/example.com/rrsets', { rrsets }).kind).toBe('denied')
    expect(decided(some, 'DELETE', '/v1/dns/example.com').kind).toBe('denied')
  })

  test('patterns of zones and names mean what they say', () => {
    const below = granted({ dns: { zones: ['*.example.com'], names: ['@', '*.app', '**.deep'] } })
    const on = (zone: string, name: string) =>
      decided(below, 'PATCH', `/v1/dns/${zone}/records`, records(['upsert', name, 'A'])).kind
    expect(on('example.com', '@')).toBe('denied')
    expect(on('a.example.com', '@')).toBe('allowed')
    expect(on('b.a.example.com', '')).toBe('allowed')
    expect(on('a.example.com', 'x.app')).toBe('allowed')
    expect(on('a.example.com', 'app')).toBe('denied')
    expect(on('a.example.com', 'x.y.app')).toBe('denied')
    // It would answer for x.y.app.
    expect(on('a.example.com', '*.app')).toBe('denied')
    expect(on('a.example.com', '*.deep')).toBe('allowed')
    expect(on('a.example.com', 'x.y.deep')).toBe('allowed')
    expect(on('a.example.com', 'deep')).toBe('denied')
    expect(on('a.example.com', 'x.app.example.org.')).toBe('denied')
  })

  test('a full name without its final dot is covered where both that it may mean are', () => {
    const on = (names: readonly string[], name: string) => {
      const one = granted({ dns: { zones: ['example.com'], names } })
      return decided(one, ...PATCH, records(['upsert', name, 'A'])).kind
    }
    expect(on(['www'], 'www.example.com.')).toBe('allowed')
    expect(on(['www'], 'www.example.com')).toBe('denied')
    expect(on(['www', 'www.example.com'], 'www.example.com')).toBe('allowed')
  })

  test('all zones need no look at the body', () => {
    const all = granted({ dns: { zones: ['*'] } })
    const path = '/v1/dns/example.org/records'
    expect(all.decide('PATCH', path, grantedOperationOf('PATCH', path)).kind).toBe('allowed')
    expect(decided(all, 'GET', '/v1/dns').kind).toBe('allowed')
    expect(decided(all, 'GET', '/v1/dns/summary').kind).toBe('allowed')
  })

  test('another zone is not even read about', () => {
    const one = granted({ dns: { zones: ['example.com'] } })
    const path = '/v1/dns/example.org/records'
    expect(one.decide('PATCH', path, grantedOperationOf('PATCH', path))).toMatchObject({
      kind: 'denied',
      code: 'not_visible',
    })
    expect(decided(one, 'GET', '/v1/dns/example.org')).toMatchObject({ code: 'not_visible' })
  })
})

describe('a zone that no grant knows', () => {
  const WAYS = [
    ['GET', ''],
    ['HEAD', ''],
    ['DELETE', ''],
    ['PATCH', '/records'],
    ['PATCH', '/rrsets'],
    ['PUT', '/rrsets'],
    ['POST', '/dnssec/enable'],
    ['PATCH', '/vanity-set'],
    ['GET', '/email-forwards'],
  ] as const
  const codes = (one: Policy, zone: string) =>
    WAYS.map(([method, rest]) => {
      const path = `/v1/dns/${zone}${rest}`
      const decision = one.decide(method, path, grantedOperationOf(method, path))
      return [method, rest, decision.kind === 'denied' ? decision.code : decision.kind] as const
    })

  test.each([
    ['acme', granted({ acme: ['example.com'] })],
    ['dns', granted({ dns: { zones: ['example.com', '*.example.net'] } })],
    ['tag alone', granted({ dns: { zones: ['example.com'], verbs: ['tag'] } })],
    ['no zones at all', granted('billing:read', { forwards: ['*'] })],
    ['the domains of that name', granted({ 'domains:read': ['example.org', 'example.net'] })],
    ['nothing', granted()],
  ])('is answered as if it were not there, whatever is asked: %s', (_what, one) => {
    for (const zone of ['example.org', 'EXAMPLE.org.', 'example.net', 'xn--bcher-kva.example']) {
      expect(codes(one, zone)).toEqual(WAYS.map(([method, rest]) => [method, rest, 'not_visible']))
    }
  })

  test('is another thing than a change that is not granted', () => {
    for (const one of [
      granted({ acme: ['example.com'] }),
      granted({ dns: { zones: ['example.com'], verbs: ['upsert'] } }),
      granted('read'),
      granted({ path: ['GET /v1/dns/**'] }),
      granted({ operation: ['GET /v1/dns/{zone_name}'] }),
      granted({ operation: ['PUT /v1/dns/{zone_name}/rrsets'] }),
    ]) {
      const writes = codes(one, 'example.com').filter(([method]) => !/GET|HEAD/.test(method))
      const denied = writes.map((way) => way[2]).filter((code) => code.startsWith('not_'))
      expect(new Set(denied)).toEqual(new Set(['not_granted']))
    }
  })

  test('in a body is told as what is not granted: the path is no zone', () => {
    const one = granted({ dns: { zones: ['example.com'], verbs: ['create', 'upsert', 'tag'] } })
    const tags = { type: 'ZONE', objects: ['example.org'] }
    for (const [path, body] of [
      ['/v1/dns', { name: 'example.org' }],
      ['/v1/tags/objects', tags],
    ] as const) {
      expect(decided(one, 'POST', path, body)).toMatchObject({ code: 'not_granted' })
    }
  })
})

describe('what is written wrong', () => {
  test.each([
    ['a grant that is none', 'write'],
    ['two in one', { acme: ['example.com'], class: ['read'] }],
    ['none in one', {}],
    ['a zone that is none', { acme: ['exa mple.com'] }],
    ['a zone with a pattern within', { acme: ['a.*.com'] }],
    ['no zones', { acme: [] }],
    ['an unknown operation', { operation: ['GET /v1/nothing'] }],
    ['a path outside', { path: ['GET /admin'] }],
    ['a path with ** within', { path: ['GET /v1/**/x'] }],
    ['an unknown type', { dns: { zones: ['example.com'], types: ['TEXT'] } }],
    ['an unknown verb', { dns: { zones: ['example.com'], verbs: ['write'] } }],
    ['a name that is absolute', { dns: { zones: ['example.com'], names: ['www.example.com.'] } }],
  ])('is refused: %s', (_what, grant) => {
    expect(grantShape.grants.safeParse([grant]).success).toBe(false)
  })
})

describe('forwards', () => {
  const may = granted({ forwards: ['example.com', '*.App.example.com.'] })
  const DOMAIN = '/v1/domain-forwards'
  const redirect = (host: string, subdomain?: string) => ({
    ops: [
      {
        op: 'upsert',
        redirect: {
          request_hostname: host,
          request_subdomain: subdomain,
          request_protocol: 'http',
          request_path: '/',
        },
      },
    ],
  })
  const job = (command: string, ...instances: readonly object[]) => ({
    commands: [{ version: 'v1', command, payload: { instances } }],
  })

  test.each<[string, string, unknown?]>([
    ['GET', `${DOMAIN}/example.com`],
    ['GET', `${DOMAIN}/EXAMPLE.com./http`],
    ['DELETE', `${DOMAIN}/x.y.app.example.com`],
    ['PUT', `${DOMAIN}/example.com/https`, { redirects: [] }],
    ['PATCH', `${DOMAIN}/example.com/disable`],
    ['POST', DOMAIN, { hostname: 'Example.COM.' }],
    ['PATCH', DOMAIN, redirect('example.com')],
    ['PATCH', DOMAIN, redirect('a.app.example.com', 'b')],
    ['POST', '/v1/email-forwards', { hostname: 'example.com' }],
    ['POST', '/v1/jobs', job('domain_forward_delete_bulk', { hostname: 'example.com' })],
    ['POST', '/v1/jobs', job('email_forward_enable_bulk', { hostname: 'example.com' })],
  ])('lets %s %s pass at its hosts', (method, path, body) => {
    expect(decided(may, method, path, body)).toMatchObject({ kind: 'allowed' })
  })

  test.each<[string, string, unknown?]>([
    ['DELETE', `${DOMAIN}/www.example.com`],
    ['DELETE', `${DOMAIN}/app.example.com`],
    ['DELETE', `${DOMAIN}/notexample.com`],
    ['DELETE', `${DOMAIN}/example.com.evil.org`],
    ['DELETE', `${DOMAIN}/com`],
    ['POST', DOMAIN, { hostname: '*.example.com' }],
    ['POST', DOMAIN, { hostname: 'example.org' }],
    ['POST', '/v1/email-forwards', { hostname: 'example.org' }],
    ['PATCH', DOMAIN, redirect('example.com', 'www')],
    ['PATCH', DOMAIN, { ops: [...redirect('example.com').ops, ...redirect('a.org').ops] }],
    ['GET', `${DOMAIN}/metrics`],
    ['DELETE', '/v1/email-forwards/zone_01h45ytscbebyvny4gc8cr8ma2'],
    [
      'POST',
      '/v1/jobs',
      job('domain_forward_delete_bulk', { hostname: 'example.com' }, { hostname: 'example.org' }),
    ],
    [
      'POST',
      '/v1/jobs',
      job('email_forward_enable_bulk', {
        hostname: 'example.com',
        email_forward_id: 'email_forward_01h45ytscbebyvny4gc8cr8ma2',
      }),
    ],
    ['DELETE', '/v1/dns/example.com'],
    ['GET', '/v1/dns/example.com'],
  ])('denies %s %s elsewhere', (method, path, body) => {
    expect(decided(may, method, path, body)).toMatchObject({ kind: 'denied' })
  })

  test('asks for the host of an email forward, and decides by it', () => {
    const path = '/v1/email-forwards/email_forward_01h45ytscbebyvny4gc8cr8ma2'
    const decide = (found?: { name: string | undefined }) =>
      may.decide('DELETE', path, grantedOperationOf('DELETE', path), found)
    expect(decide()).toEqual({ kind: 'name', reading: { path, member: 'hostname' } })
    expect(decide({ name: 'example.com' })).toMatchObject({ kind: 'allowed' })
    const missing = `No grant covers DELETE /v1/email-forwards/{email_forward_id}.`
    for (const name of ['example.org', undefined]) {
      expect(decide({ name })).toMatchObject({ kind: 'denied', code: 'not_visible', missing })
    }
  })

  test('does not create zones on the way', () => {
    const body = job('domain_forward_create_bulk', { hostname: 'example.com' })
    Object.assign(body.commands[0]?.payload ?? {}, { template: { auto_create_zone: true } })
    const all = granted({ forwards: ['*'] }, { dns: { zones: ['*.com'], verbs: ['create'] } })
    expect(decided(all, 'POST', '/v1/jobs', body).kind).toBe('denied')
  })

  test('hides the forwards of others, whether they are there or not', () => {
    expect(decided(may, 'GET', `${DOMAIN}/example.org`)).toMatchObject({ code: 'not_visible' })
    expect(decided(may, 'DELETE', `${DOMAIN}/example.org`)).toMatchObject({
      code: 'not_granted',
      missing: `No grant covers DELETE ${DOMAIN}/{hostname}, host example.org.`,
    })
  })
})
