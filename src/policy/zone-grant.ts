// Grants about zones: the presets `acme` and `dns`.

import type { Act } from '../opusdns/act.ts'
import { namedListMember } from '../opusdns/lists.ts'
import { operationNamed } from '../opusdns/operation-named.ts'
import type { Operation } from '../opusdns/operations.ts'
import type { DnsVerb, GrantSettings } from './grant-options.ts'
import { NOTHING } from './grant.ts'
import type { Grant, Reach } from './grant.ts'
import { isIn, nameMatcher, namePattern } from './name-pattern.ts'
import type { NameMatcher } from './name-pattern.ts'
import { zoneMatcher } from './zone-pattern.ts'

const ZONE = '/v1/dns/{zone_name}'

/** What an operation does to a zone; `change` is an upsert or a removal, as the body says. */
const VERBS: ReadonlyMap<Operation, DnsVerb | 'change'> = new Map(
  (
    [
      ['GET /v1/dns', 'read'],
      [`GET ${ZONE}`, 'read'],
      ['GET /v1/dns/domain-forwards', 'read'],
      ['GET /v1/dns/email-forwards', 'read'],
      [`GET ${ZONE}/domain-forwards`, 'read'],
      [`GET ${ZONE}/email-forwards`, 'read'],
      [`PATCH ${ZONE}/records`, 'change'],
      [`PATCH ${ZONE}/rrsets`, 'change'],
      [`PUT ${ZONE}/rrsets`, 'replace'],
      ['POST /v1/dns', 'create'],
      [`DELETE ${ZONE}`, 'delete'],
      [`POST ${ZONE}/dnssec/enable`, 'dnssec'],
      [`POST ${ZONE}/dnssec/disable`, 'dnssec'],
      [`PATCH ${ZONE}/vanity-set`, 'vanity'],
      ['POST /v1/tags/objects', 'tag'],
    ] as const
  ).map(([name, verb]) => [operationNamed(name), verb]),
)

/**
 * Certbot, acme.sh, lego and cert-manager (opusdns/API.md section 4) read, and write by PATCH records
 * alone. PATCH rrsets is what older Go clients send (UpsertTXTRecord).
 */
const ACME: ReadonlySet<Operation> = new Set(
  ['GET /v1/dns', `GET ${ZONE}`, `PATCH ${ZONE}/records`, `PATCH ${ZONE}/rrsets`].map(
    operationNamed,
  ),
)

const JOBS = operationNamed('POST /v1/jobs')
const SUMMARY = operationNamed('GET /v1/dns/summary')

/** What an operation does to a zone, in the words of `dns` grants; `undefined` for all others. */
export function dnsVerbOf(operation: Operation): DnsVerb | 'change' | undefined {
  return VERBS.get(operation)
}

/** The label that `acme` grants are about. */
export const ACME_LABEL = '_acme-challenge'

const LABELLED = /(?:^|\.)_acme-challenge(?:\.|$)/

/** Whether an `acme` grant is about the operation, in its zones. */
export function isOfAcme(operation: Operation): boolean {
  return ACME.has(operation)
}

/** The grant `acme: [zones]`: TXT records at full names with `_acme-challenge`, and what leads there. */
export function acmeGrant(text: string, zones: readonly string[]): Grant {
  return zoneGrant(text, {
    zones,
    verbs: new Set(['read', 'upsert', 'remove']),
    operations: ACME,
    // The label may be one of the zone: to such a zone challenges are delegated, and clients write its `@`.
    named: (name) => LABELLED.test(name),
    types: new Set(['TXT']),
  })
}

/** The grant `dns: {…}`. */
export function dnsGrant(text: string, settings: Extract<GrantSettings, { kind: 'dns' }>): Grant {
  const { zones, names, types, verbs } = settings
  return zoneGrant(text, {
    zones,
    verbs: new Set(verbs),
    operations: undefined,
    named: names && nameMatcher(names.flatMap((name) => [namePattern(name) ?? [name]])),
    types: types && new Set(types),
  })
}

interface ZoneScope {
  readonly zones: readonly string[]
  readonly verbs: ReadonlySet<DnsVerb>
  /** Only these, where not all that the verbs allow. */
  readonly operations: ReadonlySet<Operation> | undefined
  /** Names of records; all when left out. */
  readonly named: NameMatcher | undefined
  readonly types: ReadonlySet<string> | undefined
}

function zoneGrant(text: string, scope: ZoneScope): Grant {
  const { verbs, operations, named, types } = scope
  const within = zoneMatcher(scope.zones)
  const everywhere = scope.zones.includes('*')
  const everything = named === undefined && types === undefined
  const changes = verbs.has('upsert') || verbs.has('remove')
  const writes = [...verbs].some((verb) => verb !== 'read')

  function verbOf(operation: Operation): DnsVerb | 'change' | undefined {
    return operations?.has(operation) === false ? undefined : VERBS.get(operation)
  }
  function reach(operation: Operation): Reach {
    if (operation === JOBS && operations === undefined && writes) return 'part'
    if (operation === SUMMARY && everywhere && verbs.has('read')) return 'whole'
    const verb = verbOf(operation)
    if (verb === undefined || !(verb === 'change' ? changes : verbs.has(verb))) return 'none'
    // What is tagged may be no zone.
    if (!everywhere || verb === 'tag') return 'part'
    if (verb === 'change') {
      return everything && verbs.has('upsert') && verbs.has('remove') ? 'whole' : 'part'
    }
    return verb === 'read' || everything ? 'whole' : 'part'
  }
  function coversChange({ zone, change }: Act): boolean {
    if (change === undefined || everything) return true
    if (change.names === 'every' || change.type === 'every') return false
    if (types?.has(change.type) === false) return false
    return named === undefined || change.names.every((name) => named(name, zone ?? ''))
  }
  return {
    ...NOTHING,
    text,
    reach,
    knows: within,
    covers(act) {
      const verb = verbOf(act.operation)
      if (verb === undefined || act.zone === undefined || !within(act.zone)) return false
      const wanted = verb === 'change' ? act.change?.verb : verb
      if (wanted === undefined || !verbs.has(wanted)) return false
      return namesInside(act) && coversChange(act)
    },
    sees: (operation, name) => namedListMember(operation) !== undefined && within(name),
  }
}

/** A name outside of its zone is nothing that any grant of zones is about. */
function namesInside({ zone, change }: Act): boolean {
  if (change === undefined || change.names === 'every') return true
  return change.names.every((name) => isIn(name, zone ?? ''))
}
