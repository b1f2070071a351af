// What `learn` takes from one record of the audit log: a request and all that it did.

import { isName } from '../consumers/name-options.ts'
import { actOf } from '../opusdns/act.ts'
import type { Act } from '../opusdns/act.ts'
import { needsBody, pathActs } from '../opusdns/acts.ts'
import { namedById, withName } from '../opusdns/named-by-id.ts'
import { operationNamed } from '../opusdns/operation-named.ts'
import { hasDryRun } from '../opusdns/zone-write.ts'
import { grantedOperationOf } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import { isForward } from '../policy/forward-grant.ts'
import { readAct } from '../policy/written-act.ts'
import { dnsVerbOf } from '../policy/zone-grant.ts'

/** A decision of the log. */
export interface LearntRecord {
  readonly consumer: string
  readonly decision: 'allow' | 'deny' | 'reported'
  readonly method: string
  readonly path: string
  readonly operation: Operation
  readonly acts: readonly Act[]
  /** Why there is nothing to be learnt from it, though it was not denied; `undefined` where there is. */
  readonly useless: Useless | undefined
  /** Where less, or more, is learnt than the request did. */
  readonly notes: readonly string[]
  /** UTC, as in the log. */
  readonly time: string
}

/**
 * `in_vain`: a look-up of what is no zone, or none that the consumer may see. `refused`: answered 4xx, so
 * that nothing came of it, and nobody knows what was meant. `unread`: no grant that depends on the body
 * would let it pass.
 */
export type Useless = 'in_vain' | 'refused' | 'unread'

const READ_ZONE = operationNamed('GET /v1/dns/{zone_name}')
const CREATE_ZONE = operationNamed('POST /v1/dns')
const TAG = operationNamed('POST /v1/tags/objects')
const LOGIN = operationNamed('POST /v1/auth/token')
/** Longer paths are cut in the log. */
const CUT = '…'
/** No answer: the client left before it. */
const CLIENT_GONE = 499
const MORE = 'more than 100 changes: granted for all records of the zone'
const MORE_IN_JOB = 'more than 100 changes in one job: only the first 100 are learnt'
const UNKNOWN = 'a change that is cut, or not understood: not learnt'

/** The decision that `record` is; `undefined` for all other records, and for what is answered here. */
export function learntRecord(record: Readonly<Record<string, unknown>>): LearntRecord | undefined {
  const { event, consumer, decision, method, path, time } = record
  if (event !== 'decision' || typeof consumer !== 'string' || !isName(consumer)) return undefined
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'reported') return undefined
  if (typeof method !== 'string' || typeof path !== 'string') return undefined
  if (path.endsWith(CUT) || !path.startsWith('/v1/')) return undefined
  const operation = grantedOperationOf(method, path)
  if (operation === LOGIN) return undefined
  const useless = uselessness(record, operation)
  const base: Omit<LearntRecord, 'acts' | 'notes'> = {
    consumer,
    decision,
    method,
    path,
    operation,
    useless,
    time: String(time),
  }
  try {
    return { ...base, ...actsIn(record, operation, path) }
  } catch {
    // A path that no proxy judged.
    return undefined
  }
}

function uselessness(
  record: Readonly<Record<string, unknown>>,
  operation: Operation,
): Useless | undefined {
  const { status, decision } = record
  if (operation === READ_ZONE && status === 404) return 'in_vain'
  const read = isRead(record, operation)
  if (typeof status === 'number' && status >= 400 && status < CLIENT_GONE) {
    // What there is not may be asked for again; and what a body said is known, whatever came of it.
    const meant = read && (needsBody(operation) || status === 404)
    return meant ? undefined : 'refused'
  }
  return !read && decision === 'reported' ? 'unread' : undefined
}

/** False where the record would say more if the body had been judged. */
function isRead(record: Readonly<Record<string, unknown>>, operation: Operation): boolean {
  if (!needsBody(operation) || operation === TAG) return true
  if (operation === CREATE_ZONE) return textsIn(record['zones']).length > 0
  if (dnsVerbOf(operation) === undefined && !isBatch(operation)) return true
  return textsIn(record['changes']).length > 0
}

function actsIn(
  record: Readonly<Record<string, unknown>>,
  operation: Operation,
  path: string,
): Pick<LearntRecord, 'acts' | 'notes'> {
  const reading = namedById(operation, path)
  const [name] = textsIn(record['names'])
  const byLine = pathActs(operation, path)
  const ofPath =
    reading === undefined || name === undefined
      ? byLine
      : byLine.map((act) => withName(act, reading, name))
  const zones = textsIn(record['zones'])
  const zone = ofPath[0]?.zone ?? zones[0]
  const acts: Act[] = []
  const notes: string[] = []
  const changes = textsIn(record['changes'])
  for (const text of changes) {
    const act = readAct(text, zone)
    if (act === undefined) notes.push(UNKNOWN)
    else acts.push(act)
  }
  const more = record['changes_count'] !== undefined
  if (isBatch(operation)) {
    if (more) notes.push(MORE_IN_JOB)
    return { acts, notes }
  }
  // The host stands in the body.
  const hosts = isForward(operation) && needsBody(operation) ? textsIn(record['names']) : []
  const purchase = ofPath[0]?.purchase
  if (hosts.length > 0) acts.push(...hosts.map((host) => actOf(operation, { host, purchase })))
  else if (operation === CREATE_ZONE) acts.push(actOf(operation, { zone, purchase }))
  else if (operation === TAG) acts.push(...zones.map((one) => actOf(operation, { zone: one })))
  else if (changes.length === 0) acts.push(...ofPath)
  if (more) {
    notes.push(MORE)
    const all = { names: 'every', type: 'every' } as const
    acts.push(
      actOf(operation, { zone, change: { verb: 'upsert', ...all } }),
      actOf(operation, { zone, change: { verb: 'remove', ...all } }),
    )
  }
  if (record['dry_run'] === true && hasDryRun(operation)) acts.push(actOf(READ_ZONE, { zone }))
  return { acts, notes }
}

function isBatch({ bulk, method }: Operation): boolean {
  return bulk && method === 'POST'
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
