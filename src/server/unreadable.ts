// Answers what the parser refused, where an answer cannot be taken for that of another request, and
// closes so that the client can read it.

import type { Clock } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import { lingeringClose } from '../proxy/linger.ts'
import { BROKEN, LATEST, openExchanges } from './client-socket.ts'
import type { ClientSocket } from './client-socket.ts'
import type { ListenerObserver } from './listener-events.ts'
import { rawRefusal } from './raw-refusal.ts'

/** Handlers of `node:http`'s events for what is no request. */
export interface Unreadable {
  /** `clientError`: an error of the parser, of its time limit, or of the connection. */
  failed(error: Error, socket: ClientSocket): void
  /** `connect`: CONNECT, which Node.js gives no response to write to. */
  tunnel(socket: ClientSocket): void
}

/** Builds the handlers. */
export function unreadable(clock: Clock, observe: ListenerObserver): Unreadable {
  function answer(socket: ClientSocket, fault: Fault, cause: string): void {
    if (fault.limit !== undefined) observe.limitHit(fault.limit)
    observe.unreadable(fault.status, cause)
    socket.write(rawRefusal(fault))
    lingeringClose(socket, clock)
  }

  /** True when requests before this one wait for their answer: then there is none for this one. */
  function behindOthers(socket: ClientSocket): boolean {
    if (openExchanges(socket) === 0) return false
    socket[BROKEN] = true
    return true
  }

  return {
    failed(error, socket) {
      // The connection itself failed; its requests notice that by themselves.
      if (socket.destroyed) return
      if (behindOthers(socket)) {
        // What cannot be parsed may be the body of the latest request.
        if (socket[LATEST]?.complete === false) socket[LATEST].emit('malformed')
        return
      }
      if (!socket.writable) socket.destroy()
      else answer(socket, faultOf(error), errorCode(error))
    },
    tunnel(socket) {
      // Node.js took its own listeners off; an error without any would end the process.
      socket.on('error', () => socket.destroy())
      if (behindOthers(socket)) return
      const detail = 'This proxy opens no tunnels.'
      answer(socket, new Fault('method_not_allowed', { detail }), 'CONNECT')
    },
  }
}

function faultOf(error: Error): Fault {
  switch (errorCode(error)) {
    case 'HPE_HEADER_OVERFLOW':
      return inRequestLine(error)
        ? new Fault('uri_too_long', {
            detail: 'The request target is longer than limits.target_size.',
            limit: 'target_size',
          })
        : new Fault('header_too_large', {
            detail: 'The request head is larger than limits.header_size.',
            limit: 'header_size',
          })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Fault('request_timeout', {
        detail: 'The request head did not come in time.',
        limit: 'request_head_timeout',
      })
    default:
      return new Fault('bad_request', { detail: 'The request is not valid HTTP/1.1.' })
  }
}

// The start of a request line, or a piece out of a target, which holds neither space nor line end.
const TARGET = /^\r?\n?(?:[A-Z-]+ )?[^\s]*$/

/**
 * Whether the bytes that overflowed the head are of its first line. They are known only from the last
 * read on; a field value without a single space that fills a whole read is taken for a target.
 */
function inRequestLine(error: Error & { rawPacket?: unknown; bytesParsed?: unknown }): boolean {
  const { rawPacket, bytesParsed } = error
  if (!Buffer.isBuffer(rawPacket) || typeof bytesParsed !== 'number') return false
  const text = rawPacket.toString('latin1', 0, bytesParsed)
  const end = text.lastIndexOf('\r\n\r\n')
  return TARGET.test(end < 0 ? text : text.slice(end + 4))
}
