// The last step of the journey: sends one request upstream with the credential attached, and writes
// the reply back as it comes. Raw from end to end, for this is the hot path. Decides about replays:
// a request goes out again only when it provably did nothing the first time.

import type { Attachment, Credential } from '../credentials/credential.ts'
import { Fault } from '../base/fault.ts'
import type { Metrics } from '../observe/metrics.ts'
import { isEventStream } from '../opusdns/operations.ts'
import { connectionDied, upstreamFault } from '../opusdns/upstream-faults.ts'
import type { Dispatcher, Lane, Upstream, UpstreamHandler } from '../opusdns/upstream.ts'
import type { Exchange } from './exchange.ts'
import { breakOff, refuse } from './refusal.ts'
import { readReplyHead } from './reply-head.ts'
import type { ReplyHead } from './reply-head.ts'
import type { Body } from './request-body.ts'

/** What forwarding needs besides the exchange. */
export interface ForwardDeps {
  readonly upstream: Upstream
  readonly credential: Credential
  readonly metrics: Metrics
  /** Our name in `Via`. */
  readonly pseudonym: string
}

/** Safe methods (RFC 9110 section 9.2.1): doing them twice does no harm. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A discarded 401 larger than this costs more to read than a new connection. */
const DISCARD_BYTES = 64 * 1024

/** One request on its way: what all attempts at it share. */
interface Errand {
  readonly exchange: Exchange
  readonly deps: ForwardDeps
  readonly target: string
  /** Fields to forward, without the credential. */
  readonly fields: string[]
  readonly body: Body
  retried: boolean
  replayed: boolean
}

/** Sends the request of `exchange` upstream. `body` belongs to this function from now on. */
export function forward(
  exchange: Exchange,
  fields: string[],
  body: Body,
  attachment: Attachment,
  deps: ForwardDeps,
): void {
  const target = exchange.path + exchange.query
  const errand: Errand = {
    exchange,
    deps,
    target,
    fields,
    body,
    retried: false,
    replayed: false,
  }
  send(errand, attachment)
}

function send(errand: Errand, attachment: Attachment): void {
  const { exchange, deps } = errand
  const attempt = new Attempt(errand, attachment)
  exchange.onAbandoned = () => attempt.abandon()
  exchange.attempts += 1
  // A list of its own for each attempt: the pool may keep it in a queue.
  const headers = errand.fields.slice()
  // Last, so that no `Connection: x-api-key` and no client field can remove or double it.
  attachment.attach(headers)
  try {
    deps.upstream.dispatch(
      {
        method: exchange.request.method ?? 'GET',
        path: errand.target,
        headers,
        body: errand.body,
        ...(isEventStream(exchange.operation) ? { bodyTimeout: 0 } : undefined),
      },
      attempt,
    )
  } catch (error) {
    // The client library did not accept the head; nothing was sent.
    refuse(
      exchange,
      new Fault('bad_request', { detail: 'The request head cannot be forwarded.', cause: error }),
    )
  }
}

type State =
  | 'waiting' // no reply head yet
  | 'deciding' // a 401 is held back until the credential has spoken
  | 'held' // head known, not yet written: the body may fit into the same write
  | 'streaming' // head written
  | 'over' // answered, discarded or abandoned

/** One attempt: undici's handler, and the writer of the reply. */
class Attempt implements UpstreamHandler {
  lane: Lane | undefined
  readonly #errand: Errand
  readonly #attachment: Attachment
  #state: State = 'waiting'
  #controller: Dispatcher.DispatchController | undefined
  #sent = false
  #status = 0
  #statusText = ''
  #head: ReplyHead | undefined
  /** The first piece of the body, until it is known whether more comes in the same read. */
  #first: Buffer | undefined
  #discarded = 0

  constructor(errand: Errand, attachment: Attachment) {
    this.#errand = errand
    this.#attachment = attachment
  }

  /** The client left: the upstream request ends too, and its connection is not used again. */
  abandon(): void {
    this.#state = 'over'
    const { body } = this.#errand
    if (body !== null && !Buffer.isBuffer(body)) body.destroy()
    this.#controller?.abort(new Error('the client left'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    const { exchange } = this.#errand
    if (exchange.closed || this.#state === 'over') {
      controller.abort(new Error('the client left'))
      return
    }
    // From here on, bytes may have reached the upstream.
    this.#sent = true
    if (exchange.sentAt === 0) exchange.sentAt = exchange.now()
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (status < 200 || this.#state === 'over') return
    const { exchange, deps } = this.#errand
    exchange.answeredAt = exchange.now()
    this.#status = status
    this.#statusText = statusText ?? ''
    try {
      this.#head = readReplyHead(controller.rawHeaders as Buffer[], {
        pseudonym: deps.pseudonym,
        id: exchange.id,
        origin: deps.upstream.origin,
      })
    } catch (error) {
      this.#fail(upstreamFault(error))
      controller.abort(new Error('bad reply head'))
      return
    }
    exchange.upstreamId = this.#head.upstreamId
    if (status === 401) {
      this.#decide(controller)
      return
    }
    this.#hold()
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    switch (this.#state) {
      case 'held':
        if (this.#first === undefined) {
          this.#first = piece
          return
        }
        this.#open()
        this.#write(controller, piece)
        return
      case 'streaming':
        this.#write(controller, piece)
        return
      case 'over':
        this.#discarded += piece.length
        if (this.#discarded > DISCARD_BYTES) controller.abort(new Error('not wanted'))
        return
      default:
    }
  }

  onResponseEnd(): void {
    if (this.#state === 'over') return
    const head = this.#head
    const closeDelimited =
      head !== undefined &&
      !head.chunked &&
      head.contentLength === undefined &&
      hasBody(this.#status, this.#errand.exchange.request.method)
    if (!closeDelimited) {
      this.#complete()
      return
    }
    // Such a body ends with the connection. A reset looks like a clean end to the client library;
    // the socket knows better, one turn later.
    if (this.#state === 'held') this.#open()
    setImmediate(() => {
      if (this.#state === 'over') return
      if (this.lane?.failed === true) this.#fail(upstreamFault({ code: 'ECONNRESET' }))
      else this.#complete()
    })
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#state === 'over') return
    this.#fail(upstreamFault(error))
  }

  /** Holds the head until this read is over: a small reply then leaves in a single write. */
  #hold(): void {
    this.#state = 'held'
    queueMicrotask(() => {
      if (this.#state === 'held') this.#open()
    })
  }

  /** Writes the head, and the first piece if there is one. */
  #open(): void {
    const { response } = this.#errand.exchange
    this.#state = 'streaming'
    if (!this.#writeHead()) return
    const first = this.#first
    this.#first = undefined
    if (first === undefined) response.flushHeaders()
    else if (this.#controller !== undefined) this.#write(this.#controller, first)
  }

  #writeHead(): boolean {
    const { exchange } = this.#errand
    const head = this.#head
    if (head === undefined) return false
    exchange.source = 'upstream'
    // The upstream answered before it read the whole body: what still comes must not be taken for
    // the next request.
    if (!exchange.request.complete) exchange.response.shouldKeepAlive = false
    let { fields } = head
    if (!hasLength(this.#status)) fields = withoutLength(fields, this.#status)
    try {
      exchange.response.writeHead(this.#status, this.#statusText, fields)
      return true
    } catch (error) {
      // A status or field that Node will not write.
      this.#fail(
        new Fault('upstream_protocol', {
          detail: 'The head of the upstream answer cannot be passed on.',
          cause: error,
        }),
      )
      this.#controller?.abort(new Error('bad reply head'))
      return false
    }
  }

  #write(controller: Dispatcher.DispatchController, piece: Buffer): void {
    const { response } = this.#errand.exchange
    if (!hasBody(this.#status, this.#errand.exchange.request.method)) return
    if (response.write(piece)) return
    controller.pause()
    response.once('drain', () => controller.resume())
  }

  #complete(): void {
    const { response, request } = this.#errand.exchange
    const small = this.#state === 'held'
    this.#state = 'over'
    if (small && !this.#writeHead()) return
    if (small && this.#first !== undefined && hasBody(this.#status, request.method)) {
      response.end(this.#first)
    } else {
      response.end()
    }
  }

  /** A 401: holds it back while the credential says whether there is a better value. */
  #decide(controller: Dispatcher.DispatchController): void {
    const { credential, metrics } = this.#errand.deps
    const { body, exchange, replayed } = this.#errand
    const streamed = body !== null && !Buffer.isBuffer(body)
    const verdict = credential.reject(this.#attachment)
    if (streamed || replayed) {
      metrics.replays.inc({ outcome: replayed ? 'rejected_again' : 'not_replayable' })
      this.#hold()
      return
    }
    this.#state = 'deciding'
    controller.pause()
    void verdict.then((better) => {
      if (this.#state !== 'deciding') return
      if (better === undefined || exchange.closed) {
        metrics.replays.inc({ outcome: 'no_other_value' })
        this.#hold()
      } else {
        metrics.replays.inc({ outcome: 'replayed' })
        this.#errand.replayed = true
        this.#state = 'over'
        send(this.#errand, better)
      }
      controller.resume()
    })
  }

  #fail(fault: Fault): void {
    const before = this.#state
    this.#state = 'over'
    const { exchange, retried } = this.#errand
    if (exchange.closed) return
    if (before === 'streaming') {
      exchange.fault = fault
      breakOff(exchange)
      return
    }
    const method = exchange.request.method ?? 'GET'
    if (before === 'waiting' && this.#sent && !retried && SAFE.has(method) && connectionDied(fault)) {
      // The usual case: an idle connection that the upstream closed as we wrote.
      this.#errand.retried = true
      send(this.#errand, this.#attachment)
      return
    }
    refuse(exchange, this.#outcome(fault))
  }

  /** What to tell the client: never a 5xx for a purchase that may have happened. */
  #outcome(fault: Fault): Fault {
    const { exchange } = this.#errand
    // The client's own body was at fault, or came too slowly.
    if (fault.source !== 'upstream') return fault
    if (!this.#sent || !exchange.operation.billable) return fault
    return new Fault('outcome_unknown', {
      detail:
        'The connection failed after the request was sent, so it may have been carried out and ' +
        'charged. It was not sent again. Check the state at OpusDNS before you repeat it.',
      cause: fault,
    })
  }
}

/** False for replies that have no body, whatever their head claims (RFC 9110 section 6.4.1). */
function hasBody(status: number, method: string | undefined): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304
}

/** False for replies whose `Content-Length` would be wrong (RFC 9110 sections 8.6 and 15.3.6). */
function hasLength(status: number): boolean {
  return status !== 204 && status !== 205
}

function withoutLength(fields: readonly string[], status: number): string[] {
  const kept: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (name.toLowerCase() !== 'content-length') kept.push(name, fields[index + 1] ?? '')
  }
  if (status === 205) kept.push('Content-Length', '0')
  return kept
}
