// "With what?": the wait for a credential that can be attached.

import type { Credential } from '../credentials/credential.ts'
import type { Exchange } from './exchange.ts'
import { refuse } from './refusal.ts'

/**
 * Calls `go` when `credential` can be attached: at once, as a rule. Where it cannot be had that is
 * answered; then, and where the exchange is over before, `drop` is called instead.
 */
export function ready(
  exchange: Exchange,
  credential: Credential,
  go: () => void,
  drop?: () => void,
): void {
  const attachment = credential.obtain()
  if (!(attachment instanceof Promise)) {
    go()
    return
  }
  attachment.then(
    () => {
      if (exchange.settled) drop?.()
      else go()
    },
    (error: unknown) => {
      drop?.()
      if (!exchange.settled) refuse(exchange, error)
    },
  )
}
