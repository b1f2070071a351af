// How many exchanges there may be at once, of all consumers and of each, and how long each may take in all.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { isEventStream } from '../opusdns/operations.ts'
import type { Consumer } from './consumer.ts'
import type { Exchange } from './exchange.ts'
import type { LimitSettings } from './options.ts'
import { refuse } from './refusal.ts'

/** See `admission`. */
export interface AdmissionOptions extends Pick<LimitSettings, 'inFlight' | 'totalTimeout'> {
  /** How many there are to share `inFlight`. */
  readonly consumers: number
}

/** Bounds on exchanges; each exchange passes both of them once. */
export interface Admission {
  /**
   * Begins to count the time of an exchange, if that is limited, and the exchange among those of its
   * consumer, before its body comes: a body that is judged and refused costs too. Throws a Fault
   * `rate_limited` when it has or asks too many.
   */
  begin(exchange: Exchange, consumer: Pick<Consumer, 'limit'>): void
  /**
   * Lets an exchange in until its end, when it is about to use a connection to OpusDNS: one whose body
   * is still being held takes no place. Throws a Fault `overloaded` when there are too many in all; but a
   * consumer with less than its equal share of the places is let in all the same, so that no other can
   * take them all.
   */
  enter(exchange: Exchange, consumer: Pick<Consumer, 'name'>): void
  /** Sets other bounds, from the next call on; who is inside stays. */
  resize(options: AdmissionOptions): void
}

/** Builds the count and the clock. */
export function admission(options: AdmissionOptions, clock: Clock): Admission {
  let { inFlight, totalTimeout } = options
  let share = shareOf(options)
  const counts = new Map<string, Count>()
  let inside = 0

  function countOf(name: string): Count {
    let count = counts.get(name)
    if (count === undefined) {
      const made: Count = {
        inside: 0,
        leave() {
          made.inside -= 1
          inside -= 1
        },
      }
      counts.set(name, made)
      count = made
    }
    return count
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
    begin(exchange, { limit }) {
      if (limit !== undefined) {
        limit.enter((leave) => exchange.atEnd(leave))
        exchange.quota = limit.pay()
      }
      if (totalTimeout === 0 || isEventStream(exchange.operation)) return
      exchange.atEnd(clock.after(totalTimeout, () => expire(exchange)))
    },
    enter(exchange, { name }) {
      const count = countOf(name)
      if (inside >= inFlight && count.inside >= share) {
        throw new Fault('overloaded', {
          detail: 'The proxy serves as many requests as limits.in_flight lets it.',
          retryAfter: 1,
          limit: 'in_flight',
        })
      }
      inside += 1
      count.inside += 1
      exchange.atEnd(count.leave)
    },
    resize(wanted) {
      ;({ inFlight, totalTimeout } = wanted)
      share = shareOf(wanted)
    },
  }
}

/** The places that each consumer may have, whatever the others do. */
function shareOf({ inFlight, consumers }: AdmissionOptions): number {
  return Math.max(1, Math.floor(inFlight / consumers))
}

/** The exchanges of one consumer. */
interface Count {
  inside: number
  readonly leave: () => void
}
