// "May they?": asks the policy of the consumer, by the request line, or by the body where that decides.
// Counts and notes every decision; in report mode a refusal is only told.

import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { Fault } from '../base/fault.ts'
import { bodyActs } from '../opusdns/acts.ts'
import { grantedOperationOf } from '../opusdns/operations.ts'
import type { Decision, Undecided } from '../policy/decision.ts'
import { judged } from '../policy/judged.ts'
import type { Consumer } from './consumer.ts'
import type { Exchange } from './exchange.ts'
import type { RequestHead } from './request-head.ts'

/** See `permission`. */
export interface PermissionDeps {
  readonly log: Log
  readonly metrics: Metrics
}

/** The two moments at which a request may be refused. Both throw a Fault of source `policy`. */
export interface Permission {
  /** By the request line; `body` says that the body decides. */
  byLine(exchange: Exchange, consumer: Consumer): Decision | Undecided
  /** By the whole request; `body` is what will be forwarded. */
  byBody(exchange: Exchange, consumer: Consumer, head: RequestHead, body: Buffer): Decision
  /** Notes what the body would do, for the audit of a trial; `byLine` has decided. Throws nothing. */
  watch(exchange: Exchange, head: RequestHead, body: Buffer): void
}

/** Builds the gate. */
export function permission({ log, metrics }: PermissionDeps): Permission {
  /** Notes the decision, and refuses what is denied: with `fault`, if that was the reason. */
  function enforce(
    exchange: Exchange,
    { mode }: Consumer,
    decision: Decision,
    fault?: Fault,
  ): Decision {
    const denied = decision.kind === 'denied'
    exchange.noted = { decision, mode }
    metrics.decision(exchange.consumer, denied ? 'deny' : 'allow', mode)
    if (!denied) return decision
    if (mode === 'enforce') throw fault ?? new Fault(decision.code, { detail: decision.missing })
    log.info(
      {
        id: exchange.id,
        consumer: exchange.consumer,
        operation: `${exchange.operation.method} ${exchange.operation.template}`,
        missing: decision.missing,
      },
      'would be denied',
    )
    return decision
  }

  return {
    byLine(exchange, consumer) {
      const { path, request } = exchange
      const method = request.method ?? ''
      const decision = consumer.policy.decide(method, path, grantedOperationOf(method, path))
      return decision.kind === 'body' ? decision : enforce(exchange, consumer, decision)
    },
    byBody(exchange, consumer, head, body) {
      const { operation, path, request } = exchange
      const asked = { method: request.method ?? '', path, operation }
      const { decision, fault } = judged(consumer.policy, asked, head, body)
      return enforce(exchange, consumer, decision, fault)
    },
    watch(exchange, { contentType, contentEncoding }, body) {
      const { noted, operation, path } = exchange
      if (noted === undefined) return
      try {
        const acts = bodyActs(operation, path, body, contentType, contentEncoding)
        exchange.noted = { ...noted, decision: { ...noted.decision, acts } }
      } catch {
        // What is not understood was not to be understood.
      }
    },
  }
}
