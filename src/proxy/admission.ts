// How many exchanges there may be at once, and how long each may take in all.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { isEventStream } from '../opusdns/operations.ts'
import type { Exchange } from './exchange.ts'
import type { LimitSettings } from './options.ts'
import { refuse } from './refusal.ts'

/** Bounds on exchanges; each exchange passes both of them once. */
export interface Admission {
  /** Begins to count the time of an exchange, if that is limited. */
  begin(exchange: Exchange): void
  /**
   * Lets an exchange in until its end, when it is about to use a connection to OpusDNS: one whose body
   * is still being held takes no place. Throws a Fault `overloaded` when there are too many.
   */
  enter(exchange: Exchange): void
}

/** Builds the count and the clock. */
export function admission(
  { inFlight, totalTimeout }: Pick<LimitSettings, 'inFlight' | 'totalTimeout'>,
  clock: Clock,
): Admission {
  let inside = 0
  const leave = () => {
    inside -= 1
  }

  function expire(exchange: Exchange): void {
    const fault = new Fault('total_timeout', {
      detail: 'The exchange took longer than limits.total_timeout.',
      limit: 'total_timeout',
    })
    if (exchange.onExpired === undefined) refuse(exchange, fault)
    else exchange.onExpired(fault)
  }

  return {
    begin(exchange) {
      if (totalTimeout === 0 || isEventStream(exchange.operation)) return
      exchange.atEnd(clock.after(totalTimeout, () => expire(exchange)))
    },
    enter(exchange) {
      if (inside >= inFlight) {
        throw new Fault('overloaded', {
          detail: 'The proxy serves as many requests as limits.in_flight lets it.',
          retryAfter: 1,
          limit: 'in_flight',
        })
      }
      inside += 1
      exchange.atEnd(leave)
    },
  }
}
