// One try to have a request answered by the upstream: the handler that the client library calls.
// Passes the reply to whoever its owner has take it, or tells the owner why there is none.

import { purchaseOutcome } from '../opusdns/purchase-outcome.ts'
import { upstreamFault } from '../opusdns/upstream-faults.ts'
import type { Dispatcher } from '../opusdns/client-library.ts'
import type { Lane, UpstreamHandler } from '../opusdns/upstream.ts'
import type { EchoFilter } from '../credentials/echo.ts'
import { Fault } from '../base/fault.ts'
import { writeEarlyHints } from './early-hints.ts'
import type { Exchange } from './exchange.ts'
import { readReplyHead } from './reply-head.ts'
import type { ReplyContext, ReplyHead } from './reply-head.ts'
import { mayHaveBody } from './reply-writer.ts'
import type { Flow } from './reply-writer.ts'

/** How far an attempt came before it failed. */
export interface Progress {
  /** True once bytes may have reached the upstream. */
  readonly sent: boolean
  /** True once the upstream's head was read. */
  readonly answered: boolean
  /** True once the client has a head: nothing else can be said to it. */
  readonly begun: boolean
}

/** Takes the reply of one attempt. */
export interface Receiver {
  /** True once the client has a head. */
  readonly begun: boolean
  /** Takes the next piece of the body. */
  data(piece: Buffer): void
  /** The reply is whole. */
  end(): void
  /** Nothing more may come for long: passes on what it holds. */
  flush(): void
  /** The reply will not become whole. */
  abandon(): void
}

/** Who an attempt reports to. */
export interface AttemptOwner {
  /** Finds the credential that was sent, should the reply show it. */
  readonly echo: EchoFilter
  /** Whether early hints are for the client. */
  readonly hints: boolean
  /** The fields to send now, with the credential. Throws a Fault when there is none. */
  fields(): string[]
  /** Called once with the head of any reply, before all else. */
  onAnswered(status: number, head: ReplyHead): void
  /**
   * Called on a 401, before anything is written. `true`: write it through. A promise: the reply is
   * held back until it says whether to write it (`true`) or to drop it (`false`).
   */
  onUnauthorized(): true | Promise<boolean>
  /**
   * Called once with the head of the reply, for the one who takes its body. `failed` says that the
   * reply cannot be used after all; `flow` makes its body wait. Throws a Fault for a head that cannot be
   * used.
   */
  receive(status: number, head: ReplyHead, flow: Flow, failed: (fault: Fault) => void): Receiver
  /** Called at most once, when there will be no (further) reply. */
  onFailure(fault: Fault, progress: Progress): void
}

/** A discarded reply larger than this costs more to read than a new connection. */
const DISCARD_BYTES = 64 * 1024

/** A class, for one is made for each request on the hot path. */
export class Attempt implements UpstreamHandler {
  release: (() => void) | undefined
  #lane: Lane | undefined
  readonly #exchange: Exchange
  readonly #owner: AttemptOwner
  readonly #context: ReplyContext
  #controller: Dispatcher.DispatchController | undefined
  #sent = false
  #over = false
  /** True while a 401 waits for its verdict; what happens meanwhile waits in `#next`. */
  #held = false
  #next: (() => void) | undefined
  #status = 0
  #head: ReplyHead | undefined
  #writer: Receiver | undefined
  #discarded = 0

  constructor(exchange: Exchange, owner: AttemptOwner, context: ReplyContext) {
    this.#exchange = exchange
    this.#owner = owner
    this.#context = context
  }

  /** Ends the attempt without a word: the client left. Its connection is not used again. */
  abandon(): void {
    this.#over = true
    this.#writer?.abandon()
    this.#controller?.abort(new Error('the client left'))
  }

  /** Ends the attempt with `fault`: nobody waits any longer. Its connection is not used again. */
  expire(fault: Fault): void {
    if (!this.#over) this.#refuse(fault)
  }

  onLane(lane: Lane): string[] {
    if (this.#over) throw new Error('nobody waits for it')
    this.#lane = lane
    return this.#owner.fields()
  }

  onEarlyHints(links: readonly string[]): void {
    if (!this.#over && links.length > 0 && this.#owner.hints)
      writeEarlyHints(this.#exchange, links, this.#owner.echo)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) {
      controller.abort(new Error('the client left'))
      return
    }
    this.#sent = true
    // Of a request that is sent again, an earlier refusal says nothing.
    this.#exchange.outcome = 'unclear'
    if (this.#exchange.sentAt === 0) this.#exchange.sentAt = this.#exchange.now()
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason = '',
  ): void {
    if (this.#over) return
    const exchange = this.#exchange
    exchange.answeredAt = exchange.now()
    if (exchange.operation.billable) {
      exchange.outcome = purchaseOutcome(status, controller.rawHeaders as Buffer[])
    }
    this.#status = status
    try {
      if (status > 599 || reason.includes('\0')) {
        throw new Fault('upstream_protocol', {
          detail: 'The upstream answered with no status line of HTTP.',
        })
      }
      this.#head = readReplyHead(controller.rawHeaders as Buffer[], this.#context, this.#owner.echo)
    } catch (error) {
      this.#refuse(upstreamFault(error))
      return
    }
    exchange.upstreamId = this.#head.upstreamId
    this.#owner.onAnswered(status, this.#head)
    if (this.#head.chunked && this.#lane?.old === true) {
      // RFC 9112 section 6.1: HTTP/1.0 knows no chunks; somebody on the way did not understand them.
      this.#refuse(upstreamFault({ code: 'HPE_INVALID_TRANSFER_ENCODING' }))
      return
    }
    const verdict = status === 401 ? this.#owner.onUnauthorized() : true
    if (verdict === true) {
      this.#begin(controller)
      return
    }
    controller.pause()
    this.#held = true
    void verdict.then((write) => {
      this.#held = false
      if (!this.#over && write) {
        this.#begin(controller)
        this.#next?.()
      } else {
        this.#over = true
      }
      controller.resume()
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (!this.#over) {
      this.#writer?.data(piece)
      return
    }
    this.#discarded += piece.length
    if (this.#discarded > DISCARD_BYTES) controller.abort(new Error('not wanted'))
  }

  onResponseEnd(): void {
    this.#free()
    if (this.#over) return
    if (this.#held) {
      // A reply without a body ends although it was paused.
      this.#next = () => this.onResponseEnd()
      return
    }
    if (!this.#endsWithConnection()) {
      this.#over = true
      this.#writer?.end()
      return
    }
    // A reset looks like a clean end to the client library; the socket knows better, one turn later.
    this.#writer?.flush()
    setImmediate(() => {
      if (this.#over) return
      if (this.#lane?.failed === true || this.#lane?.vague === true) {
        this.#fail(upstreamFault({ code: 'ECONNRESET' }))
        return
      }
      this.#over = true
      this.#writer?.end()
    })
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.#free()
    if (this.#over) return
    if (this.#held) this.#next = () => this.#fail(upstreamFault(error))
    else this.#fail(upstreamFault(error))
  }

  /** Lets the next request have the connection. */
  #free(): void {
    const { release } = this
    this.release = undefined
    release?.()
  }

  #begin(controller: Dispatcher.DispatchController): void {
    if (this.#head === undefined) return
    try {
      this.#writer = this.#owner.receive(this.#status, this.#head, controller, (fault) =>
        this.#refuse(fault),
      )
    } catch (error) {
      this.#refuse(Fault.from(error))
    }
  }

  /** True for a body that is neither chunked nor measured (RFC 9112 section 6.3 rule 8). */
  #endsWithConnection(): boolean {
    const head = this.#head
    return (
      head !== undefined &&
      !head.chunked &&
      head.contentLength === undefined &&
      mayHaveBody(this.#status, this.#exchange.request.method)
    )
  }

  /** The reply cannot be passed on: fails, and drops the connection that brought it. */
  #refuse(fault: Fault): void {
    this.#fail(fault)
    this.#controller?.abort(new Error('unusable reply'))
  }

  #fail(fault: Fault): void {
    this.#over = true
    this.#writer?.abandon()
    this.#owner.onFailure(fault, {
      sent: this.#sent,
      answered: this.#head !== undefined,
      begun: this.#writer?.begun ?? false,
    })
  }
}
