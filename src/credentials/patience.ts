// How long a request may wait for a credential, and a way to stop waiting.

import type { Clock } from '../base/clock.ts'

/** Milliseconds that one request waits for a credential at most (DESIGN, token rules). */
export const CALLER_WAIT = 5_000

/**
 * The outcome of `promise`, or `undefined` after `ms` milliseconds of `clock`. Stopping to wait
 * disturbs neither the work nor the others who wait; a failure that comes later is nobody's.
 */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(undefined))
    promise.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        // oxlint-disable-next-line prefer-promise-reject-errors -- passes on what it was given
        reject(error)
      },
    )
  })
}
