// How much one consumer may ask for. An own token bucket, in the form of one number (GCRA): the libraries
// that were looked at (rate-limiter-flexible 11.4, limiter 4.1, bottleneck 2.19) read the clock
// themselves, and the first makes a promise for each request and a timer for each key.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { ConsumerLimitSettings, Rate } from './consumer-limit-options.ts'

/** Bounds on the requests of one consumer. */
export interface ConsumerLimit {
  /** What it was built from; another limit of the same is the same. */
  readonly from: ConsumerLimitSettings
  /**
   * Lets one request in until `atEnd` calls back. Throws a Fault `rate_limited` when there are too many at
   * once.
   */
  enter(atEnd: (leave: () => void) => void): void
  /**
   * Counts one request that was let in, and returns the `RateLimit` fields of its answer, a flat list.
   * Throws a Fault `rate_limited` when there were too many; such a request is not counted.
   */
  pay(): readonly string[]
}

const NO_FIELDS: readonly string[] = []

/** Builds the limit, with its whole burst to spend. */
export function consumerLimit(settings: ConsumerLimitSettings, clock: Clock): ConsumerLimit {
  const { concurrency = Number.POSITIVE_INFINITY } = settings
  const bucket = settings.rate && rateBucket(settings.rate)
  const policy = policyOf(settings)
  let inside = 0
  const leave = () => {
    inside -= 1
  }

  return {
    from: settings,
    enter(atEnd) {
      if (inside >= concurrency) {
        throw new Fault('rate_limited', {
          detail: 'The consumer has as many requests in flight as its limits.concurrency lets it.',
          retryAfter: 1,
          limit: 'concurrency',
          fields: ['RateLimit-Policy', policy, 'RateLimit', '"concurrency";r=0;t=1'],
        })
      }
      inside += 1
      atEnd(leave)
    },
    pay: () => (bucket === undefined ? NO_FIELDS : payFrom(bucket)),
  }

  function payFrom(rate: RateBucket): readonly string[] {
    const wait = rate.take(clock.now())
    if (wait === 0) {
      return ['RateLimit-Policy', policy, 'RateLimit', `"consumer";r=${rate.left};t=${rate.window}`]
    }
    const seconds = Math.max(1, Math.ceil(wait / 1000))
    throw new Fault('rate_limited', {
      detail: 'The consumer sends more requests than its limits.rate lets it.',
      retryAfter: seconds,
      limit: 'rate',
      fields: ['RateLimit-Policy', policy, 'RateLimit', `"consumer";r=0;t=${seconds}`],
    })
  }
}

interface RateBucket {
  /** Takes one request at `now`, monotonic milliseconds; how long to wait when there is none, else 0. */
  take(now: number): number
  /** Requests that are left, after `take`. */
  readonly left: number
  /** Whole seconds, at least 1, until there is one more than `left`. */
  readonly window: number
}

function rateBucket({ interval, burst }: Rate): RateBucket {
  const capacity = burst * interval
  // Sums of fractions are off by less than this; it is no request more, however long it goes on.
  const slack = interval / 1000
  /** When the bucket will be full again; all that was taken lies before. */
  let full = Number.NEGATIVE_INFINITY
  let left = 0
  let window = 1
  return {
    take(now) {
      const next = Math.max(full, now) + interval
      const wait = next - now - capacity
      if (wait > slack) return wait
      full = next
      const spare = Math.max(0, -wait)
      left = Math.floor((spare + slack) / interval)
      window = Math.max(1, Math.ceil(((left + 1) * interval - spare) / 1000))
      return 0
    },
    get left() {
      return left
    },
    get window() {
      return window
    },
  }
}

/** `RateLimit-Policy` by draft-ietf-httpapi-ratelimit-headers-11. */
function policyOf({ rate, concurrency }: ConsumerLimitSettings): string {
  const policies: string[] = []
  if (rate !== undefined) {
    const window = Math.max(1, Math.ceil((rate.burst * rate.interval) / 1000))
    policies.push(`"consumer";q=${rate.burst};w=${window}`)
  }
  if (concurrency !== undefined) {
    policies.push(`"concurrency";q=${concurrency};qu="concurrent-requests"`)
  }
  return policies.join(', ')
}
