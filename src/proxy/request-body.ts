// Takes the body of a request: whole, when it is small enough to be held in memory (then the request
// can be replayed, and a slow writer costs no upstream connection), otherwise as a stream that obeys
// back-pressure.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

import { Fault } from '../base/fault.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { Exchange } from './exchange.ts'
import { noRoom } from './held-bytes.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { StreamGarbage } from './stream-garbage.ts'

/** See `takeBody`. Sizes in bytes, durations in milliseconds. */
export interface BodyOptions {
  /** Bodies up to this size are held in memory. */
  readonly heldBytes: number
  /** Of a body that finds no room in `room`: whether it is refused; else it is streamed. */
  readonly mustHold: boolean
  readonly room: HeldBytes
  /** Between two pieces of a body. */
  readonly idleTimeout: number
  /** For the whole body; what the upstream makes the client wait does not count. */
  readonly timeout: number
  /** Told of every piece that is streamed and not held. */
  readonly streamed: StreamGarbage
}

/** `null` for no body; a Buffer can be sent again; a stream only once. */
export type Body = Buffer | Readable | null

/** The largest body that is accepted, and the option that says so. */
export interface Bound {
  readonly bytes: number
  readonly option: string
}

/** Lets go of a body that nobody will read. */
export function dropBody(body: Body): void {
  if (body !== null && !Buffer.isBuffer(body)) body.destroy()
}

type Done = (fault: Fault | undefined, body: Body) => void

/**
 * Calls `done` once: with the body, or with a fault when the client was too slow, or the body is larger
 * than `bound` or finds no room (one of declared length is not read at all then). When the client leaves first, `done`
 * is never called (the exchange reports that).
 */
export function takeBody(
  exchange: Exchange,
  contentLength: number | undefined,
  bound: Bound,
  options: BodyOptions,
  clock: Clock,
  done: Done,
): void {
  const { request, response } = exchange
  if (contentLength !== undefined && contentLength > bound.bytes) {
    done(tooLarge(bound), null)
    return
  }
  const fits = contentLength === undefined || contentLength <= options.heldBytes
  const roomy = fits && (contentLength === undefined || options.room.hold(exchange, contentLength))
  if (fits && !roomy && options.mustHold) {
    done(noRoom(), null)
    return
  }
  // A client may wait to be asked for the body; HTTP/1.0 knows no 100 (RFC 9110 section 10.1.1).
  // Without a body too: Node.js closes after a reply to one who was not asked.
  if (request.headers.expect !== undefined && request.httpVersionMinor > 0) invite(response)
  if (contentLength === 0) {
    // Nothing will come; the parser still has to see the end of the message.
    request.resume()
    done(undefined, null)
    return
  }
  if (!roomy) {
    done(undefined, bodyStream(request, bound, options, clock))
    return
  }
  const grow =
    contentLength === undefined ? (more: number) => options.room.hold(exchange, more) : undefined
  hold(request, bound, options, grow, clock, done)
}

/** Asks for the body; behind a reply that is not over, when its turn comes, or Node.js misplaces it. */
function invite(response: ServerResponse): void {
  const ask = () => {
    if (!response.headersSent) response.writeContinue()
  }
  if (response.socket === null) response.once('socket', ask)
  else ask()
}

// What the framing of a body may weigh: chunks of one byte weigh 6 each, extensions nothing useful.
const FRAMING = { bytes: 128 * 1024, perByte: 16 }

/** Says whether chunk extensions (or zeros) outweigh `size` bytes of body (CVE-2024-22019). */
function framingWatch({ socket }: IncomingMessage): (size: number) => boolean {
  const before = socket.bytesRead
  return (size) => socket.bytesRead - before > FRAMING.bytes + FRAMING.perByte * size
}

/** `grow` takes the room for so many bytes more, where it was not taken before. */
function hold(
  request: IncomingMessage,
  bound: Bound,
  options: BodyOptions,
  grow: ((more: number) => boolean) | undefined,
  clock: Clock,
  done: Done,
): void {
  const pieces: Buffer[] = []
  let size = 0
  const watch = bodyWatch(clock, options, (fault) => finish(fault, null))
  const overweight = framingWatch(request)

  function finish(fault: Fault | undefined, body: Body): void {
    watch.stop()
    request.off('data', onData).off('end', onEnd).off('close', watch.stop).off('malformed', broken)
    done(fault, body)
  }
  function onData(piece: Buffer): void {
    watch.touch()
    pieces.push(piece)
    size += piece.length
    if (size > bound.bytes) {
      finish(tooLarge(bound), null)
      return
    }
    if (overweight(size)) {
      finish(malformed(), null)
      return
    }
    const roomy = grow === undefined || grow(piece.length)
    if (size <= options.heldBytes && roomy) return
    if (options.mustHold && !roomy) {
      finish(noRoom(), null)
      return
    }
    // A chunked body that turned out to be large: put back what was read, and stream it all.
    grow?.(roomy ? -size : piece.length - size)
    request.pause()
    request.unshift(Buffer.concat(pieces, size))
    finish(undefined, bodyStream(request, bound, options, clock))
  }
  function onEnd(): void {
    finish(undefined, size === 0 ? null : Buffer.concat(pieces, size))
  }
  function broken(): void {
    finish(malformed(), null)
  }
  request.on('data', onData).on('end', onEnd).on('close', watch.stop).on('malformed', broken)
}

/**
 * A stream of the body for the upstream. Not the request itself, for the client library destroys
 * what it reads from, and with it the client's connection. A body that the client cut short ends in
 * an error, so that the upstream never sees a complete request (RFC 9112 section 8).
 */
function bodyStream(
  request: IncomingMessage,
  bound: Bound,
  options: BodyOptions,
  clock: Clock,
): Readable {
  let size = 0
  const watch = bodyWatch(clock, options, (fault) => stream.destroy(fault))
  const overweight = framingWatch(request)
  const stream = new Readable({
    highWaterMark: request.readableHighWaterMark,
    read() {
      watch.touch()
      request.resume()
    },
    destroy(error, callback) {
      watch.stop()
      request
        .off('data', onData)
        .off('end', onEnd)
        .off('close', onClose)
        .off('malformed', onMalformed)
      // What the upstream did not want is read and dropped, so that the client can read its answer.
      request.resume()
      callback(error)
    },
  })
  function onData(piece: Buffer): void {
    watch.touch()
    options.streamed(piece.length)
    size += piece.length
    if (size > bound.bytes) {
      stream.destroy(tooLarge(bound))
      return
    }
    if (overweight(size)) {
      stream.destroy(malformed())
      return
    }
    if (stream.push(piece)) return
    watch.stop()
    request.pause()
  }
  function onEnd(): void {
    watch.stop()
    stream.push(null)
  }
  function onClose(): void {
    if (!request.complete) {
      stream.destroy(malformed())
    }
  }
  function onMalformed(): void {
    stream.destroy(malformed())
  }
  request.on('data', onData).on('end', onEnd).on('close', onClose).on('malformed', onMalformed)
  request.pause()
  // The wait for a credential or a connection is ours, not the client's: the watch begins at the first
  // read. Until then nobody else listens to what may go wrong, and the errand looks at `errored`.
  watch.stop()
  stream.on('error', () => undefined)
  return stream
}

function malformed(): Fault {
  return new Fault('bad_request', { detail: 'The request body is malformed or cut short.' })
}

function tooLarge({ bytes, option }: Bound): Fault {
  return new Fault('content_too_large', {
    detail: `The request body is larger than ${option} lets it be (${bytes} bytes).`,
    limit: 'body_size',
  })
}

/** Which of the two times for a body ran out. */
function tooSlow(limit: 'request_body_idle_timeout' | 'request_body_timeout'): Fault {
  const what = limit === 'request_body_timeout' ? 'took too long' : 'stopped coming'
  return new Fault('request_timeout', {
    detail: `The request body ${what}. See limits.${limit}.`,
    limit,
  })
}

/**
 * Watches the time between pieces and the time of all; stands still between `stop` and the next
 * `touch`. Touching costs a subtraction, not a new timer.
 */
function bodyWatch(clock: Clock, limits: BodyOptions, expired: (fault: Fault) => void) {
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
