// Closes a connection so that its client can read the last reply. Closing while bytes of the client
// lie unread makes TCP send a reset, which may overtake the reply (RFC 9112 section 9.6).

import { Socket } from 'node:net'

import type { Clock } from '../base/clock.ts'

/** How long, in milliseconds, and how many bytes are read and dropped before the connection goes. */
const LINGER = { time: 2000, bytes: 1024 * 1024 }

/**
 * Ends our side at once, and the connection when the client has ended its own, or at the latest when
 * the bounds of `LINGER` are reached. What comes meanwhile is dropped unparsed.
 */
export function lingeringClose(socket: Socket, clock: Clock): void {
  if (socket.destroyed) return
  const before = socket.bytesRead
  const gone = () => Socket.prototype.destroySoon.call(socket)
  // The parser's own listener goes as well: nothing behind the last reply is a request.
  socket.removeAllListeners('data')
  socket.on('data', () => {
    if (socket.bytesRead - before > LINGER.bytes) socket.destroy()
  })
  if (socket.readableEnded) {
    gone()
    return
  }
  socket.once('end', gone)
  socket.once(
    'close',
    clock.after(LINGER.time, () => socket.destroy()),
  )
  socket.end()
  socket.resume()
}

const CLOSING = Symbol('the last reply is decided')

interface ClosingSocket extends Socket {
  [CLOSING]?: true
}

/**
 * True when the last reply of the connection is decided: what the parser still makes of its bytes is
 * no request.
 */
export function isClosing(socket: Socket): boolean {
  return (socket as ClosingSocket)[CLOSING] === true
}

/** Has Node.js close the connection so, once the reply that it is writing has left. */
export function lingerAfterReply(socket: Socket, clock: Clock): void {
  const closing: ClosingSocket = socket
  closing[CLOSING] = true
  closing.destroySoon = () => lingeringClose(socket, clock)
}
