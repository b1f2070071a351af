// A clock that moves only when a test moves it.

import type { Cancel, Clock } from '../../src/base/clock.ts'

/** A `Clock` under the test's hand. */
export interface ManualClock extends Clock {
  /**
   * Moves both clocks on by `ms`, firing due timers in order, each at its own time. Lets pending
   * promise callbacks run before, between and after the timers.
   */
  advance(ms: number): Promise<void>
  /** Moves only the wall clock, as an operator or NTP does. */
  jumpWall(ms: number): void
}

/** Lets all promise callbacks that are due run, without real time passing on any clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- each turn must end before the next begins
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}

/** A clock that stands at 1,000,000 ms monotonic and 2026-11-23T00:00:00Z until advanced. */
export function manualClock(): ManualClock {
  let now = 1_000_000
  let wall = Date.UTC(2026, 10, 23)
  let sequence = 0
  const timers = new Map<number, { at: number; fire: () => void }>()

  function earliest(limit: number): [number, { at: number; fire: () => void }] | undefined {
    let best: [number, { at: number; fire: () => void }] | undefined
    for (const entry of timers) {
      if (entry[1].at <= limit && (best === undefined || entry[1].at < best[1].at)) best = entry
    }
    return best
  }

  return {
    now: () => now,
    wall: () => wall,
    after(ms, fire): Cancel {
      const id = ++sequence
      timers.set(id, { at: now + Math.max(0, ms), fire })
      return () => void timers.delete(id)
    },
    async advance(ms) {
      await settle()
      const target = now + ms
      for (let due = earliest(target); due !== undefined; due = earliest(target)) {
        timers.delete(due[0])
        wall += due[1].at - now
        now = due[1].at
        due[1].fire()
        // oxlint-disable-next-line no-await-in-loop -- timers fire one after the other
        await settle()
      }
      wall += target - now
      now = target
      await settle()
    },
    jumpWall(ms) {
      wall += ms
    },
  }
}
