import { describe, expect, test } from 'vitest'

import { OPERATION_CLASSES } from '../../src/opusdns/operation-class.ts'
import type { OperationClass } from '../../src/opusdns/operation-class.ts'
import {
  OPERATIONS,
  UNKNOWN_OPERATION,
  WITHDRAWN_OPERATIONS,
  bodyClassOf,
  grantedOperationOf,
  isEventStream,
  operationOf,
  parametersOf,
  parseOperations,
} from '../../src/opusdns/operations.ts'
import type { Operation } from '../../src/opusdns/operations.ts'
import { BLOCK_GROUPS, blockList } from '../../src/policy/block-list.ts'

const nameOf = ({ method, template }: Operation) => `${method} ${template}`
const pathOf = ({ template }: Operation) => template.replaceAll(/\{[^}]+\}/g, 'value')
const having = (one: OperationClass) => OPERATIONS.filter(({ classes }) => classes.includes(one))

/** The operation of the table with this very template. */
function named(name: string): Operation {
  const found = OPERATIONS.find((operation) => nameOf(operation) === name)
  if (found === undefined) throw new Error(`no such operation: ${name}`)
  return found
}

// Named by clients that are newer than the specification of 2026-08-22.
const NEWER = [
  'POST /v1/auth/signup',
  'GET /v1/domains/statistics',
  'POST /v1/domains/tld-specific/dk/{domain_reference}/auth_code/request',
  'POST /v1/domains/tld-specific/nu/{domain_reference}/auth_code/request',
  'GET /v1/organizations/product-waitlist',
  'POST /v1/organizations/product-waitlist/{product}/apply',
  'GET /v1/organizations/{organization_id}/billing/receipts',
  'GET /v1/whitelabel-branding/assets',
  'POST /v1/whitelabel-branding/assets',
  'DELETE /v1/whitelabel-branding/assets/{asset_id}',
  'GET /v1/whitelabel-branding/document',
  'POST /v1/whitelabel-branding/document',
  'PUT /v1/whitelabel-branding/document',
]

describe('an operation', () => {
  test('is found for every line of the table by its own template', () => {
    for (const operation of OPERATIONS) {
      expect(operationOf(operation.method, pathOf(operation))).toBe(operation)
    }
  })

  test('stands in the table once: 214 of the specification, 13 newer, 4 withdrawn', () => {
    const names = OPERATIONS.map(nameOf)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => NEWER.includes(name))).toHaveLength(NEWER.length)
    expect(WITHDRAWN_OPERATIONS).toHaveLength(4)
    expect(names).toHaveLength(214 + NEWER.length + 4)
  })

  test('a literal segment wins over a parameter', () => {
    expect(operationOf('GET', '/v1/dns/summary').template).toBe('/v1/dns/summary')
    expect(operationOf('GET', '/v1/dns/summary.example').template).toBe('/v1/dns/{zone_name}')
    expect(operationOf('PATCH', '/v1/dns/summary/rrsets').template).toBe(
      '/v1/dns/{zone_name}/rrsets',
    )
    expect(operationOf('DELETE', '/v1/dns/summary').template).toBe('/v1/dns/{zone_name}')
  })

  test.each([
    ['GET', '/v1/nothing'],
    ['GET', '/v1/dns/example.com/'],
    ['GET', '/V1/dns'],
    ['GET', '/v1/DNS'],
    ['get', '/v1/dns'],
    ['DELETE', '/v1/dns'],
    ['OPTIONS', '/v1/dns'],
    ['GET', '/v1/dns/example.com/rrsets'],
    ['GET', '/v1/tlds'],
    ['GET', '/v1/constructor'],
    ['GET', '/v1/__proto__'],
    ['GET', '/'],
    ['GET', ''],
  ])('%s %s is unknown', (method, path) => {
    expect(operationOf(method, path)).toBe(UNKNOWN_OPERATION)
    expect(grantedOperationOf(method, path)).toBe(UNKNOWN_OPERATION)
  })

  test('has no second spelling: neither a final slash nor other letters of its words', () => {
    for (const operation of OPERATIONS) {
      const path = pathOf(operation)
      const slashed = path.endsWith('/') ? path.slice(0, -1) : `${path}/`
      expect(operationOf(operation.method, slashed)).toBe(UNKNOWN_OPERATION)
      expect(operationOf(operation.method, path.toUpperCase())).toBe(UNKNOWN_OPERATION)
      // A canonical path encodes no unreserved character, so a word of these has one spelling.
      for (const word of operation.template.replaceAll(/\{\w+\}/g, '').split('/')) {
        expect(word).toMatch(/^[a-z0-9_-]*$/)
      }
    }
  })

  test('of HEAD is no label of its own, but asks for the grant that GET asks for', () => {
    for (const operation of OPERATIONS) {
      const path = pathOf(operation)
      expect(operationOf('HEAD', path)).toBe(UNKNOWN_OPERATION)
      expect(grantedOperationOf('HEAD', path)).toBe(operationOf('GET', path))
      expect(grantedOperationOf(operation.method, path)).toBe(operation)
    }
  })

  test('that costs money is marked', () => {
    expect(operationOf('POST', '/v1/domains').billable).toBe(true)
    expect(operationOf('POST', '/v1/domains/example.com/renew').billable).toBe(true)
    expect(operationOf('POST', '/v1/jobs').billable).toBe(true)
    expect(operationOf('GET', '/v1/domains').billable).toBe(false)
  })

  test('has tag and permissions as the specification names them', () => {
    expect(named('POST /v1/email-forwards')).toMatchObject({
      tag: 'email_forward',
      permissions: ['dns:manage', 'email_forwards:manage'],
    })
    expect(named('POST /v1/organizations')).toMatchObject({ tag: 'organization', permissions: [] })
    for (const { tag, permissions } of OPERATIONS) {
      expect(tag).toMatch(/^[a-z_]+$/)
      for (const permission of permissions) {
        expect(permission).toMatch(/^[a-z_]+:(?:read|manage|delete)$/)
      }
    }
    expect(OPERATIONS.filter(({ permissions }) => permissions.length > 0).length).toBeGreaterThan(
      190,
    )
  })

  test('that carries a stream or a bulk is known as such', () => {
    expect(having('bulk').map(nameOf)).toEqual(['POST /v1/jobs'])
    expect(bodyClassOf('POST', named('POST /v1/jobs'))).toBe('bulk')
    expect(bodyClassOf('PUT', named('PUT /v1/dns/{zone_name}/rrsets'))).toBe('write')
    expect(bodyClassOf('DELETE', named('DELETE /v1/dns/{zone_name}'))).toBe('read')
    expect(OPERATIONS.filter(isEventStream).map(nameOf)).toEqual([
      'GET /v1/availability/stream',
      'POST /v1/availability/stream',
    ])
  })
})

describe('the classes', () => {
  test('of every operation are read or write, then others, each once', () => {
    for (const { classes } of OPERATIONS) {
      const [first, ...others] = classes
      expect(['read', 'write']).toContain(first)
      expect(others.filter((one) => ['read', 'write', 'unknown'].includes(one))).toEqual([])
      const order = classes.map((one) => OPERATION_CLASSES.indexOf(one))
      expect(order).toEqual([...new Set(order)].toSorted((a, b) => a - b))
    }
    expect(UNKNOWN_OPERATION.classes).toEqual(['unknown'])
  })

  test('follow the method, but for four POSTs that only ask and one GET that writes', () => {
    const against = OPERATIONS.filter(
      ({ method, classes }) => classes.includes('read') !== (method === 'GET'),
    )
    expect(against.map(nameOf)).toEqual([
      'POST /v1/availability/stream',
      'GET /v1/contacts/verify',
      'POST /v1/domains/claims-notices',
      'POST /v1/vanity-nameserver-sets/check',
      'POST /v1/whitelabel-branding/email/preview',
    ])
  })

  test('agree with what is marked billable and bulk', () => {
    for (const { classes, billable, bulk } of OPERATIONS) {
      expect(classes.includes('billable')).toBe(billable)
      expect(classes.includes('bulk')).toBe(bulk)
    }
    expect(having('billable').filter(({ classes }) => !classes.includes('write'))).toEqual([])
    expect(having('destructive').filter(({ classes }) => !classes.includes('write'))).toEqual([])
    expect(having('identity').filter(({ classes }) => !classes.includes('write'))).toEqual([])
  })

  test('call every DELETE destructive, and these beside', () => {
    const kept = OPERATIONS.filter(
      ({ method, classes }) => method === 'DELETE' && !classes.includes('destructive'),
    )
    expect(kept).toEqual([])
    const others = having('destructive').filter(({ method }) => method !== 'DELETE')
    expect(others.map(nameOf)).toEqual([
      'POST /v1/dns/{zone_name}/dnssec/disable',
      'POST /v1/dns/{zone_name}/dnssec/enable',
      'PATCH /v1/dns/{zone_name}/records',
      'PATCH /v1/dns/{zone_name}/rrsets',
      'PUT /v1/dns/{zone_name}/rrsets',
      'PATCH /v1/dns/{zone_name}/vanity-set',
      'PATCH /v1/domain-forwards',
      'PUT /v1/domain-forwards/{hostname}/{protocol}',
      'POST /v1/domains/tld-specific/at/{domain_reference}/withdraw',
      'POST /v1/domains/tld-specific/de/{domain_reference}/transit',
      'PATCH /v1/domains/{domain_reference}',
      'PUT /v1/domains/{domain_reference}/dnssec',
      'POST /v1/domains/{domain_reference}/dnssec/disable',
      'POST /v1/domains/{domain_reference}/dnssec/enable',
      'POST /v1/domains/{domain_reference}/transfer/outbound',
      'PUT /v1/email-forwards/{email_forward_id}/aliases/{alias_id}',
      'PATCH /v1/events/{event_id}',
      'PUT /v1/hosts/{host_reference}',
      'POST /v1/job/{job_id}/resume',
      'POST /v1/job/{job_id}/retry',
      'POST /v1/jobs',
      'POST /v1/jobs/{batch_id}/resume',
      'POST /v1/jobs/{batch_id}/retry',
      'POST /v1/organizations/ip-restrictions',
      'PATCH /v1/organizations/ip-restrictions/{ip_restriction_id}',
      'POST /v1/tags/objects',
      'POST /v1/tags/{tag_id}/objects',
      'PUT /v1/whitelabel-branding/document',
    ])
  })

  test('call billable what is bought at once, later, or by consequence', () => {
    expect(having('billable').map(nameOf)).toEqual([
      'POST /v1/ai-concierge/conversations/{conversation_id}/messages',
      'POST /v1/dns',
      'POST /v1/domain-forwards',
      'POST /v1/domain-forwards/{hostname}',
      'POST /v1/domains',
      'POST /v1/domains/tld-specific/de/{domain_reference}/transit',
      'POST /v1/domains/transfer',
      'PATCH /v1/domains/{domain_reference}',
      'POST /v1/domains/{domain_reference}/renew',
      'POST /v1/domains/{domain_reference}/restore',
      'POST /v1/email-forwards',
      'POST /v1/job/{job_id}/resume',
      'POST /v1/job/{job_id}/retry',
      'POST /v1/jobs',
      'POST /v1/jobs/{batch_id}/resume',
      'POST /v1/jobs/{batch_id}/retry',
      'POST /v1/organizations',
      'POST /v1/vanity-nameserver-sets',
      'PATCH /v1/vanity-nameserver-sets/{set_id}',
      'POST /v1/vanity-nameserver-sets/{set_id}/restore',
      'POST /v1/vanity-nameserver-sets/{set_id}/retry',
      'PATCH /v1/whitelabel-branding',
      'POST /v1/whitelabel-branding',
      'POST /v1/whitelabel-branding/restore',
      'POST /v1/whitelabel-branding/tier',
    ])
  })

  test('cover the default block list, and beyond it only what shows keys or tokens, or exports', () => {
    const blocked = blockList([])
    const wide = OPERATIONS.filter(({ method, template, classes }) => {
      const group = blocked(method, template)
      if (group === undefined) return classes.includes('credential') || classes.includes('identity')
      expect(Object.hasOwn(BLOCK_GROUPS, group)).toBe(true)
      expect(classes).toContain(group === 'identity' ? 'identity' : 'credential')
      return false
    })
    expect(wide.map(nameOf)).toEqual([
      'GET /v1/auth/client_credentials/introspect',
      'POST /v1/contacts/{contact_id}/verification',
      'GET /v1/reports/{report_id}/download',
    ])
  })

  test.each([
    ['GET /v1/archive/request-history', ['read', 'credential']],
    ['GET /v1/archive/object-logs/{object_id}', ['read', 'credential']],
    ['GET /v1/reports', ['read']],
    ['GET /v1/reports/{report_id}', ['read']],
    ['GET /v1/events', ['read']],
    ['GET /v1/contacts/verification', ['read']],
    ['PUT /v1/contacts/verification', ['write']],
    // It answers the token with which anybody verifies the contact, without a key.
    ['POST /v1/contacts/{contact_id}/verification', ['write', 'credential']],
    ['GET /v1/contacts/{contact_id}/verification', ['read']],
    ['GET /v1/tlds/', ['read']],
    ['POST /v1/auth/signup', ['write', 'credential', 'identity']],
    ['POST /v1/users', ['write', 'identity']],
    ['PUT /v1/users/{user_id}/role', ['write', 'identity']],
    ['GET /v1/organizations/roles', ['read']],
    ['POST /v1/jobs', ['write', 'destructive', 'billable', 'bulk']],
    ['POST /v1/contacts', ['write']],
  ] as const)('of %s are %j', (name, classes) => {
    expect(named(name).classes).toEqual(classes)
  })
})

describe('a line of the table', () => {
  test.each([
    'GET /v1/x tag x:read',
    'GET /v1/x tag x:read reading',
    'GET /v1/x tag x:read write,destructve',
    'GET /v1/x tag x:read read,',
    'get /v1/x tag x:read read',
    'GET v1/x tag x:read read',
    'GET /v1/x  x:read read',
    '',
  ])('%j is refused', (line) => {
    expect(() => parseOperations(line)).toThrow('no line of the table')
  })

  test('is read', () => {
    expect(
      parseOperations('\nPUT /v1/x/{id} some_tag a:read,b:manage write,billable,bulk\n'),
    ).toEqual([
      {
        method: 'PUT',
        template: '/v1/x/{id}',
        tag: 'some_tag',
        permissions: ['a:read', 'b:manage'],
        classes: ['write', 'billable', 'bulk'],
        billable: true,
        bulk: true,
      },
    ])
  })
})

describe('the parameters of a path', () => {
  test.each([
    ['GET', '/v1/dns/example.com', { zone_name: 'example.com' }],
    ['PATCH', '/v1/dns/example.com./rrsets', { zone_name: 'example.com.' }],
    ['GET', '/v1/dns/b%C3%BCcher.example', { zone_name: 'bücher.example' }],
    [
      'DELETE',
      '/v1/domain-forwards/%2A.a.example/http',
      { hostname: '*.a.example', protocol: 'http' },
    ],
    ['DELETE', '/v1/dns/summary', { zone_name: 'summary' }],
    ['GET', '/v1/dns/__proto__', { zone_name: '__proto__' }],
    ['GET', '/v1/dns/{zone_name}', { zone_name: '{zone_name}' }],
    ['GET', '/v1/dns', {}],
    ['GET', '/v1/tlds/', {}],
    ['GET', '/v1/nothing', {}],
  ])('%s %s are %j', (method, path, parameters) => {
    expect(parametersOf(operationOf(method, path), path)).toEqual(parameters)
  })

  test('are found by name in every operation that has some', () => {
    for (const operation of OPERATIONS) {
      const names = [...operation.template.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      expect(Object.keys(parametersOf(operation, pathOf(operation)))).toEqual(names)
    }
  })

  test.each(['/v1/dns', '/v1/dns/a/b', '/v1/domains/a', '/v1/dns/a/'])(
    'are not guessed from a path of another operation: %s',
    (path) => {
      expect(() => parametersOf(named('GET /v1/dns/{zone_name}'), path)).toThrow(
        'not of this operation',
      )
    },
  )
})
