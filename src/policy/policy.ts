// The grants of one consumer, and the decision on its requests: denied, unless every act of a request
// is covered by some grant.

import type { Act } from '../opusdns/act.ts'
import { needsBody, pathActs } from '../opusdns/acts.ts'
import { namedListMember } from '../opusdns/lists.ts'
import { namedById, withName } from '../opusdns/named-by-id.ts'
import { OPERATIONS, UNKNOWN_OPERATION } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import type { Decision, Denied, Found, Undecided } from './decision.ts'
import type { GrantSettings } from './grant-options.ts'
import type { Grant } from './grant.ts'
import { grantOf } from './grants.ts'

/** What one consumer may do. Pure: the same question has the same answer. */
export interface Policy {
  /**
   * The decision by the request line: `method` and canonical `path`. `body` where what is asked for
   * depends on what the body says; then `judge` decides. `name` where it depends on the name of what the
   * path has an id of; then it is to be asked again with what was `found`.
   */
  decide(method: string, path: string, operation: Operation, found?: Found): Decision | Undecided
  /** The decision by everything that the request would do. */
  judge(method: string, path: string, operation: Operation, acts: readonly Act[]): Decision
  /** Whether replies show transfer codes and other secrets; else they are masked there. */
  readonly reveals: boolean
}

const ZONE_OPERATIONS: ReadonlySet<Operation> = new Set(
  OPERATIONS.filter(({ template }) => template.startsWith('/v1/dns/{zone_name}')),
)

/** What the grants say of one operation. */
interface Entry {
  /** A grant that covers it whatever it does. */
  readonly whole: Grant | undefined
  readonly part: readonly Grant[]
}

/** Compiles the grants of a consumer. */
export function policy(settings: readonly GrantSettings[]): Policy {
  const grants = settings.map(grantOf)
  const byPath = settings.some(({ kind }) => kind === 'path') ? grants : []
  const entries = new Map([...OPERATIONS, UNKNOWN_OPERATION].map((one) => [one, entryOf(one)]))

  function entryOf(operation: Operation): Entry {
    return {
      whole: grants.find((grant) => grant.reach(operation) === 'whole'),
      part: grants.filter((grant) => grant.reach(operation) === 'part'),
    }
  }
  function entry(operation: Operation): Entry {
    return entries.get(operation) ?? entryOf(operation)
  }
  function wholeGrant(method: string, path: string, operation: Operation): Grant | undefined {
    return entry(operation).whole ?? byPath.find((grant) => grant.matches(method, path))
  }

  // Who may do something to every zone knows them all.
  const everyZone = [...ZONE_OPERATIONS].some((one) => entry(one).whole !== undefined)
  function isKnown(zone: string): boolean {
    return (
      everyZone ||
      grants.some((grant) => grant.knows(zone)) ||
      byPath.some((grant) => grant.matches('GET', `/v1/dns/${zone}`))
    )
  }

  /** Whether an act is about a zone that the consumer is not to know of. */
  function isForeign(act: Act | undefined): boolean {
    return act?.zone !== undefined && !isKnown(act.zone)
  }

  function decide(
    method: string,
    path: string,
    operation: Operation,
    found?: Found,
  ): Decision | Undecided {
    const whole = wholeGrant(method, path, operation)
    if (whole !== undefined) {
      // What it costs may stand in the body.
      if (operation.billable && needsBody(operation)) return { kind: 'body' }
      return { kind: 'allowed', grants: [whole.text], acts: pathActs(operation, path) }
    }
    const { part } = entry(operation)
    if (part.length === 0) return denied(operation, path, [])
    if (namedListMember(operation) !== undefined) {
      // The length of the whole list is nothing to be shown.
      if (method === 'HEAD') return denied(operation, path, [])
      return {
        kind: 'filtered',
        grants: part.map(({ text }) => text),
        acts: [],
        sees: (name) => part.some((grant) => grant.sees(operation, name)),
      }
    }
    const acts = pathActs(operation, path)
    if (!needsBody(operation)) {
      const verdict = judge(method, path, operation, acts)
      const reading = verdict.kind === 'denied' ? namedById(operation, path) : undefined
      if (reading === undefined) return verdict
      if (found === undefined) return { kind: 'name', reading }
      const { name } = found
      const named = name === undefined ? acts : acts.map((one) => withName(one, reading, name))
      const decision = judge(method, path, operation, named)
      if (decision.kind !== 'denied') return decision
      // What is not there and what is another's look alike.
      return { ...decision, code: 'not_visible', missing: missingText(acts[0], operation) }
    }
    // A zone that no grant knows need not be read about.
    for (const act of acts) {
      const { zone } = act
      if (zone !== undefined && !part.some((grant) => grant.knows(zone))) {
        return denied(operation, path, acts, act)
      }
    }
    return { kind: 'body' }
  }

  function judge(
    method: string,
    path: string,
    operation: Operation,
    acts: readonly Act[],
  ): Decision {
    const whole = wholeGrant(method, path, operation)
    if (whole !== undefined) return { kind: 'allowed', grants: [whole.text], acts }
    const used = new Set<string>()
    // Who may do a thing may not yet do it in a batch.
    const able = operation.bulk ? entry(operation).part : grants
    for (const act of acts) {
      const grant = able.find((one) => one.covers(act))
      if (grant === undefined) return denied(operation, path, acts, act)
      used.add(grant.text)
    }
    // Nothing that could be judged is nothing that was granted.
    if (acts.length === 0) return denied(operation, path, acts)
    return { kind: 'allowed', grants: [...used], acts }
  }

  function denied(operation: Operation, path: string, acts: readonly Act[], act?: Act): Denied {
    const hidden =
      (operation.method === 'GET' && entry(operation).part.length > 0) ||
      // The path names the zone; whether it is there makes no difference.
      (ZONE_OPERATIONS.has(operation) && isForeign(acts[0] ?? pathActs(operation, path)[0]))
    const code = hidden ? 'not_visible' : 'not_granted'
    const told = acts.length > 0 ? acts : pathActs(operation, path)
    return { kind: 'denied', code, missing: missingText(act, operation), acts: told }
  }

  const reveals = settings.some((one) => one.kind === 'class' && one.classes.includes('credential'))
  return { decide, judge, reveals }
}

const KEYED =
  'No grant covers POST /v1/jobs as a whole, which an idempotency_key needs, for a key that was used before is ' +
  'answered with the job of whoever used it. Leave idempotency_key out.'

/** What nobody granted, in the API's own terms. Names only what the client itself sent. */
function missingText(act: Act | undefined, operation: Operation): string {
  if (act?.operation.bulk) return KEYED
  const { method, template } = act?.operation ?? operation
  const parts = [
    method === '*' ? 'this path, which is no known operation' : `${method} ${template}`,
  ]
  const { zone, domain, host, change } = act ?? {}
  if (zone !== undefined) parts.push(`zone ${zone}`)
  if (domain !== undefined) parts.push(`domain ${domain}`)
  if (host !== undefined) parts.push(`host ${host}`)
  if (change !== undefined) {
    const names = change.names === 'every' ? 'every name' : change.names.join(' or ')
    parts.push(`${change.verb} ${change.type} at ${names}`)
  }
  return `No grant covers ${parts.join(', ')}.`
}
