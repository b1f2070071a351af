// When a secret is to be read again: after its lifetime, or earlier where its lease is shorter.

import type { Cancel, Clock } from '../base/clock.ts'
import type { Changed } from './source.ts'

const SOONEST_MS = 1000

/** The timer of one source. */
export interface LeaseWatch {
  /** Tells of the lease of what was just read, in seconds (0: none); the wait begins anew. */
  leased(seconds: number): void
  /** Calls `over` after each wait, until the returned function is called. */
  watch(over: Changed): () => void
}

/**
 * Waits of `lifetime` milliseconds, or of two thirds of the lease where that is less (at least one
 * second), so that a secret that ends is replaced before.
 */
export function leaseWatch(lifetime: number, clock: Clock): LeaseWatch {
  let wait = lifetime
  const restarts = new Set<() => void>()
  return {
    leased(seconds) {
      const lease = seconds === 0 ? lifetime : Math.max(SOONEST_MS, (seconds * 2000) / 3)
      wait = Math.min(lifetime, lease)
      for (const restart of restarts) restart()
    },
    watch(over) {
      let cancel: Cancel = () => {}
      function restart(): void {
        cancel()
        cancel = clock.after(wait, () => {
          restart()
          over('due')
        })
      }
      restarts.add(restart)
      restart()
      return () => {
        restarts.delete(restart)
        cancel()
      }
    },
  }
}
