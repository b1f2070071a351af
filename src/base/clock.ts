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

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, Math.max(0, ms))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms` milliseconds of `clock`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}
