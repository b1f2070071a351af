// Takes the body of a request: whole, when it is small enough to be held in memory (then the request
// can be replayed, and a slow writer costs no upstream connection), otherwise as a stream that obeys
// back-pressure.

import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

import { Fault } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import { bodyWatch, framingWatch } from './body-watch.ts'
import type { BodyTimes } from './body-watch.ts'
import type { Exchange } from './exchange.ts'
import { noRoom } from './held-bytes.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { StreamGarbage } from './stream-garbage.ts'

/** See `takeBody`. Sizes in bytes, durations in milliseconds. */
export interface BodyOptions extends BodyTimes {
  /** Bodies up to this size are held in memory. */
  readonly heldBytes: number
  /** Of a body that finds no room in `room`: whether it is refused; else it is streamed. */
  readonly mustHold: boolean
  readonly room: HeldBytes
  /** Told of every piece that is streamed and not held. */
  readonly streamed: StreamGarbage
  /** Whether the digest of what is streamed is wanted. */
  readonly digested: boolean
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
    done(undefined, bodyStream(exchange, bound, options, clock))
    return
  }
  const grow =
    contentLength === undefined ? (more: number) => options.room.hold(exchange, more) : undefined
  hold(exchange, bound, options, grow, clock, done)
}

/** Asks for the body; behind a reply that is not over, when its turn comes, or Node.js misplaces it. */
function invite(response: ServerResponse): void {
  const ask = () => {
    if (!response.headersSent) response.writeContinue()
  }
  if (response.socket === null) response.once('socket', ask)
  else ask()
}

/** `grow` takes the room for so many bytes more, where it was not taken before. */
function hold(
  exchange: Exchange,
  bound: Bound,
  options: BodyOptions,
  grow: ((more: number) => boolean) | undefined,
  clock: Clock,
  done: Done,
): void {
  const { request } = exchange
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
    finish(undefined, bodyStream(exchange, bound, options, clock))
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
  exchange: Exchange,
  bound: Bound,
  options: BodyOptions,
  clock: Clock,
): Readable {
  const { request } = exchange
  const digest = options.digested ? createHash('sha256') : undefined
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
    digest?.update(piece)
    if (stream.push(piece)) return
    watch.stop()
    request.pause()
  }
  function onEnd(): void {
    watch.stop()
    exchange.streamedSha256 = digest?.digest('hex')
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

/** The fault of a body that is larger than its bound. */
export function tooLarge({ bytes, option }: Bound): Fault {
  return new Fault('content_too_large', {
    detail: `The request body is larger than ${option} lets it be (${bytes} bytes).`,
    limit: 'body_size',
  })
}
