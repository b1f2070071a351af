import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { MAX_ACTS } from '../../src/opusdns/act-list.ts'
import { JOB_COMMANDS } from '../../src/opusdns/job-commands.ts'
import { OPERATIONS } from '../../src/opusdns/operations.ts'
import { actsOf, faultOf, textOf } from './act-text.ts'

const FORWARD = '/v1/domain-forwards/{hostname}'
const EMAIL = '/v1/email-forwards/{email_forward_id}'
const EMAIL_ID = 'email_forward_01h45ytscbebyvny4gc8cr8ma2'
const DOMAIN_ID = 'domain_01h45ytscbebyvny4gc8cr8ma2'
const ZONE = '/v1/dns/{zone_name}'
const RRSET = { name: 'www', type: 'A', ttl: 60, records: [{ rdata: '192.0.2.1' }] }
const RECORD_OP = { op: 'upsert', record: { name: '@', type: 'txt', ttl: 60, rdata: 'x' } }
const RRSET_OP = { op: 'remove', rrset: RRSET }
const CONTACT = {
  first_name: 'A',
  last_name: 'B',
  email: 'a@example.com',
  phone: '+1.5550100',
  street: 'S',
  city: 'C',
  postal_code: '1',
}
const PERIOD = { value: 1, unit: 'y' }
const ORDER = { renewal_mode: 'renew', contacts: {}, period: PERIOD }

// Every command: a payload, and what it would do.
const COMMANDS: readonly (readonly [command: string, payload: object, acts: readonly string[]])[] =
  [
    ['contact_create', { ...CONTACT, country: 'DE', disclose: false }, ['POST /v1/contacts']],
    [
      'contact_create_bulk',
      { template: { country: 'DE', disclose: false }, instances: [CONTACT, CONTACT] },
      ['POST /v1/contacts', 'POST /v1/contacts'],
    ],
    [
      'dns_zone_create',
      { name: 'A.example.', rrsets: [RRSET] },
      [
        'POST /v1/dns zone=a.example may-cost=1',
        'POST /v1/dns zone=a.example upsert A www.a.example',
      ],
    ],
    [
      'dns_zone_create_bulk',
      {
        template: { rrsets: [RRSET] },
        instances: [
          { name: 'a.example', rrsets: null },
          { name: 'b.example', rrsets: [] },
        ],
      },
      [
        'POST /v1/dns zone=a.example may-cost=1',
        'POST /v1/dns zone=a.example upsert A www.a.example',
        'POST /v1/dns zone=b.example may-cost=1',
      ],
    ],
    [
      'dns_zone_update',
      { name: 'a.example', dnssec_status: 'disabled', vanity_nameserver_set_id: null },
      [
        `PUT ${ZONE}/rrsets zone=a.example remove every every`,
        `POST ${ZONE}/dnssec/disable zone=a.example`,
        `PATCH ${ZONE}/vanity-set zone=a.example`,
      ],
    ],
    [
      'dns_zone_update_bulk',
      {
        template: { dnssec_status: 'enabled' },
        instances: [{ name: 'a.example' }, { name: 'b.example', rrsets: [] }],
      },
      [
        `POST ${ZONE}/dnssec/enable zone=a.example`,
        `PUT ${ZONE}/rrsets zone=b.example remove every every`,
        `POST ${ZONE}/dnssec/enable zone=b.example`,
      ],
    ],
    [
      'dns_zone_patch_rrsets_bulk',
      {
        instances: [
          { zone_name: 'a.example', ops: [RRSET_OP] },
          { zone_name: 'B.example.', ops: [RRSET_OP] },
        ],
      },
      [
        `PATCH ${ZONE}/rrsets zone=a.example remove A www.a.example`,
        `PATCH ${ZONE}/rrsets zone=b.example remove A www.b.example`,
      ],
    ],
    [
      'dns_zone_patch_records_bulk',
      { instances: [{ zone_name: 'a.example', ops: [RECORD_OP] }] },
      [`PATCH ${ZONE}/records zone=a.example upsert TXT a.example`],
    ],
    [
      'dns_zone_restamp_vanity_ns_bulk',
      { template: {}, instances: [{ name: 'a.example', vanity_nameserver_set_id: null }] },
      [`PATCH ${ZONE}/vanity-set zone=a.example`],
    ],
    [
      'domain_create',
      { name: 'a.example', ...ORDER, expected_price: '9.99' },
      ['POST /v1/domains domain=a.example buys=1 at=9.99 years=1'],
    ],
    [
      'domain_create_bulk',
      {
        template: { ...ORDER, create_zone: true },
        instances: [
          { name: 'a.example', period: null },
          { name: 'b.example', period: { value: 10, unit: 'y' }, create_zone: false },
        ],
      },
      [
        'POST /v1/domains zone=a.example domain=a.example buys=1 years=1',
        'POST /v1/domains domain=b.example buys=1 years=10',
      ],
    ],
    [
      'domain_transfer',
      { name: 'a.example', renewal_mode: 'expire', auth_code: 'abcdef' },
      ['POST /v1/domains/transfer domain=a.example buys=1'],
    ],
    [
      'domain_transfer_bulk',
      { template: ORDER, instances: [{ name: 'a.example', expected_price: '1.00' }] },
      ['POST /v1/domains/transfer domain=a.example buys=1 at=1.00 years=1'],
    ],
    [
      'domain_update',
      { domain_id: DOMAIN_ID, nameservers: [] },
      [`PATCH /v1/domains/{domain_reference} domain=${DOMAIN_ID}`],
    ],
    [
      'domain_update_bulk',
      {
        template: { renewal_mode: 'renew' },
        instances: [
          { name: 'a.example' },
          { domain_id: DOMAIN_ID, name: 'b.example', renewal_mode: 'expire' },
        ],
      },
      [
        'PATCH /v1/domains/{domain_reference} domain=a.example buys=1',
        `PATCH /v1/domains/{domain_reference} domain=${DOMAIN_ID}`,
        'PATCH /v1/domains/{domain_reference} domain=b.example',
      ],
    ],
    [
      'domain_forward_create_bulk',
      { template: { auto_create_zone: true }, instances: [{ hostname: 'A.example' }] },
      [
        'POST /v1/domain-forwards host=a.example may-cost=1',
        'POST /v1/dns host=a.example may-cost=1',
      ],
    ],
    [
      'domain_forward_update_bulk',
      { template: { enabled: true }, instances: [{ hostname: 'a.example' }] },
      [
        `PUT ${FORWARD}/{protocol} host=a.example`,
        `PATCH ${FORWARD}/enable host=a.example`,
        `PATCH ${FORWARD}/disable host=a.example`,
      ],
    ],
    ['domain_forward_enable_bulk', hosts('a.example'), [`PATCH ${FORWARD}/enable host=a.example`]],
    [
      'domain_forward_disable_bulk',
      hosts('a.example'),
      [`PATCH ${FORWARD}/disable host=a.example`],
    ],
    ['domain_forward_delete_bulk', hosts('a.example'), [`DELETE ${FORWARD} host=a.example`]],
    [
      'email_forward_create_bulk',
      { template: { aliases: [] }, instances: [{ hostname: 'a.example' }] },
      ['POST /v1/email-forwards host=a.example may-cost=1'],
    ],
    [
      'email_forward_update_bulk',
      { template: { enabled: false }, instances: [{ hostname: 'a.example', aliases: [] }] },
      [
        `PATCH ${EMAIL}/enable host=a.example`,
        `PATCH ${EMAIL}/disable host=a.example`,
        `POST ${EMAIL}/aliases host=a.example`,
        `PUT ${EMAIL}/aliases/{alias_id} host=a.example`,
        `DELETE ${EMAIL}/aliases/{alias_id} host=a.example`,
      ],
    ],
    ['email_forward_enable_bulk', hosts('a.example'), [`PATCH ${EMAIL}/enable host=a.example`]],
    [
      'email_forward_disable_bulk',
      { instances: [{ email_forward_id: EMAIL_ID, hostname: null }] },
      [`PATCH ${EMAIL}/disable`],
    ],
    [
      'email_forward_delete_bulk',
      { instances: [{ hostname: 'a.example', email_forward_id: EMAIL_ID }] },
      [`DELETE ${EMAIL} host=a.example`, `DELETE ${EMAIL}`],
    ],
    [
      'parking_create_bulk',
      { template: { enabled: true }, instances: [{ domain: 'a.example' }] },
      ['POST /v1/parking domain=a.example'],
    ],
    ['parking_enable_bulk', parked('a.example'), ['PATCH /v1/parking/enable domain=a.example']],
    ['parking_disable_bulk', parked('a.example'), ['PATCH /v1/parking/disable domain=a.example']],
    [
      'parking_delete_bulk',
      parked('parking_01h45ytscbebyvny4gc8cr8ma2'),
      ['DELETE /v1/parking/{parking_reference}'],
    ],
  ]

function hosts(hostname: string) {
  return { instances: [{ hostname }] }
}

function parked(reference: string) {
  return { instances: [{ parking_reference: reference }] }
}

const batch = (...commands: readonly unknown[]) => ({ commands })
const acts = (body: unknown) => actsOf('POST /v1/jobs', body)
const refused = (body: unknown) => faultOf(() => acts(body)).problems[0]?.place

describe('a command', () => {
  test('is here for every one that there is', () => {
    expect(COMMANDS.map(([command]) => command).toSorted()).toEqual(
      [...JOB_COMMANDS.keys()].toSorted(),
    )
    expect(JOB_COMMANDS.size).toBe(29)
  })

  test.each(COMMANDS)('%s does what the operations of the API do', (command, payload, expected) => {
    expect(acts(batch({ command, payload })).map(textOf)).toEqual(expected)
    expect(acts(batch({ type: command, version: 'v1', payload })).map(textOf)).toEqual(expected)
  })

  test.each(COMMANDS)('%s is refused with anything that is not known', (command, payload) => {
    const path = '/commands/0/payload'
    expect(refused(batch({ command, payload: { ...payload, zone: 'x' } }))).toBe(`${path}/zone`)
    expect(refused(batch({ command, payload: null }))).toBe(path)
    expect(refused(batch({ command, payload: [] }))).toBe(path)
    expect(refused(batch({ command, payload: {} }))).toMatch(path)
    if (!('instances' in payload)) return
    const [first] = payload.instances as readonly object[]
    const instances = [first, { ...first, zone: 'x' }]
    expect(refused(batch({ command, payload: { ...payload, instances } }))).toBe(
      `${path}/instances/1/zone`,
    )
    expect(refused(batch({ command, payload: { ...payload, instances: [] } }))).toBe(
      `${path}/instances`,
    )
    expect(refused(batch({ command, payload: { ...payload, instances: [null] } }))).toBe(
      `${path}/instances/0`,
    )
    expect(refused(batch({ command, payload: { ...payload, template: { zone: 'x' } } }))).toMatch(
      `${path}/template`,
    )
  })

  test('is as dangerous as the operation that it stands for', () => {
    for (const [command, payload] of COMMANDS) {
      for (const { operation } of acts(batch({ command, payload }))) {
        expect(operation.classes).toContain('write')
        expect(operation.bulk).toBe(false)
        const deletes = command.includes('delete')
        if (deletes) expect(operation.classes).toContain('destructive')
        const known = OPERATIONS.includes(operation)
        expect(known).toBe(!command.startsWith('parking_'))
      }
    }
  })
})

describe('a batch', () => {
  const good = { command: 'domain_forward_enable_bulk', payload: hosts('a.example') }

  test('does what all of its commands do, whenever they run', () => {
    const purchase = { command: 'domain_create', payload: { name: 'b.example', ...ORDER } }
    const body = { ...batch(good, purchase), paused: true, not_before: '2030-01-01T00:00:00Z' }
    expect(acts(body).map(textOf)).toEqual([
      `PATCH ${FORWARD}/enable host=a.example`,
      'POST /v1/domains domain=b.example buys=1 years=1',
    ])
  })

  test('with an idempotency_key is an act of its own besides, once', () => {
    const keyed = { ...good, idempotency_key: 'k' }
    const enable = `PATCH ${FORWARD}/enable host=a.example`
    expect(acts(batch(good, keyed, keyed)).map(textOf)).toEqual([
      enable,
      enable,
      'POST /v1/jobs',
      enable,
    ])
    expect(acts(batch({ ...good, idempotency_key: null })).map(textOf)).toEqual([enable])
    expect(acts(batch({ ...good, idempotency_key: '' }))).toHaveLength(2)
  })

  test.each([
    ['no commands', {}, '/commands'],
    ['an empty list', batch(), '/commands'],
    ['an unknown member', { ...batch(good), dry_run: true }, '/dry_run'],
    ['another member', { ...batch(good), webhook: 'x' }, '/webhook'],
    ['a nested list', batch([good]), '/commands/0'],
    ['a bad command behind a good one', batch(good, 'x'), '/commands/1'],
    ['both spellings', batch({ ...good, type: good.command }), '/commands/0'],
    ['both spellings, one null', batch({ ...good, type: null }), '/commands/0'],
    ['neither spelling', batch({ payload: good.payload }), '/commands/0'],
    ['a null spelling', batch({ command: null, payload: {} }), '/commands/0/command'],
    [
      'an unknown command',
      batch({ command: 'domain_delete_bulk', payload: {} }),
      '/commands/0/command',
    ],
    [
      'a command in capitals',
      batch({ ...good, command: 'DNS_ZONE_CREATE' }),
      '/commands/0/command',
    ],
    [
      'a command of the prototype',
      batch({ ...good, command: 'constructor' }),
      '/commands/0/command',
    ],
    ['another version', batch({ ...good, version: 'v2' }), '/commands/0/version'],
    ['a batch in a batch', batch({ command: 'jobs', payload: batch(good) }), '/commands/0/command'],
    ['commands in a command', batch({ ...good, commands: [good] }), '/commands/0/commands'],
    [
      'no reference',
      batch({ command: 'email_forward_delete_bulk', payload: { instances: [{}] } }),
      '/commands/0/payload/instances/0',
    ],
    [
      'no domain',
      batch({ command: 'domain_update_bulk', payload: { instances: [{}] } }),
      '/commands/0/payload/instances/0',
    ],
  ])('with %s is refused', (_what, body, place) => {
    expect(refused(body)).toBe(place)
  })

  test('with a name doubled deep inside is refused', () => {
    const text = JSON.stringify(batch(good)).replace(
      '"hostname"',
      '"hostname":"b.example","host\\u006eame"',
    )
    expect(refused(text)).toBe('/commands/0/payload/instances/0/hostname')
  })

  test('may stand for as many acts as the bound, also through a template, in little time', () => {
    const records = Array.from({ length: 5_000 }, () => ({ rdata: 'x' }))
    const instances = Array.from({ length: 1_000 }, (_, at) => ({ name: `z${at}.example` }))
    const zones = (count: number) => ({
      command: 'dns_zone_create_bulk',
      payload: {
        template: { rrsets: Array.from({ length: count }, () => ({ ...RRSET, records })) },
        instances,
      },
    })
    const before = process.cpuUsage()
    expect(acts(batch(zones(9)))).toHaveLength(10_000)
    const { user } = process.cpuUsage(before)
    // 45 million records when each instance looks at those of the template.
    expect(user).toBeLessThan(2_000_000)
    expect(MAX_ACTS).toBe(50_000)
    expect(refused(batch(zones(50)))).toBe('the whole body')
  })
})

test('a registrant in a template is one, whatever contacts an instance names', () => {
  const of = (template: object, instance: object) =>
    acts(
      batch({
        command: 'domain_update_bulk',
        payload: { template, instances: [{ name: 'a.example', ...instance }] },
      }),
    ).map(textOf)
  const trade = 'PATCH /v1/domains/{domain_reference} domain=a.example buys=1'
  const registrant = { contacts: { registrant: [{ contact_id: 'x' }] } }
  expect(of(registrant, { contacts: { tech: [] } })).toEqual([trade])
  expect(of({ contacts: { tech: [] } }, registrant)).toEqual([trade])
  expect(of(registrant, { contacts: {} })).toEqual([trade])
  expect(of(registrant, { contacts: null })).toEqual([trade])
})

const MANY = 10_000
const KINDS = {
  text: 'x'.repeat(MANY),
  number: 1,
  flag: true,
  list: Array.from({ length: MANY }, () => RRSET),
  object: Object.fromEntries(Array.from({ length: MANY }, (_, at) => [`m${at}`, 'x'])),
}
const ALIASES = Array.from({ length: MANY }, () => ({ alias: 'a', forward_to: [] }))
const REDIRECTS = { redirects: Array.from({ length: MANY }, () => ({ request_path: '/' })) }
const LARGE = { ...KINDS, aliases: ALIASES, http: REDIRECTS, https: REDIRECTS }
const TEMPLATED = [...JOB_COMMANDS].flatMap(([command, { template, payload }]) =>
  template === undefined || template === 'none'
    ? []
    : [...template.fields].map(([name, { kind }]) => ({ command, name, kind, payload })),
)

test.each(TEMPLATED)(
  'a large $name in the template of $command costs little, however many instances there are',
  ({ command, name, kind, payload }) => {
    const small = { text: 'a.example', number: 1, flag: true, list: [], object: {} }
    const required = payload.required.map((one) => [one, 'a.example'])
    const own = payload.fields.has(name) && kind === 'object' ? { [name]: small[kind] } : {}
    const reference = payload.fields.has('domain_id') ? { name: 'a.example' } : {}
    const host = payload.fields.has('email_forward_id') ? { hostname: 'a.example' } : {}
    const instance = { ...Object.fromEntries(required), ...own, ...reference, ...host }
    const large = (LARGE as Record<string, unknown>)[name] ?? KINDS[kind]
    const instances = Array.from({ length: 3_000 }, () => instance)
    const text = JSON.stringify(
      batch({ command, payload: { template: { [name]: large }, instances } }),
    )
    const before = process.cpuUsage()
    try {
      acts(text)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
    }
    // Ten thousand members for each of three thousand instances take half a minute.
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000)
  },
)

test('a name that a template shares is judged once, however often it is used', () => {
  const rrsets = Array.from({ length: 400 }, () => ({ name: 'ü.'.repeat(26) + 'é', type: 'TXT' }))
  const instances = Array.from({ length: 99 }, () => ({ name: 'example.com' }))
  const payload = { template: { rrsets }, instances }
  expect(acts(batch({ command: 'dns_zone_create_bulk', payload }))).toHaveLength(99 * 401)
})

test('more international names than can be judged at once are refused', () => {
  const names = Array.from({ length: 2000 }, (_, at) => 'ü.'.repeat(26) + at)
  const instances = names.map((hostname) => ({ hostname }))
  const run = () => acts(batch({ command: 'domain_forward_enable_bulk', payload: { instances } }))
  expect(run).toThrow(/too many international names/)
})
