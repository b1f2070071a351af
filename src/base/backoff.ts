// How long to wait before the next try.

/** See `backoff`. */
export interface BackoffOptions {
  /** Upper bound of the first wait, in milliseconds. Above 0. */
  readonly first: number
  /** Upper bound that the waits grow to, in milliseconds. At least `first`. */
  readonly max: number
}

/** A growing series of waits. */
export interface Backoff {
  /** The next wait in milliseconds; doubles its bound each time. */
  next(): number
  /** Starts over, after a success. */
  reset(): void
}

/**
 * Exponential back-off with full jitter: each wait is random between 0 and a bound that doubles
 * from `first` to `max`, so that replicas that failed together do not come back together.
 * `random` yields numbers in [0, 1).
 */
export function backoff(options: BackoffOptions, random: () => number = Math.random): Backoff {
  let bound = options.first
  return {
    next() {
      const wait = random() * bound
      bound = Math.min(bound * 2, options.max)
      return wait
    },
    reset() {
      bound = options.first
    },
  }
}
