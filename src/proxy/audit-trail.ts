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

/** The trail of all exchanges. */
export interface AuditTrail {
  /** Has the end of an exchange recorded, whatever becomes of it. Call it when it begins. */
  follow(exchange: Exchange): void
  /**
   * Records what is about to be forwarded, or answered here. Throws a Fault `audit_unavailable` when the
   * record cannot be written and the request may not go without.
   */
  ahead(exchange: Exchange): void
}

/** Builds the trail. */
export function auditTrail(audit: Pick<AuditLog, 'open' | 'record'>): AuditTrail {
  const entries = new WeakMap<Exchange, AuditEntry>()

  function close(exchange: Exchange): void {
    const { response, status, source, fault, upstreamId, noted, streamedSha256 } = exchange
    const outcome = {
      status,
      source,
      code: fault?.code,
      upstreamId,
      // Before the decision nothing of the request itself is sent, but for what the decision takes.
      attempts: noted === undefined ? 0 : exchange.attempts,
      complete: response.writableFinished,
      bodySha256: streamedSha256,
    }
    const entry = entries.get(exchange)
    if (entry === undefined) audit.record(decisionOf(exchange, refusalOf(exchange)), outcome)
    else entry.close(outcome)
  }

  return {
    follow: (exchange) => exchange.atEnd(() => close(exchange)),
    ahead(exchange) {
      const entry = audit.open(decisionOf(exchange, undefined))
      entries.set(exchange, entry)
      if (!entry.refuse) return
      throw new Fault('audit_unavailable', {
        detail: 'The audit log cannot be written, and this operation may not happen unrecorded.',
        retryAfter: 10,
      })
    },
  }
}

/** Why an exchange that nothing was forwarded of was refused; `undefined` when it was answered here. */
function refusalOf({ fault, response, noted, source }: Exchange): string | undefined {
  if (fault !== undefined) return fault.code
  if (!response.headersSent) return 'client_gone'
  // An answer of OpusDNS to what was asked on the way to the decision.
  return noted === undefined && source === 'upstream' ? 'undecided' : undefined
}

function decisionOf(exchange: Exchange, refusal: string | undefined): AuditDecision {
  const { id, consumer, by, operation, path, request, noted, content } = exchange
  const decision = noted?.decision
  const acts = decision?.acts ?? []
  const denied = decision?.kind === 'denied' ? decision : undefined
  const passed = denied === undefined ? 'allow' : 'reported'
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
    decision: refusal === undefined ? passed : 'deny',
    grant:
      decision === undefined || decision.kind === 'denied' ? undefined : decision.grants.join('; '),
    reason: refusal ?? denied?.code,
    bodySha256: content === undefined ? undefined : hash('sha256', content, 'hex'),
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
