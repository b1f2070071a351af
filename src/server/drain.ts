// Ends the service without losing a request: first nobody is sent here any more, then nobody new is
// let in, then those who are inside finish, and at the deadline the rest is cut.

import type { Clock } from '../base/clock.ts'
import { pause } from '../base/clock.ts'
import type { Listener } from './listener.ts'

/** See `drain`. Durations are milliseconds. */
export interface DrainOptions {
  /** Between "not ready" and closing the listeners: the time a load balancer needs to notice. */
  readonly delay: number
  /** From closing the listeners to the moment when what is left is cut. */
  readonly deadline: number
}

/** How draining ended. */
export type Drained = 'clean' | 'cut'

// How long an idle connection may still bring a request that its client sent before it could know.
const IDLE_GRACE = 1000
const POLL = 100

/**
 * Drains `listeners`; resolves when the last connection is closed and its exchanges have ended, so that
 * what they report to may end too. Never rejects.
 */
export async function drain(
  listeners: readonly Listener[],
  options: DrainOptions,
  clock: Clock,
): Promise<Drained> {
  for (const listener of listeners) listener.retire()
  await pause(clock, options.delay)
  const startedAt = clock.now()
  for (const listener of listeners) listener.stopAccepting()
  const closed = Promise.all(listeners.map((listener) => listener.closed())).then(() => 'closed')

  const idleUntil = startedAt + Math.min(IDLE_GRACE, options.deadline / 2)
  for (;;) {
    if (clock.now() >= idleUntil) for (const listener of listeners) listener.closeIdle()
    const left = startedAt + options.deadline - clock.now()
    if (left <= 0) break
    // oxlint-disable-next-line no-await-in-loop -- looks again after each pause
    const first = await Promise.race([closed, pause(clock, Math.min(POLL, left))])
    if (first === 'closed') return 'clean'
  }
  for (const listener of listeners) listener.destroy()
  await closed
  return 'cut'
}
