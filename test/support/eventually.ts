// Waiting for something to become true, with a deadline in place of a sleep.

import { setTimeout as sleep } from 'node:timers/promises'

/** See `eventually`. Milliseconds. */
export interface EventuallyOptions {
  /** Gives up after this long. Default 10,000. */
  readonly within?: number
  /** Default 25. */
  readonly every?: number
}

/**
 * Calls `look` until it neither throws nor returns false, and resolves with what it returned. After
 * the deadline it rejects with the last failure, so that a failing expectation is shown as such.
 */
export async function eventually<T>(
  look: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<T> {
  const { within = 10_000, every = 25 } = options
  const until = performance.now() + within
  for (;;) {
    let failure: unknown
    try {
      // oxlint-disable-next-line no-await-in-loop -- looks again after each pause
      const found = await look()
      if (found !== false) return found
    } catch (error) {
      failure = error
    }
    if (performance.now() >= until)
      throw failure instanceof Error ? failure : new Error(`not true within ${within} ms`)
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(every)
  }
}
