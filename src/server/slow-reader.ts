// Breaks connections whose client reads nothing of the reply that waits for it, and closes those that
// nobody uses. All other waiting (for the upstream, for a body, an event stream's silence) has its own
// time limit elsewhere.

import type { Server } from 'node:http'

import { breakConnection, openExchanges } from './client-socket.ts'
import type { ClientSocket } from './client-socket.ts'
import type { ListenerObserver } from './listener-events.ts'

const QUEUED = Symbol('bytes that waited at the last look')

interface LookedAt extends ClientSocket {
  [QUEUED]?: number | undefined
}

/**
 * Sets the inactivity timer of every connection of `server` to `timeout` milliseconds. It counts from
 * the last byte that moved and may take twice as long to notice, over TLS three times.
 */
export function watchReaders(server: Server, timeout: number, observe: ListenerObserver): void {
  server.timeout = timeout
  // Node.js fires this only if no byte of a pending write left between two looks, also when an idle
  // keep-alive connection has had its time.
  server.on('timeout', (socket: LookedAt) => {
    if (openExchanges(socket) === 0) {
      socket.destroy()
      return
    }
    if (socket.writableLength === 0) return
    // Over TLS Node.js looks at the encrypted bytes, which move in pieces of 100 KB and more.
    const queued = bytesBelow(socket)
    if (queued !== socket[QUEUED]) {
      socket[QUEUED] = queued
      socket.setTimeout(timeout)
      return
    }
    observe.limitHit('reply_write_timeout')
    breakConnection(socket)
  })
}

/** Bytes that the system has not taken yet, of a TLS connection; `undefined` if that is unknown. */
function bytesBelow(socket: ClientSocket): number | undefined {
  const below = socket._parent as
    | { _handle?: { writeQueueSize?: number } | null }
    | null
    | undefined
  return below?._handle?.writeQueueSize
}
