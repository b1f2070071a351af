// Keeps a storm of events from becoming a storm of work.

import { pause } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'

/**
 * A function that starts `work`, unless it runs already or ended less than `time` milliseconds ago:
 * then all calls become one, as soon as that is over, so that the last event is never lost. `work`
 * gets the number of calls that it stands for, and must not reject.
 */
export function rested(
  time: number,
  clock: Clock,
  work: (calls: number) => Promise<void>,
): () => void {
  let waiting = 0
  let busy = false

  async function go(): Promise<void> {
    busy = true
    while (waiting > 0) {
      const calls = waiting
      waiting = 0
      // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
      await work(calls)
      // oxlint-disable-next-line no-await-in-loop -- as above
      await pause(clock, time)
    }
    busy = false
  }
  return function call() {
    waiting += 1
    if (!busy) void go()
  }
}
