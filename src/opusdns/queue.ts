// Who waits for a connection. The client library has a queue too, but keeps in it what was given up,
// request body and all, until its turn comes.

/** Places, and those who wait for one, first come, first served. */
export interface Queue {
  /**
   * Calls `begin` when there is a place: at once, and then returns `undefined`; or later, and then
   * returns the function that takes it back, of which nothing stays behind.
   */
  take(begin: () => void): (() => void) | undefined
  /** Gives a place back. One function for all, to be called once for each `begin`. */
  readonly release: () => void
  /** Resolves when nobody has a place, nor waits for one. */
  empty(): Promise<void>
}

/** A queue for `places` places. */
export function queue(places: number): Queue {
  const waiting = new Set<() => void>()
  let busy = 0
  let emptied: (() => void)[] = []

  return {
    take(begin) {
      if (busy < places) {
        busy += 1
        begin()
        return undefined
      }
      // Of its own, for two may wait with the same function.
      const entry = () => begin()
      waiting.add(entry)
      return () => void waiting.delete(entry)
    },
    empty() {
      return busy === 0 ? Promise.resolve() : new Promise((resolve) => void emptied.push(resolve))
    },
    release() {
      const next = waiting.values().next()
      if (next.done === true) {
        busy -= 1
        if (busy === 0) {
          for (const resolve of emptied) resolve()
          emptied = []
        }
        return
      }
      // The place goes from hand to hand.
      waiting.delete(next.value)
      next.value()
    },
  }
}
