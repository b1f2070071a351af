// One call at a time, shared by everyone who asks meanwhile.

/**
 * Wraps `work` so that calls made while one is under way share its outcome, success or failure
 * alike. The next call after it settled starts anew. A caller that stops waiting disturbs nobody,
 * for the work belongs to no caller.
 */
export function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let flight: Promise<T> | undefined
  return function shared(): Promise<T> {
    flight ??= work().finally(() => {
      flight = undefined
    })
    return flight
  }
}
