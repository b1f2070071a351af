// The last step of the journey: sends one request upstream with the credential attached and has the
// reply written back. Decides about second tries: a request goes out again only when it provably did
// nothing the first time.

import type { Attachment, Credential } from '../credentials/credential.ts'
import type { EchoFilter } from '../credentials/echo.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Metrics } from '../observe/metrics.ts'
import { isEventStream } from '../opusdns/operations.ts'
import { connectionDied } from '../opusdns/upstream-faults.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import { Attempt } from './attempt.ts'
import type { AttemptOwner, Progress, Receiver } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { Pace } from './pace.ts'
import { breakOff, refuse } from './refusal.ts'
import type { ReplyContext, ReplyHead } from './reply-head.ts'
import { ReplyWriter } from './reply-writer.ts'
import type { Flow } from './reply-writer.ts'
import { dropBody } from './request-body.ts'
import type { Body } from './request-body.ts'
import { maskable, withoutCodings } from './masked-reply.ts'
import { secretMask } from './secret-mask.ts'

/** What forwarding needs besides the exchange. */
export interface ForwardDeps {
  readonly upstream: Upstream
  readonly credential: Credential
  /** For `X-Organization-Context`, if the consumer is bound to a sub-organization. */
  readonly organization?: string | undefined
  readonly metrics: Metrics
  readonly clock: Clock
  /** Our name in `Via`. */
  readonly pseudonym: string
  /** Milliseconds that a request may wait for a connection. */
  readonly queueTimeout: number
}

/** Another use of a reply than to write it to the client as it comes. */
export interface Reading {
  /** What is asked for in place of the client's own path and query. */
  readonly target: string
  /** See `AttemptOwner.receive`; `echo` finds the credential that was sent. */
  receive(
    status: number,
    head: ReplyHead,
    echo: EchoFilter,
    flow: Flow,
    failed: (fault: Fault) => void,
  ): Receiver
  /** Called in place of an answer to the client, where it goes on without a reply. */
  readonly lost?: (() => void) | undefined
}

/** Safe methods (RFC 9110 section 9.2.1): doing them twice does no harm. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Sends the request of `exchange` upstream. `fields` holds no credential yet; `body` belongs to this
 * function from now on. With `masks`, transfer codes and the like are masked in the reply.
 */
export function forward(
  exchange: Exchange,
  fields: readonly string[],
  body: Body,
  deps: ForwardDeps,
  masks: boolean,
): void {
  if (masks) new Errand(exchange, withoutCodings(fields), body, deps, true, undefined).send()
  else new Errand(exchange, fields, body, deps, false, undefined).send()
}

/**
 * Asks the upstream for `reading.target` on behalf of `exchange`, with GET, and has `reading` take the
 * reply. What fails is answered to the client.
 */
export function read(
  exchange: Exchange,
  fields: readonly string[],
  deps: ForwardDeps,
  reading: Reading,
): void {
  new Errand(exchange, fields, null, deps, false, reading).send()
}

/** One request on its way, over all attempts at it. */
class Errand implements AttemptOwner {
  readonly #exchange: Exchange
  readonly #fields: string[]
  readonly #body: Body
  readonly #deps: ForwardDeps
  readonly #context: ReplyContext
  readonly #masks: boolean
  readonly #reading: Reading | undefined
  #attachment: Attachment | undefined
  #rejected: Attachment | undefined
  /** To send in place of `#rejected`. */
  #better: Attachment | undefined
  #stopWaiting: Cancel | undefined
  readonly #pace: Pace
  #retried = false
  #replayed = false

  constructor(
    exchange: Exchange,
    fields: readonly string[],
    body: Body,
    deps: ForwardDeps,
    masks: boolean,
    reading: Reading | undefined,
  ) {
    this.#exchange = exchange
    // One id on both sides, so that our log and the upstream's tell of the same request.
    this.#fields = [...fields, 'X-Request-Id', exchange.id]
    if (deps.organization !== undefined) {
      this.#fields.push('X-Organization-Context', deps.organization)
    }
    this.#body = body
    this.#deps = deps
    this.#masks = masks
    this.#reading = reading
    this.#context = {
      pseudonym: deps.pseudonym,
      id: exchange.id,
      origin: deps.upstream.origin,
      more: exchange.quota,
    }
    const path = reading?.target.split('?', 1)[0] ?? exchange.path
    this.#pace = new Pace(exchange, deps, `${this.#method} ${path}`)
  }

  send(): void {
    const exchange = this.#exchange
    const body = this.#body
    if (body !== null && !Buffer.isBuffer(body) && body.errored !== null) {
      // The client gave up, or stalled, while we waited for the credential.
      refuse(exchange, body.errored)
      return
    }
    const tooMany = this.#pace.refusal()
    if (tooMany !== undefined) {
      if (this.#reading?.lost !== undefined) {
        this.#reading.lost()
        return
      }
      dropBody(body)
      refuse(exchange, tooMany)
      return
    }
    const attempt = new Attempt(exchange, this, this.#context)
    exchange.attempts += 1
    exchange.onExpired = (fault) => attempt.expire(fault)
    exchange.onAbandoned = () => {
      this.#stopWaiting?.()
      attempt.abandon()
      dropBody(body)
    }
    const takeBack = this.#deps.upstream.dispatch(
      {
        party: exchange.consumer,
        method: this.#method,
        path: this.#reading?.target ?? exchange.path + exchange.query,
        body,
        // Another idle connection may have died of the same cause.
        fresh: this.#retried,
        stream: isEventStream(exchange.operation),
      },
      attempt,
    )
    if (takeBack !== undefined) this.#wait(attempt, takeBack)
  }

  /** Bounds the time in the queue. */
  #wait(attempt: Attempt, takeBack: () => void): void {
    const { clock, queueTimeout } = this.#deps
    const cancel = clock.after(queueTimeout, () => {
      takeBack()
      attempt.expire(this.#pace.overdue())
    })
    this.#stopWaiting = () => {
      cancel()
      takeBack()
    }
  }

  /** What the proxy reads for itself is not the client's to see. */
  get hints(): boolean {
    return this.#reading === undefined
  }

  get echo(): EchoFilter {
    if (this.#attachment === undefined) throw new Error('nothing was sent yet')
    return this.#attachment.echo
  }

  fields(): string[] {
    const { credential } = this.#deps
    this.#stopWaiting?.()
    const now = credential.obtain()
    // One 401 does not change what serves, but this request has its other value.
    const present = now === this.#rejected && this.#better ? this.#better : now
    if (present instanceof Promise) {
      // It expired while the request waited for a connection. An expired one is never sent.
      present.catch(() => undefined)
      throw new Fault('token_unavailable', {
        detail: 'The token expired while the request waited for a connection to OpusDNS.',
        retryAfter: 1,
      })
    }
    this.#attachment = present
    this.#pace.sent()
    const fields = this.#fields.slice()
    // Last, so that no `Connection: x-api-key` and no client field can remove or double it.
    present.attach(fields)
    return fields
  }

  onAnswered(status: number, head: ReplyHead): void {
    this.#pace.answered(status, head)
  }

  receive(status: number, head: ReplyHead, flow: Flow, failed: (fault: Fault) => void): Receiver {
    if (this.#reading !== undefined) {
      return this.#reading.receive(status, head, this.echo, flow, failed)
    }
    const exchange = this.#exchange
    if (!this.#masks) return new ReplyWriter(exchange, status, head, this.echo, flow, failed)
    maskable(status, head, exchange.request.method)
    return new ReplyWriter(exchange, status, head, this.echo, flow, failed, secretMask())
  }

  onUnauthorized(): true | Promise<boolean> {
    const { credential, metrics } = this.#deps
    // Also when this request cannot profit: the next one shall have a better value.
    this.#rejected = this.#attachment
    const better = this.#attachment && credential.reject(this.#attachment)
    if (better === undefined || this.#replayed || this.#isStream()) {
      metrics.replays.inc({ outcome: this.#replayed ? 'rejected_again' : 'not_replayable' })
      return true
    }
    return better.then((attachment) => {
      if (attachment === undefined || this.#exchange.settled) {
        metrics.replays.inc({ outcome: 'no_other_value' })
        return true
      }
      metrics.replays.inc({ outcome: 'replayed' })
      this.#replayed = true
      this.#better = attachment
      this.send()
      return false
    })
  }

  onFailure(fault: Fault, progress: Progress): void {
    const exchange = this.#exchange
    if (exchange.closed || (exchange.settled && !progress.begun)) return
    if (progress.begun) {
      exchange.fault = fault
      breakOff(exchange)
    } else if (this.#mayRetry(fault, progress)) {
      this.#retried = true
      this.send()
    } else if (this.#reading?.lost !== undefined && fault.code !== 'total_timeout') {
      this.#reading.lost()
    } else {
      refuse(exchange, this.#outcome(fault, progress))
    }
  }

  /** The usual case: an idle connection that the upstream closed as we wrote. */
  #mayRetry(fault: Fault, progress: Progress): boolean {
    const fresh = progress.sent && !progress.answered && !this.#retried
    return fresh && SAFE.has(this.#method) && !this.#isStream() && connectionDied(fault)
  }

  /** What to tell the client: never a 5xx for a purchase that may have happened. */
  #outcome(fault: Fault, progress: Progress): Fault {
    // The client's own body was at fault, or came too slowly: the upstream has no whole request.
    if (fault.source !== 'upstream') return fault
    const asks = this.#reading !== undefined
    if (asks || !progress.sent || !this.#exchange.operation.billable) return fault
    return new Fault('outcome_unknown', {
      detail:
        'The connection failed after the request was sent, so it may have been carried out and ' +
        'charged. It was not sent again. Check the state at OpusDNS before you repeat it.',
      cause: fault,
    })
  }

  /** A reading never does what the client's own request would. */
  get #method(): string {
    return this.#reading === undefined ? (this.#exchange.request.method ?? '') : 'GET'
  }

  #isStream(): boolean {
    return this.#body !== null && !Buffer.isBuffer(this.#body)
  }
}
