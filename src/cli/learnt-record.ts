// What `learn` takes from one record of the audit log: a request and all that it did.

import { isName } from '../consumers/name-options.ts'
import { actOf } from '../opusdns/act.ts'
import type { Act } from '../opusdns/act.ts'
import { needsBody, pathActs } from '../opusdns/acts.ts'
import { operationNamed } from '../opusdns/operation-named.ts'
import { grantedOperationOf } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import { isForward } from '../policy/forward-grant.ts'
import { readAct } from '../policy/written-act.ts'

/** A decision of the log. */
export interface LearntRecord {
  readonly consumer: string
  readonly decision: 'allow' | 'deny' | 'reported'
  readonly method: string
  readonly path: string
  readonly operation: Operation
  readonly acts: readonly Act[]
  /** True for a look-up of what is no zone, or none that the consumer may see. */
  readonly inVain: boolean
  /** UTC, as in the log. */
  readonly time: string
}

const READ_ZONE = operationNamed('GET /v1/dns/{zone_name}')
const CREATE_ZONE = operationNamed('POST /v1/dns')
const TAG = operationNamed('POST /v1/tags/objects')
const LOGIN = operationNamed('POST /v1/auth/token')
/** Longer paths are cut in the log. */
const CUT = '…'

/** The decision that `record` is; `undefined` for all other records, and for what is answered here. */
export function learntRecord(record: Readonly<Record<string, unknown>>): LearntRecord | undefined {
  const { event, consumer, decision, method, path, time, status } = record
  if (event !== 'decision' || typeof consumer !== 'string' || !isName(consumer)) return undefined
  if (decision !== 'allow' && decision !== 'deny' && decision !== 'reported') return undefined
  if (typeof method !== 'string' || typeof path !== 'string') return undefined
  if (path.endsWith(CUT) || !path.startsWith('/v1/')) return undefined
  const operation = grantedOperationOf(method, path)
  if (operation === LOGIN) return undefined
  const inVain = operation === READ_ZONE && status === 404
  const base: Omit<LearntRecord, 'acts' | 'time'> = {
    consumer,
    decision,
    method,
    path,
    operation,
    inVain,
  }
  try {
    return { ...base, acts: actsIn(record, operation, path), time: String(time) }
  } catch {
    // A path that no proxy judged.
    return undefined
  }
}

function actsIn(
  record: Readonly<Record<string, unknown>>,
  operation: Operation,
  path: string,
): readonly Act[] {
  const ofPath = pathActs(operation, path)
  const zones = textsIn(record['zones'])
  const zone = ofPath[0]?.zone ?? zones[0]
  const acts: Act[] = []
  for (const text of textsIn(record['changes'])) {
    const act = readAct(text, zone)
    // Cut, or from another version.
    if (act === undefined) return ofPath
    acts.push(act)
  }
  // The host stands in the body.
  const hosts = isForward(operation) && needsBody(operation) ? textsIn(record['names']) : []
  const purchase = ofPath[0]?.purchase
  if (hosts.length > 0) acts.push(...hosts.map((host) => actOf(operation, { host, purchase })))
  else if (operation === CREATE_ZONE) acts.push(actOf(operation, { zone, purchase }))
  else if (operation === TAG) acts.push(...zones.map((one) => actOf(operation, { zone: one })))
  else if (operation.bulk && operation.method === 'POST') return acts
  else if (acts.length === 0 || record['changes_count'] !== undefined) acts.push(...ofPath)
  if (record['dry_run'] === true && needsBody(operation)) acts.push(actOf(READ_ZONE, { zone }))
  return acts
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
