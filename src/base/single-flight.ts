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

/**
 * Wraps `work` so that one runs at a time, and calls made while one is under way share the next: each
 * caller gets the outcome of work that began after the call. `work` must not reject.
 */
export function oneAfterAnother<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined

  function begin(): Promise<T> {
    running = work().finally(() => {
      running = undefined
    })
    return running
  }
  return function call() {
    if (running === undefined) return begin()
    next ??= running.then(() => {
      next = undefined
      return running ?? begin()
    })
    return next
  }
}
