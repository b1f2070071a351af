// When the token endpoint may be asked again: the spacing after a success, the back-off after a
// failure, and what the endpoint itself asked for. Knows times only, no token and no secret.

import { backoff } from '../base/backoff.ts'

const SPACING = 5_000
const FIRST_WAIT = 500
const LONGEST_WAIT = 30_000
const SHORTEST_WAIT = 100
const EAGER_WAIT = 750
const EAGER_SPREAD = 500

/** See `RefreshSchedule.succeeded`. */
export interface Success {
  /** Milliseconds that the new token lives. */
  readonly life: number
  /** True when the endpoint handed out the token that was held already. */
  readonly same: boolean
  /** True when a usable token was to be replaced, false when there was none. */
  readonly refreshed: boolean
}

/** All times are monotonic milliseconds. */
export interface RefreshSchedule {
  /**
   * The earliest moment of the next request to the endpoint; may lie in the past.
   *
   * After failures the wait grows from 0.5 s to 30 s with full jitter. That alone would let requests
   * fail for up to 30 s after the endpoint has recovered. So while it is `urgent` (requests come,
   * and no good token is held) the wait is 0.25 to 0.75 s instead, which bounds the recovery below
   * one second at the price of at most four small requests a second. A `Retry-After` of the endpoint
   * is honoured even then: recovery is as late as the endpoint asked for, up to 60 s.
   */
  opensAt(urgent: boolean): number
  /** A token came. */
  succeeded(now: number, success: Success): void
  /** No token came; `retryAfter` is what the endpoint asked for, in milliseconds. */
  failed(now: number, retryAfter?: number): void
  /** Something changed that makes an early try worth while: the growth of the back-off is forgotten. */
  relax(): void
}

/** Builds a schedule that is open at once. `random` yields numbers in [0, 1). */
export function refreshSchedule(random: () => number): RefreshSchedule {
  const waits = backoff({ first: FIRST_WAIT, max: LONGEST_WAIT }, random)
  let spacedUntil = Number.NEGATIVE_INFINITY
  let heldUntil = Number.NEGATIVE_INFINITY
  let eagerAt = Number.NEGATIVE_INFINITY
  let lazyAt = Number.NEGATIVE_INFINITY

  return {
    opensAt: (urgent) => Math.max(spacedUntil, heldUntil, urgent ? eagerAt : lazyAt),
    succeeded(now, { life, same, refreshed }) {
      waits.reset()
      heldUntil = eagerAt = lazyAt = Number.NEGATIVE_INFINITY
      // Five seconds keep a 401 to everything, or an endpoint that repeats a dying token, from
      // becoming a storm. Tokens that live only some seconds need refreshes sooner; half a life
      // still bounds them. A first token is no refresh: it may be replaced at once.
      if (same) spacedUntil = now + SPACING
      else spacedUntil = refreshed ? now + Math.min(SPACING, life / 2) : Number.NEGATIVE_INFINITY
    },
    failed(now, retryAfter) {
      // Full jitter reaches down to nothing; the floor keeps a fast refusal from spinning.
      lazyAt = now + Math.max(SHORTEST_WAIT, waits.next())
      eagerAt = Math.min(lazyAt, now + EAGER_WAIT - random() * EAGER_SPREAD)
      heldUntil = retryAfter === undefined ? Number.NEGATIVE_INFINITY : now + retryAfter
    },
    relax() {
      waits.reset()
      lazyAt = eagerAt
    },
  }
}
