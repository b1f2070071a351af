// Writes an exchange into the audit log: before it goes upstream, if it must not happen unrecorded, and
// at its end, on every path.

import { hash } from 'node:crypto'

import { Fault } from '../base/fault.ts'
import type { AuditEntry, AuditLog } from '../observe/audit.ts'
import type { AuditDecision } from '../observe/audit-record.ts'
import type { Act } from '../opusdns/act.ts'
import type { Operation } from '../opusdns/operations.ts'
import { writtenAct } from '../policy/written-act.ts'
import type { Exchange } from './exchange.ts'

/** nginx's code for a client that left before it was answered. */
const CLIENT_GONE = 499

/** The trail of all exchanges. */
export interface AuditTrail {
  /** Has the end of an exchange recorded, whatever becomes of it. Call it when it begins. */
  follow(exchange: Exchange): void
  /**
   * Records what is about to be forwarded; `judged` are the bytes that the decision rests on. Throws a
   * Fault `audit_unavailable` when the record cannot be written and the request may not go without.
   */
  ahead(exchange: Exchange, judged: Buffer | undefined): void
}

/** Builds the trail. */
export function auditTrail(audit: Pick<AuditLog, 'open'>): AuditTrail {
  const entries = new WeakMap<Exchange, AuditEntry>()

  function close(exchange: Exchange): void {
    const { response, source, fault, upstreamId, attempts } = exchange
    const entry = entries.get(exchange) ?? audit.open(decisionOf(exchange, undefined))
    entry.close({
      status: response.headersSent ? response.statusCode : CLIENT_GONE,
      source,
      code: fault?.code,
      upstreamId,
      attempts,
      complete: response.writableFinished,
    })
  }

  return {
    follow: (exchange) => exchange.atEnd(() => close(exchange)),
    ahead(exchange, judged) {
      const entry = audit.open(decisionOf(exchange, judged))
      entries.set(exchange, entry)
      if (!entry.refuse) return
      throw new Fault('audit_unavailable', {
        detail: 'The audit log cannot be written, and this operation may not happen unrecorded.',
        retryAfter: 10,
      })
    },
  }
}

function decisionOf(exchange: Exchange, judged: Buffer | undefined): AuditDecision {
  const { id, consumer, by, operation, path, request, noted, fault } = exchange
  const acts = noted?.decision.acts ?? []
  const { decision, mode } = noted ?? {}
  const refusal = mode === 'report' ? 'reported' : 'deny'
  // What nobody decided is refused for another reason, or answered here (a local token).
  const denied = decision === undefined ? fault !== undefined : decision.kind === 'denied'
  return {
    id,
    consumer,
    by,
    method: request.method ?? '',
    operation: operation.template,
    classes: union(operation.classes, acts, ({ operation: { classes } }) => classes),
    path,
    zones: union([], acts, ({ zone }) => (zone === undefined ? [] : [zone])),
    names: union([], acts, namesOf),
    changes: changesOf(acts, operation),
    dryRun: exchange.dryRun,
    decision: denied ? refusal : 'allow',
    grant:
      decision === undefined || decision.kind === 'denied' ? undefined : decision.grants.join('; '),
    reason: decision?.kind === 'denied' ? decision.code : fault?.code,
    bodySha256: judged === undefined ? undefined : hash('sha256', judged, 'hex'),
  }
}

/** As many are told as the record lists, and one more, so that it says that there are more. */
const TOLD = 101

function changesOf(acts: readonly Act[], asked: Operation): readonly string[] {
  const first = acts[0]
  // The usual case costs nothing.
  if (first === undefined || (acts.length === 1 && first.operation === asked && !first.change)) {
    return []
  }
  const changes = new Set<string>()
  for (const act of acts) {
    const change = writtenAct(act, asked)
    if (change !== undefined) changes.add(change)
    if (changes.size === TOLD) break
  }
  return [...changes]
}

function namesOf({ change, domain, host }: Act): readonly string[] {
  const names = change === undefined || change.names === 'every' ? [] : change.names
  return [
    ...names,
    ...(domain === undefined ? [] : [domain]),
    ...(host === undefined ? [] : [host]),
  ]
}

function union(
  first: readonly string[],
  acts: readonly Act[],
  of: (act: Act) => readonly string[],
): readonly string[] {
  // The usual case costs nothing.
  if (acts.length === 0) return first
  const all = new Set(first)
  for (const act of acts) for (const one of of(act)) all.add(one)
  return [...all]
}
