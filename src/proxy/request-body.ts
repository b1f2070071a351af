// Takes the body of a request: whole, when it is small enough to be held in memory (then the request
// can be replayed, and a slow writer costs no upstream connection), otherwise as a stream that obeys
// back-pressure.

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

import { Fault } from '../base/fault.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { StreamGarbage } from './stream-garbage.ts'

/** See `takeBody`. */
export interface BodyOptions {
  /** Bodies up to this many bytes are held in memory. */
  readonly heldBytes: number
  /** Milliseconds that may pass between two pieces of a body. */
  readonly idleTimeout: number
  /** Told of every piece that is streamed and not held. */
  readonly streamed: StreamGarbage
}

/** `null` for no body; a Buffer can be sent again; a stream only once. */
export type Body = Buffer | Readable | null

type Done = (fault: Fault | undefined, body: Body) => void

/**
 * Calls `done` once: with the body, or with a fault when the client was too slow. When the client
 * leaves first, `done` is never called (the exchange reports that).
 */
export function takeBody(
  request: IncomingMessage,
  contentLength: number | undefined,
  options: BodyOptions,
  clock: Clock,
  done: Done,
): void {
  if (contentLength === 0) {
    // Nothing will come; the parser still has to see the end of the message.
    request.resume()
    done(undefined, null)
    return
  }
  if (contentLength !== undefined && contentLength > options.heldBytes) {
    done(undefined, bodyStream(request, options, clock))
    return
  }
  hold(request, options, clock, done)
}

function hold(request: IncomingMessage, options: BodyOptions, clock: Clock, done: Done): void {
  const pieces: Buffer[] = []
  let size = 0
  const watch = idleWatch(clock, options.idleTimeout, () => {
    finish(tooSlow(), null)
  })

  function finish(fault: Fault | undefined, body: Body): void {
    watch.stop()
    request.off('data', onData).off('end', onEnd).off('close', watch.stop).off('malformed', broken)
    done(fault, body)
  }
  function onData(piece: Buffer): void {
    watch.touch()
    pieces.push(piece)
    size += piece.length
    if (size <= options.heldBytes) return
    // A chunked body that turned out to be large: put back what was read, and stream it all.
    request.pause()
    request.unshift(Buffer.concat(pieces, size))
    finish(undefined, bodyStream(request, options, clock))
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
function bodyStream(request: IncomingMessage, options: BodyOptions, clock: Clock): Readable {
  const watch = idleWatch(clock, options.idleTimeout, () => stream.destroy(tooSlow()))
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

function tooSlow(): Fault {
  return new Fault('request_timeout', {
    detail: 'The request body stopped coming. See limits.request_body_idle_timeout.',
  })
}

/** A timer that starts again at each touch; touching costs a subtraction, not a new timer. */
function idleWatch(clock: Clock, limit: number, expired: () => void) {
  let touched = clock.now()
  let cancel: Cancel | undefined = clock.after(limit, check)
  let stopped = false
  function check(): void {
    const left = touched + limit - clock.now()
    if (left <= 0) expired()
    else cancel = clock.after(left, check)
  }
  return {
    touch() {
      touched = clock.now()
      if (!stopped) return
      stopped = false
      cancel = clock.after(limit, check)
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
