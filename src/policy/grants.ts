// From the grants of the file to compiled ones.

import { AUTH_CODE_SET, DOMAIN_UPDATE } from '../opusdns/domain-acts.ts'
import type { Operation } from '../opusdns/operations.ts'
import { namedListMember } from '../opusdns/lists.ts'
import type { OperationClass } from '../opusdns/operation-class.ts'
import { forwardsGrant } from './forward-grant.ts'
import type { GrantSettings } from './grant-options.ts'
import { NOTHING } from './grant.ts'
import type { Grant } from './grant.ts'
import { matchesPath, pathPattern } from './path-pattern.ts'
import { acmeGrant, dnsGrant } from './zone-grant.ts'
import { zoneMatcher } from './zone-pattern.ts'

/** Compiles one grant. */
export function grantOf(settings: GrantSettings): Grant {
  switch (settings.kind) {
    case 'read':
      return classGrant('read', ['read'])
    case 'admin':
      return adminGrant()
    case 'billing:read':
      return operationsGrant('billing:read', ({ method, template }) => {
        return method === 'GET' && BILLING.test(template)
      })
    case 'domains:read':
      return settings.domains === undefined
        ? operationsGrant('domains:read', readsDomains)
        : domainsGrant(settings.domains)
    case 'acme':
      return acmeGrant(`acme: [${settings.zones.join(', ')}]`, settings.zones)
    case 'dns':
      return dnsGrant(textOfDns(settings), settings)
    case 'forwards':
      return forwardsGrant(settings.hosts)
    case 'class':
      return classGrant(`class: [${settings.classes.join(', ')}]`, settings.classes)
    case 'operation': {
      const keys = new Set(settings.operations)
      const text = `operation: [${settings.operations.join(', ')}]`
      return operationsGrant(text, ({ method, template }) => keys.has(`${method} ${template}`))
    }
    case 'path':
      return pathGrant(settings.paths)
  }
}

const BILLING =
  /^\/v1\/organizations\/\{organization_id\}\/(?:billing|transactions|usage|pricing)(?:\/|$)/

/** All that the catalogue knows, but what reveals credentials or bodies. */
function ordinary({ classes }: Operation): boolean {
  return !classes.includes('unknown') && !classes.includes('credential')
}

/** Everything ordinary, but for what surely costs something: that is written out. */
function adminGrant(): Grant {
  return {
    ...NOTHING,
    text: 'admin',
    reach(operation) {
      if (!ordinary(operation)) return 'none'
      // Only what it does tells whether it buys.
      return operation.billable || operation.classes.includes('billable') ? 'part' : 'whole'
    },
    covers: ({ operation, purchase }) =>
      ordinary(operation) && (purchase === undefined || purchase.perhaps === true),
    knows: () => true,
  }
}

const DOMAIN_TAGS: ReadonlySet<string> = new Set(['domain', 'availability', 'domain_search', 'tld'])

function readsDomains({ classes, tag }: Operation): boolean {
  return DOMAIN_TAGS.has(tag) && classes.every((one) => one === 'read')
}

function operationsGrant(text: string, has: (operation: Operation) => boolean): Grant {
  return {
    ...NOTHING,
    text,
    reach: (operation) => (has(operation) ? 'whole' : 'none'),
    covers: ({ operation }) => has(operation),
  }
}

function classGrant(text: string, classes: readonly OperationClass[]): Grant {
  const granted = new Set<OperationClass>(classes)
  const has = (operation: Operation) => operation.classes.every((one) => granted.has(one))
  return {
    ...NOTHING,
    text,
    reach(operation) {
      // A batch is as dangerous as its commands are.
      if (operation.bulk) return granted.has('bulk') ? 'part' : 'none'
      if (!has(operation)) return 'none'
      // What it sets may be a transfer code.
      return operation === DOMAIN_UPDATE && !has(AUTH_CODE_SET) ? 'part' : 'whole'
    },
    covers: ({ operation }) => has(operation),
  }
}

const DOMAIN = /^\/v1\/domains\/\{domain_reference\}(?:\/dnssec)?$/

/** Whether a grant `domains:read` with names is about the operation on one domain. */
export function isDomainReading({ method, template }: Operation): boolean {
  return method === 'GET' && DOMAIN.test(template)
}

function domainsGrant(domains: readonly string[]): Grant {
  const within = zoneMatcher(domains)
  return {
    ...NOTHING,
    text: `domains:read: [${domains.join(', ')}]`,
    reach(operation) {
      return isDomainReading(operation) ||
        (operation.template === '/v1/domains' && namedListMember(operation) !== undefined)
        ? 'part'
        : 'none'
    },
    covers({ operation, domain }) {
      return isDomainReading(operation) && domain !== undefined && within(domain)
    },
    sees: ({ template }, name) => template === '/v1/domains' && within(name),
  }
}

function pathGrant(paths: readonly string[]): Grant {
  const patterns = paths.flatMap((text) => pathPattern(text) ?? [])
  return {
    ...NOTHING,
    text: `path: [${paths.join(', ')}]`,
    reach: () => 'none',
    matches: (method, path) => patterns.some((pattern) => matchesPath(pattern, method, path)),
  }
}

function textOfDns(settings: Extract<GrantSettings, { kind: 'dns' }>): string {
  const parts = (['zones', 'names', 'types', 'verbs'] as const).flatMap((key) => {
    const list = settings[key]
    return list === undefined ? [] : [`${key}: [${list.join(', ')}]`]
  })
  return `dns: { ${parts.join(', ')} }`
}
