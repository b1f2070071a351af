// The lifetime of what was read, for places that tell nobody when they change.

import type { Cancel, Clock } from '../base/clock.ts'
import type { Changed } from './source.ts'

/** Calls `over` every `lifetime` milliseconds, until the returned function ends it. */
export function every(clock: Clock, lifetime: number, over: Changed): Cancel {
  let cancel = clock.after(lifetime, again)
  function again(): void {
    cancel = clock.after(lifetime, again)
    over('due')
  }
  return () => cancel()
}
