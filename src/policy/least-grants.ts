// The least grants that let certain requests pass, in the notation of the file. Never more than grants
// can say: what no narrow grant exists for becomes a note.

import type { Act } from '../opusdns/act.ts'
import { namedListMember } from '../opusdns/lists.ts'
import { namedById } from '../opusdns/named-by-id.ts'
import { UNKNOWN_OPERATION } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import type { DnsVerb } from './grant-options.ts'
import { byKey } from './by-key.ts'
import { isForward } from './forward-grant.ts'
import { isDomainReading } from './grants.ts'
import { labelsIn, namePattern } from './name-pattern.ts'
import { pathPattern } from './path-pattern.ts'
import { yamlList } from './yaml-list.ts'
import { dnsVerbOf, isOfAcme } from './zone-grant.ts'
import { scopesOf } from './zone-needs.ts'
import type { ZoneNeeds } from './zone-needs.ts'
import { zonePattern } from './zone-pattern.ts'

/** Gathers what must pass. Holds what grants tell apart, and no more than `MOST` of it. */
export interface LeastGrants {
  /** One request: what it asks for and all that it does (see `acts.ts`). */
  add(method: string, path: string, operation: Operation, acts: readonly Act[]): void
  /** The grants, each the text of one YAML list item, in a fixed order. */
  grants(): readonly string[]
  /** What cannot be granted narrowly, or is granted more widely than it was seen; with counts. */
  notes(): ReadonlyMap<string, number>
}

const MOST = 20_000

const BUYS = 'what is a purchase, or may be one: the consumer needs a budget besides'
const MAY_COST =
  'what may cost something: the consumer needs a budget besides, or unpriced lists it'
const KEYED = 'a job with an idempotency_key, which only a grant for all of POST /v1/jobs covers'
const BY_ID =
  'an email forward by its id, of which no name is known: granted for those of all hosts'
const ALL = 'a body that was not judged: granted for all records of the zone'

/** An empty gathering. */
export function leastGrants(): LeastGrants {
  const zones = new Map<string, ZoneNeeds>()
  const lists = new Set<string>()
  const operations = new Set<string>()
  const domains = new Set<string>()
  const forwards = new Set<string>()
  const paths = new Set<string>()
  const notes = new Map<string, number>()
  let jobs = false
  let size = 0

  const note = (text: string) => void notes.set(text, (notes.get(text) ?? 0) + 1)

  function grow(): boolean {
    size += 1
    if (size <= MOST) return true
    note(`beyond the first ${MOST} names, which are all that is learnt at once`)
    return false
  }
  function put(set: Set<string>, value: string): void {
    if (!set.has(value) && grow()) set.add(value)
  }
  /** An operation grant would be one for all zones. */
  function nameless(): undefined {
    note('a zone that no grant can name')
    return undefined
  }
  function needsOf(zone: string): ZoneNeeds | undefined {
    const known = zones.get(zone)
    if (known !== undefined) return known
    if (!isName(zone) || !grow()) {
      return nameless()
    }
    const needs = {
      reads: false,
      readsMore: false,
      whole: new Set<DnsVerb>(),
      bare: new Set<DnsVerb>(),
      records: new Map(),
    }
    zones.set(zone, needs)
    return needs
  }
  function addRecords(needs: ZoneNeeds, zone: string, verb: DnsVerb, act: Act): void {
    const { change } = act
    if (change === undefined || change.names === 'every' || change.type === 'every') {
      needs.whole.add(verb)
      return
    }
    for (const name of change.names) {
      const labels = labelsIn(name, zone)
      // Only any number of labels is as much as a record at a label `*`.
      const written = labels?.map((label) => (label === '*' ? '**' : label))
      const relative = written === undefined ? undefined : written.join('.') || '@'
      if (relative === undefined || namePattern(relative) === undefined) {
        note(`${change.verb} ${change.type} at a name that no grant of ${zone} can name`)
        continue
      }
      if (relative.includes('*'))
        note(`${relative} in names is a pattern: ** stands for any labels`)
      const types = needs.records.get(relative) ?? new Map<string, Set<DnsVerb>>()
      const verbs = types.get(change.type) ?? new Set<DnsVerb>()
      if (!verbs.has(verb) && !grow()) return
      needs.records.set(relative, types.set(change.type, verbs.add(verb)))
    }
  }
  /** False when it is no act on a zone. */
  function addZoneAct(act: Act): boolean {
    const verb = dnsVerbOf(act.operation)
    // Not only zones have tags.
    if (verb === undefined || (verb === 'tag' && act.zone === undefined)) return false
    const needs = act.zone === undefined ? nameless() : needsOf(act.zone)
    if (needs === undefined || act.zone === undefined) return true
    if (verb === 'read') {
      needs.reads = true
      needs.readsMore ||= !isOfAcme(act.operation)
    } else if (verb === 'change') {
      if (act.change === undefined) {
        needs.whole.add('upsert').add('remove')
        note(ALL)
      } else addRecords(needs, act.zone, act.change.verb, act)
    } else if (act.change === undefined && verb !== 'replace') needs.bare.add(verb)
    else addRecords(needs, act.zone, verb, act)
    return true
  }
  /** False when it is about no forward of a host that a grant can name. */
  function addForward({ operation, host }: Act): boolean {
    if (!isForward(operation) || host === undefined || !isName(host)) return false
    put(forwards, host)
    return true
  }
  function addOther(operation: Operation, { domain }: Partial<Act>): void {
    const { method, template } = operation
    const named = isDomainReading(operation) ? domain : undefined
    if (named !== undefined && isName(named)) put(domains, named)
    else put(operations, `${method} ${template}`)
  }

  /** Lists show what can be read; without that, a list is an operation like others. */
  function settleLists(): void {
    const seen = new Map<string, ReadonlySet<string>>([
      ['GET /v1/domains', domains],
      ['GET /v1/domain-forwards', forwards],
      ['GET /v1/email-forwards', forwards],
    ])
    const readable = zones.size > 0
    for (const list of lists) {
      const names = seen.get(list)
      const covered = names === undefined ? readable : names.size > 0
      if (!covered) put(operations, list)
      else if (names === undefined) {
        for (const needs of zones.values()) {
          needs.reads = true
          needs.readsMore ||= list !== 'GET /v1/dns'
        }
      }
    }
  }

  return {
    add(method, path, operation, acts) {
      if (acts.some(({ purchase }) => purchase !== undefined && !purchase.perhaps)) note(BUYS)
      else if (acts.some(({ purchase }) => purchase?.perhaps)) note(MAY_COST)
      if (operation === UNKNOWN_OPERATION) {
        const pattern = `${method === 'HEAD' ? 'GET' : method} ${path}`
        // An asterisk is a legal sign in a path, but no pattern was seen.
        if (path.includes('*') || pathPattern(pattern) === undefined)
          note('a path that no grant can name')
        else put(paths, pattern)
      } else if (namedListMember(operation) !== undefined) {
        put(method === 'HEAD' ? operations : lists, `${operation.method} ${operation.template}`)
      } else if (operation.bulk && operation.method === 'POST') {
        jobs = true
        if (acts.length === 0)
          note(`${operation.method} ${operation.template}, whose commands are unknown`)
        for (const act of acts) {
          if (act.operation === operation && act.purchase === undefined) note(KEYED)
          else if (!addZoneAct(act) && !addForward(act)) note(wideOnly(act.operation))
        }
      } else {
        const others = acts.filter((act) => !addZoneAct(act) && !addForward(act))
        if (others.length > 0 || acts.length === 0) {
          if (isForward(operation) && namedById(operation, path) !== undefined) note(BY_ID)
          addOther(operation, others[0] ?? {})
        }
      }
    },
    grants() {
      settleLists()
      const acme: string[] = []
      const bodies = new Map<string, string[]>()
      for (const [zone, needs] of [...zones].toSorted(byKey)) {
        const scopes = scopesOf(zone, needs, !jobs)
        if (scopes.acme) acme.push(zone)
        for (const body of scopes.dns) bodies.set(body, [...(bodies.get(body) ?? []), zone])
      }
      return [
        ...(acme.length > 0 ? [`acme: ${yamlList(acme)}`] : []),
        ...[...bodies].map(([body, of]) => `dns: { zones: ${yamlList(of)}, ${body} }`),
        ...(forwards.size > 0 ? [`forwards: ${yamlList([...forwards].toSorted())}`] : []),
        ...(domains.size > 0 ? [`domains:read: ${yamlList([...domains].toSorted())}`] : []),
        ...(operations.size > 0 ? [`operation: ${yamlList([...operations].toSorted())}`] : []),
        ...(paths.size > 0 ? [`path: ${yamlList([...paths].toSorted())}`] : []),
      ]
    },
    notes: () => notes,
  }
}

/** A grant of the operation itself opens no job: only one by class does, or one for all jobs. */
function wideOnly({ method, template, classes }: Operation): string {
  return (
    `a job that does ${method} ${template}: class: ${yamlList([...classes, 'bulk'])} would let it pass, which is wide: ` +
    'all operations and commands of these classes'
  )
}

/** Whether a grant can name the zone or domain, and no other with it. */
function isName(zone: string): boolean {
  return !zone.includes('*') && zonePattern(zone) !== undefined
}
