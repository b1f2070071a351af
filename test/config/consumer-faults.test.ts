// Every mistake within `consumers:` is told at its place, with its remedy, and hides no other.

import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { loadSettings } from '../../src/config/load.ts'

const SHA = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const KEY = `keys: [{ id: abcd2345, sha256: ${SHA} }]`

const load = (text: string) =>
  loadSettings({ env: { OPUSDNS_API_KEY: 'opk_a' }, file: { path: 'p', text } })

/** What is said of a file, without the lines: `place fault; remedy`. */
async function said(text: string): Promise<string[]> {
  const error: unknown = await load(text).catch((reason: unknown) => reason)
  if (!(error instanceof Fault)) throw new Error('was accepted', { cause: error })
  return error.problems.map(
    ({ place, fault, remedy }) => `${place.replace(/ \(p:\d+\)$/, '')} ${fault}; ${remedy}`,
  )
}

const NO_GRANT =
  'is no grant; write read, admin, domains:read, billing:read, or a mapping such as acme: [example.com]'
const NO_ZONE = 'is no zone; write example.com, *.example.com for all zones below it, or *'
const NO_LIST = 'is not a list; put the value in square brackets: [one] or [one, two]'
const NO_ZONES = 'is missing; write zones: example.com, *.example.com (all below it), or *'

describe('a mistake in a grant', () => {
  test.each([
    ['reed', '', NO_GRANT],
    ['acme', '', NO_GRANT],
    ['[acme]', '', NO_GRANT],
    ['acme: example.com', '.acme', NO_LIST],
    ["acme: ['*.example.*']", '.acme[0]', NO_ZONE],
    ["acme: ['https://example.com']", '.acme[0]', NO_ZONE],
    ['dns: { names: [www] }', '.dns.zones', NO_ZONES],
    [
      'dns: { zones: [example.com], types: [TXTT] }',
      '.dns.types[0]',
      'is not one of the choices; did you mean TXT?',
    ],
    [
      'dns: { zones: [example.com], verbs: [write] }',
      '.dns.verbs[0]',
      'is not one of the choices; choose read, upsert, remove, replace, create, delete, dnssec, vanity, tag',
    ],
    ['class: billable', '.class', NO_LIST],
    [
      "operation: ['GET /v1/dnss']",
      '.operation[0]',
      'is no operation of the API; write it as in its documentation: GET /v1/dns/{zone_name}',
    ],
    [
      "path: ['GET v1/dns']",
      '.path[0]',
      'is no pattern of requests; write METHOD /v1/path, with * for any method or one segment, and ** at the end for any rest',
    ],
    [
      '{ acme: [example.com], class: [read] }',
      '',
      'is not one grant; begin a new list item for each of them',
    ],
    ['acmee: [example.com]', '.acmee', 'is not a known key; did you mean acme?'],
  ])('%s is told for what it is', async (grant, place, what) => {
    expect(await said(`consumers:\n  a:\n    ${KEY}\n    grants:\n      - ${grant}`)).toEqual([
      `consumers.a.grants[0]${place} ${what}`,
    ])
  })

  test('hides no other in the same grant', async () => {
    const text = "dns: { zone: [example.com], types: [TXTT], names: ['a b'] }"
    const found = await said(`consumers: { a: { ${KEY}, grants: [{ ${text} }] } }`)
    const at = 'consumers.a.grants[0].dns.'
    expect(found).toContain(`${at}zone is not a known key; did you mean zones?`)
    expect(found).toContain(`${at}zones ${NO_ZONES}`)
    expect(found).toContain(`${at}types[0] is not one of the choices; did you mean TXT?`)
    expect(found.filter((one) => one.startsWith(`${at}names[0] is no pattern`))).toHaveLength(1)
    expect(found).toHaveLength(4)
  })
})

describe('an option of a consumer', () => {
  test.each([
    ['grant: [read]', 'grant', 'grants'],
    ['network: [10.0.0.0/8]', 'network', 'networks'],
    [`keys: [{ ids: a, id: abcd2345, sha256: ${SHA} }]`, 'keys[0].ids', 'id'],
    ['limits: { rate: 5/s, bursts: 5 }', 'limits.bursts', 'burst'],
    ['budget: { purchases: 0, per: day, amounts: 1 }', 'budget.amounts', 'amount'],
  ])('that is misspelt (%s) gets a suggestion', async (option, place, meant) => {
    expect(await said(`ledger: file:/l.db\nconsumers: { a: { ${option} } }`)).toContain(
      `consumers.a.${place} is not a known key; did you mean ${meant}?`,
    )
  })

  test('of a credential too', async () => {
    expect(await said('credentials: { s: { bas: https://a.example } }')).toEqual([
      'credentials.s.credential is missing; write credential: an API key, or OAuth2 client credentials',
      'credentials.s.bas is not a known key; did you mean base?',
    ])
  })

  test.each([
    ['budget: { purchases: 3 }', 'budget.per is missing; write per: day or month'],
    [
      'keys: [{ id: abcd2345 }]',
      'keys[0].sha256 is missing; write sha256: SHA-256 of the whole key, in hex',
    ],
    [
      'limits: { rate: 50 }',
      'limits.rate is no rate; write a number of requests and its time, for example 50/s or 600/m',
    ],
  ])('that is missing, or a bare number (%s), is told with what to write', async (option, what) => {
    expect(await said(`ledger: file:/l.db\nconsumers: { a: { ${option} } }`)).toEqual([
      `consumers.a.${what}`,
    ])
  })

  test('may have its digest in capitals', async () => {
    const { settings } = await load(
      `consumers: { a: { keys: [{ id: abcd2345, sha256: ${SHA.toUpperCase()} }], grants: [read] } }`,
    )
    expect(settings.consumers?.get('a')?.keys).toMatchObject([{ id: 'abcd2345', sha256: SHA }])
  })
})

describe('the names of consumers', () => {
  test('are told when they are none', async () => {
    expect(await said(`consumers: { Certbot: { ${KEY}, grants: [read] } }`)).toEqual([
      'consumers.Certbot is no name; write small letters, digits, dots, hyphens and underscores',
    ])
  })

  test.each(['[{ name: a }]', 'certbot', ''])('stand in a mapping, not in %s', async (written) => {
    expect(await said(`consumers: ${written}`)).toEqual([
      'consumers is not a mapping; write names with a colon, and what each has indented below it',
    ])
  })
})

describe('a faulty consumer', () => {
  test('hides nothing that is wrong with the others, or beside them', async () => {
    const found = await said(`
listen: ['0.0.0.0:80']
policy: { allow: [auth] }
credentials: { x: { base: 7, credential: { api_key: env:X } } }
consumers:
  faulty: { grants: [reed] }
  one: { ${KEY}, mtls: [CN=a], credential: nowhere, grants: [read] }
  two: { ${KEY}, sockets: [/run/a.sock], budget: { purchases: 1, per: day }, grants: [read] }
`)
    for (const [place, fault] of [
      ['consumers.faulty.grants[0]', 'is no grant'],
      ['consumers.one.credential', 'names no credential'],
      ['consumers.one.mtls', 'can never match'],
      ['consumers.two.keys[0].id', 'is the same as consumers.one.keys[0].id'],
      ['consumers.two.sockets[0]', 'is no socket of listen'],
      ['consumers.two.budget', 'needs a ledger'],
      ['policy.allow', 'means nothing beside consumers'],
      ['credentials.x.base', 'is not a text'],
    ]) {
      expect(found.filter((one) => one.startsWith(`${place} ${fault}`))).toHaveLength(1)
    }
    expect(found).toHaveLength(8)
  })

  test('may be the one who is identified off loopback', async () => {
    const text = `listen: ['0.0.0.0:80']\nconsumers:\n  a: { keys: [{}] }\n  b: { anonymous: true, grants: [read] }`
    const found = await said(text)
    expect(found.filter((one) => one.startsWith('listen'))).toEqual([])
    expect(found).toHaveLength(2)
  })
})

describe('what cannot work', () => {
  const BUDGET = 'budget: { purchases: 1, per: day }'
  const BUYS = "operation: ['GET /v1/tlds/', 'POST /v1/domains']"

  async function warned(options: string, more = ''): Promise<string[]> {
    const { warnings } = await load(
      `ledger: file:/l.db\n${more}\nconsumers: { a: { anonymous: true, ${options} } }`,
    )
    return warnings.map(
      ({ place, fault, remedy }) => `${place.replace(/ \(p:\d+\)$/, '')} ${fault}; ${remedy}`,
    )
  }

  test.each([
    `grants: [read, { ${BUYS} }]`,
    'grants: [read, { class: [read, write, billable] }]',
    "grants: [read, { path: ['POST /v1/domains/*/renew'] }]",
    "grants: [read, { path: ['* /v1/domains/**'] }]",
  ])('buying without a budget: %s', async (options) => {
    expect(await warned(options)).toEqual([
      expect.stringMatching(
        /^consumers\.a\.grants\[1\] lets the consumer buy \(POST \/v1\/domains.*\), but without a budget no purchase passes; write a budget/,
      ),
    ])
    expect(await warned(`${options}, ${BUDGET}`)).toEqual([])
  })

  test.each([
    ['POST /v1/dns', 'dns: { zones: [a.example], verbs: [create] }'],
    ['POST /v1/email-forwards', "operation: ['POST /v1/email-forwards']"],
  ])('%s, which may have a price, without a budget: %s', async (operation, grant) => {
    const options = `grants: [{ ${grant} }]`
    const [found, ...others] = await warned(options)
    expect(others).toEqual([])
    expect(found).toContain(`consumers.a.grants[0] lets ${operation} pass, which may have a price`)
    expect(found).toContain('or list it in unpriced')
    expect(await warned(options, `unpriced: ['${operation}']`)).toEqual([])
    expect(await warned(`${options}, ${BUDGET}`)).toEqual([])
  })

  test('a budget beside admin is for what may have a price', async () => {
    expect(await warned(`grants: [admin], ${BUDGET}`)).toEqual([])
  })

  test.each(['read', 'dns: { zones: [example.com] }', "path: ['GET /v1/domains/**']"])(
    'a budget beside %s, which buys nothing',
    async (grant) => {
      expect(
        await warned(`grants: [{ ${grant} }], ${BUDGET}`.replace(/\{ (\w+) \}/, '$1')),
      ).toEqual([expect.stringMatching(/^consumers\.a\.budget is for nothing/)])
    },
  )

  test.each([
    ['[billable]', '[write, billable]'],
    ['[destructive, billable]', '[write, destructive, billable]'],
    ['[identity]', '[write, identity]'],
  ])('class: %s alone', async (classes, all) => {
    const found = await warned(`grants: [{ class: ${classes} }]`)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(/^consumers\.a\.grants\[0\]\.class covers nothing/)
    expect(found[0]).toContain(`class: ${all}`)
  })

  test.each([
    "grants: [admin, { class: [unknown] }, { class: [credential] }, { operation: ['PATCH /v1/domains/{domain_reference}'] }]",
    'grants: [{ class: [read] }, { forwards: [a.example] }, { dns: { zones: [a.example], verbs: [delete] } }]',
  ])('is not said of %s', async (options) => {
    expect(await warned(options)).toEqual([])
  })
})
