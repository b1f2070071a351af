// An exchange between two errands to OpusDNS, or before the first: it may end here too.

import type { Exchange } from './exchange.ts'
import { refuse } from './refusal.ts'

/** Has `exchange`, of which OpusDNS is asked nothing now, end well: `before` is called, then it is answered. */
export function rest(exchange: Exchange, before?: () => void): void {
  exchange.onAbandoned = before
  exchange.onExpired = (fault) => {
    before?.()
    if (!exchange.settled) refuse(exchange, fault)
  }
}
