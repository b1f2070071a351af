// What listeners meet besides requests, for log and metrics. Never a byte that a client sent.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'

/** Told by a listener. `cause` is always the code of an error, never its text. */
export interface ListenerObserver {
  /** A connection ran into `limit`, the name of an option. */
  limitHit(limit: string): void
  /** A request was answered `status` before it was one. */
  unreadable(status: number, cause: string): void
  /** A TLS handshake came to nothing. */
  handshakeFailed(cause: string): void
  /** The system hands over no connection, or has no descriptor left for one. */
  acceptFailed(cause: string): void
}

// Out of descriptors, accepting fails many times a second.
const ACCEPT_LOG_INTERVAL = 10_000
const EXHAUSTED = new Set(['EMFILE', 'ENFILE'])

/** Writes lines and counts. */
export function listenerObserver(
  journal: Pick<Log, 'debug' | 'info' | 'warn'>,
  numbers: Pick<Metrics, 'limitHit' | 'unreadable'>,
  clock: Clock,
): ListenerObserver {
  let quietUntil = -Infinity
  return {
    limitHit(limit) {
      numbers.limitHit(limit)
    },
    unreadable(status, cause) {
      numbers.unreadable(String(status))
      journal.info({ status, cause }, 'unreadable request')
    },
    handshakeFailed(cause) {
      if (cause === 'ERR_TLS_HANDSHAKE_TIMEOUT') numbers.limitHit('tls_handshake_timeout')
      journal.debug({ cause }, 'handshake failed')
    },
    acceptFailed(cause) {
      if (EXHAUSTED.has(cause)) numbers.limitHit('file_descriptors')
      if (clock.now() < quietUntil) return
      quietUntil = clock.now() + ACCEPT_LOG_INTERVAL
      journal.warn({ cause }, 'connections cannot be accepted')
    },
  }
}
