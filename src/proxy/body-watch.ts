// What a request body may cost while it comes: time, and bytes that are no body.

import type { IncomingMessage } from 'node:http'

import { Fault } from '../base/fault.ts'
import type { Cancel, Clock } from '../base/clock.ts'

/** How long a client may take. Milliseconds. */
export interface BodyTimes {
  /** Between two pieces of a body. */
  readonly idleTimeout: number
  /** For the whole body; what the upstream makes the client wait does not count. */
  readonly timeout: number
}

/** See `bodyWatch`. */
export interface BodyWatch {
  /** A piece came, or is asked for. */
  touch(): void
  /** Nobody waits for the client. */
  stop(): void
}

/**
 * Watches the time between pieces and the time of all; stands still between `stop` and the next
 * `touch`. Touching costs a subtraction, not a new timer.
 */
export function bodyWatch(
  clock: Clock,
  limits: BodyTimes,
  expired: (fault: Fault) => void,
): BodyWatch {
  let touched = clock.now()
  // Moves on by the time that the watch stood still.
  let deadline = touched + limits.timeout
  let cancel: Cancel | undefined = clock.after(nextLook(), check)
  let stoppedAt: number | undefined

  function nextLook(): number {
    return Math.min(touched + limits.idleTimeout, deadline) - clock.now()
  }
  function check(): void {
    const left = nextLook()
    if (left > 0) cancel = clock.after(left, check)
    else if (clock.now() >= deadline) expired(tooSlow('request_body_timeout'))
    else expired(tooSlow('request_body_idle_timeout'))
  }
  return {
    touch() {
      touched = clock.now()
      if (stoppedAt === undefined) return
      deadline += touched - stoppedAt
      stoppedAt = undefined
      cancel = clock.after(nextLook(), check)
    },
    stop() {
      stoppedAt ??= clock.now()
      cancel?.()
    },
  }
}

// What the framing of a body may weigh: chunks of one byte weigh 6 each, extensions nothing useful.
const FRAMING = { bytes: 128 * 1024, perByte: 16 }

/** Says whether chunk extensions (or zeros) outweigh `size` bytes of body (CVE-2024-22019). */
export function framingWatch({ socket }: IncomingMessage): (size: number) => boolean {
  const before = socket.bytesRead
  return (size) => socket.bytesRead - before > FRAMING.bytes + FRAMING.perByte * size
}

/** Which of the two times for a body ran out. */
function tooSlow(limit: 'request_body_idle_timeout' | 'request_body_timeout'): Fault {
  const what = limit === 'request_body_timeout' ? 'took too long' : 'stopped coming'
  return new Fault('request_timeout', {
    detail: `The request body ${what}. See limits.${limit}.`,
    limit,
  })
}
