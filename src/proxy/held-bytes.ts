// How many bytes of bodies are in memory at once: of requests that are judged or may be sent again, of
// lists and zones that are read to be answered by the proxy itself.

import { Fault } from '../base/fault.ts'
import type { Exchange } from './exchange.ts'
import type { LimitSettings } from './options.ts'

/** See `heldBytes`. */
export interface HeldBytesOptions extends Pick<LimitSettings, 'heldSize'> {
  /** How many there are to share `heldSize`: consumers, and strangers where they are told apart. */
  readonly parties: number
}

/** See `heldBytes`. */
export interface HeldBytes {
  /**
   * Holds `more` bytes, fewer where it is negative, on account of the consumer of `exchange` until the
   * exchange ends. False, and then nothing changes, where there is no room.
   */
  hold(exchange: Exchange, more: number): boolean
  /** Sets other bounds, from the next call on; what is held stays. */
  resize(options: HeldBytesOptions): void
}

/** What one exchange holds. */
interface Holding {
  bytes: number
  readonly account: { bytes: number }
}

/**
 * A bound of `heldSize` bytes for all. Where there are several `parties`, none gets more than is then left
 * to the others: one alone gets half of it, the next a quarter.
 */
export function heldBytes(options: HeldBytesOptions): HeldBytes {
  const accounts = new Map<string, { bytes: number }>()
  const holdings = new WeakMap<Exchange, Holding>()
  let { heldSize, parties } = options
  let held = 0

  function accountOf(consumer: string): { bytes: number } {
    let account = accounts.get(consumer)
    if (account === undefined) accounts.set(consumer, (account = { bytes: 0 }))
    return account
  }
  function open(exchange: Exchange): Holding {
    const holding = { bytes: 0, account: accountOf(exchange.consumer) }
    holdings.set(exchange, holding)
    exchange.atEnd(() => move(holding, -holding.bytes))
    return holding
  }
  function move(holding: Holding, more: number): void {
    holding.bytes += more
    holding.account.bytes += more
    held += more
  }
  return {
    hold(exchange, more) {
      if (more === 0) return true
      const holding = holdings.get(exchange) ?? open(exchange)
      if (more > 0) {
        const left = heldSize - held - more
        if (left < 0 || (parties > 1 && holding.account.bytes + more > left)) return false
      }
      move(holding, more)
      return true
    },
    resize(wanted) {
      ;({ heldSize, parties } = wanted)
    },
  }
}

/** The answer where there is no room. */
export function noRoom(): Fault {
  return new Fault('overloaded', {
    detail: 'The proxy holds as many bytes of bodies as limits.held_size lets it.',
    retryAfter: 1,
    limit: 'held_size',
  })
}
