// "May they?": asks the policy of the consumer, by the request line, or by the body where that decides.

import { bodyActs } from '../opusdns/acts.ts'
import type { Denied, Found, Undecided } from '../policy/decision.ts'
import { judged } from '../policy/judged.ts'
import type { Consumer } from './consumer.ts'
import type { Exchange } from './exchange.ts'
import type { RequestHead } from './request-head.ts'
import type { Verdict } from './verdict.ts'

/** The two moments at which a request may be refused. Both throw a Fault of source `policy`. */
export interface Permission {
  /** By the request line, and what was `found` of what it names by an id; else says what decides. */
  byLine(exchange: Exchange, consumer: Consumer, found?: Found): 'decided' | Undecided
  /** By the whole request; `body` is what will be forwarded. */
  byBody(exchange: Exchange, consumer: Consumer, head: RequestHead, body: Buffer): void
  /** In place of `byBody` in report mode, of a body that is too large to be held, and passes unread. */
  unread(exchange: Exchange, consumer: Consumer): void
  /**
   * Notes what the body would do, where `byLine` has decided: for the audit, and for what a trial tells.
   * Throws nothing.
   */
  watch(exchange: Exchange, head: RequestHead, body: Buffer): void
}

/** The decision on a body that is too large to be held, where it passes all the same. */
export const UNREAD: Denied = {
  kind: 'denied',
  code: 'not_granted',
  missing: 'The body is larger than what can be judged: see limits.judged_body_size.',
  acts: [],
}

/** Builds the gate. */
export function permission(note: Verdict): Permission {
  return {
    byLine(exchange, consumer, found) {
      const { path, request, operation } = exchange
      const decision = consumer.policy.decide(request.method ?? '', path, operation, found)
      if (decision.kind === 'body' || decision.kind === 'name') return decision
      note(exchange, consumer, decision)
      return 'decided'
    },
    byBody(exchange, consumer, head, body) {
      const { operation, path, request } = exchange
      const asked = { method: request.method ?? '', path, operation }
      const { decision, fault } = judged(consumer.policy, asked, head, body)
      note(exchange, consumer, decision, fault)
    },
    unread: (exchange, consumer) => note(exchange, consumer, UNREAD),
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
