// Notes what was decided about a request, and carries it out: what is denied is refused; in report mode
// it is only told. The one place that does, whoever decided.

import { Fault } from '../base/fault.ts'
import type { Log } from '../observe/log.ts'
import type { Decision, Denied } from '../policy/decision.ts'
import type { Consumer } from './consumer.ts'
import type { Exchange } from './exchange.ts'

/**
 * Notes `decision`, the last of which is counted and recorded when the exchange ends. Throws where it
 * denies and the consumer is not in report mode: `fault`, or else one that says what is missing.
 */
export type Verdict = (
  exchange: Exchange,
  consumer: Consumer,
  decision: Decision,
  fault?: Fault,
) => void

/** Builds it. */
export function verdict({ log }: { readonly log: Log }): Verdict {
  return function note(exchange, { name, mode }, decision, fault) {
    exchange.noted = { decision, mode }
    if (decision.kind !== 'denied') return
    if (mode === 'enforce')
      throw fault ?? new Fault(decision.code, { detail: told(decision, name) })
    log.info(
      {
        id: exchange.id,
        consumer: exchange.consumer,
        operation: `${exchange.operation.method} ${exchange.operation.template}`,
        missing: decision.missing,
      },
      'would be denied',
    )
  }
}

/** Clients that print the message alone would let their users look for the fault at OpusDNS. */
function told({ missing }: Denied, consumer: string): string {
  return `${missing} (opusdns-auth-proxy, consumer ${consumer}; its command explain says more.)`
}
