// Time as a value that is passed in, so that tests advance it by hand and nothing sleeps.

/** Cancels a timer; calling it again, or after the timer fired, does nothing. */
export type Cancel = () => void

/** The two clocks of a machine, and a timer on the first. */
export interface Clock {
  /** Monotonic milliseconds from an arbitrary start: never jumps. Use it for lifetimes and delays. */
  now(): number
  /** Wall-clock milliseconds since 1970 (UTC): may jump. Use it only to show or to compare dates. */
  wall(): number
  /**
   * Calls `fire` once after at least `ms` milliseconds (values below 0 count as 0). The timer does
   * not keep the process alive.
   */
  after(ms: number, fire: () => void): Cancel
}

const LONGEST_TIMER = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fire) {
    let timer: NodeJS.Timeout
    function arm(left: number): void {
      // Node.js makes 1 ms of what does not fit into 31 bits.
      const step = Math.min(Math.max(0, left), LONGEST_TIMER)
      timer = setTimeout(() => (left > step ? arm(left - step) : fire()), step)
      timer.unref()
    }
    arm(ms)
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms` milliseconds of `clock`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}
