// The one way in which a journey waits: for a credential, or until a purchase was written down.

import type { Exchange } from './exchange.ts'
import { refuse } from './refusal.ts'

/**
 * Calls `go` when `wait` has resolved; at once, when it is no promise. When it rejects, or `go` throws after
 * a wait, that is answered. `drop` is called in place of `go` when there is nothing to go on with: then,
 * and when the exchange is over before.
 */
export function after(exchange: Exchange, wait: unknown, go: () => void, drop?: () => void): void {
  if (!(wait instanceof Promise)) {
    go()
    return
  }
  wait
    .then(() => {
      if (exchange.settled) drop?.()
      else go()
    })
    .catch((error: unknown) => {
      drop?.()
      if (!exchange.settled) refuse(exchange, error)
    })
}
