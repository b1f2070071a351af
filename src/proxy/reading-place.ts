// Who may read at OpusDNS now to be answered by the proxy itself: a list page by page, the zone of a dry
// run. Each may take much memory and many requests, so few do at once, whoever asked.

import { queue } from '../opusdns/queue.ts'
import type { Exchange } from './exchange.ts'
import type { HeldBytes } from './held-bytes.ts'
import { refuse } from './refusal.ts'
import { rest } from './rest.ts'

/** Readings at once. */
const AT_ONCE = 4
/** See `queue`: one consumer gets two of them. */
const GREED = 1

/** See the top of the file. */
export interface ReadingPlaces {
  /**
   * Calls `begin` when there is a place for `exchange`, if it is not over before. `leave` gives the place
   * back, and may be called again; call it before the answer is written, for a client that reads slowly
   * shall not keep it. The end of the exchange gives it back too. What `begin` throws is answered.
   */
  take(exchange: Exchange, begin: (leave: () => void) => void): void
}

/** What one reading has. */
export interface Place {
  /** Where what it holds is on account. */
  readonly room: HeldBytes
  /** See `ReadingPlaces`. */
  readonly leave: () => void
}

/** Builds the places of all consumers. */
export function readingPlaces(): ReadingPlaces {
  const places = queue(AT_ONCE, GREED)

  return {
    take(exchange, begin) {
      const takeBack = places.take(exchange.consumer, (release) => {
        let left = false
        const leave = () => {
          if (!left) release()
          left = true
        }
        exchange.atEnd(leave)
        try {
          begin(leave)
        } catch (error) {
          refuse(exchange, error)
        }
      })
      if (takeBack !== undefined) rest(exchange, takeBack)
    },
  }
}
