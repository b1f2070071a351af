// One request and its reply, from the first byte to the last: what is known of it, and the one place
// that counts and logs it when it ends, on every path.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'
import type { Fault, FaultSource } from '../base/fault.ts'
import { framesOf } from '../base/frames.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { UNKNOWN_OPERATION } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import type { PurchaseOutcome } from '../opusdns/purchase-outcome.ts'
import { lingerAfterReply } from './linger.ts'
import { METHODS } from './methods.ts'
import type { Noted } from './noted.ts'
import type { RequestIds } from './request-id.ts'
import type { StreamGarbage } from './stream-garbage.ts'

/** What every exchange reports to. */
export interface ExchangeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly nextId: RequestIds
  readonly streamed: StreamGarbage
  /** False to write no access line for requests that went well. */
  readonly accessLog: boolean
}

const REQUEST_ID = /^[\w.-]{1,128}$/

/** nginx's code for a client that left before it was answered; only in log and metrics. */
const CLIENT_GONE = 499

/**
 * State of one exchange. A class, for it is made once for each request and has many fields; all
 * decisions are made elsewhere and written down here.
 */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Kept apart: undici takes it off a request whose body it has read. */
  readonly socket: Socket
  /** `X-Request-Id`: the caller's own, or a new one. */
  readonly id: string
  readonly startedAt: number
  /** Canonical path; of a request that the guard refused, what is to be shown of it. */
  path = ''
  /** Query with its `?`, or empty. Never logged. */
  query = ''
  operation: Operation = UNKNOWN_OPERATION
  consumer = 'none'
  /** How the consumer was identified, or which key was refused; empty before that. */
  by = ''
  /** What the policy said; `undefined` before that. */
  noted: Noted | undefined
  /** The body, where it is held whole. */
  content: Buffer | undefined
  /** SHA-256 (hex) of a body that was streamed, when all of it came; only where somebody records it. */
  streamedSha256: string | undefined
  /** True when nothing is to be written at OpusDNS: see dry-run.ts. */
  dryRun = false
  /** `RateLimit` fields for the answer of OpusDNS, a flat list. */
  quota: readonly string[] | undefined
  /** Which part gave the answer. */
  source: FaultSource = 'proxy'
  fault: Fault | undefined
  /** When the request was first sent upstream; 0 if never. */
  sentAt = 0
  /** When the head of the upstream's reply came; 0 if never. */
  answeredAt = 0
  /** What the upstream's last reply says of a billable request. */
  outcome: PurchaseOutcome = 'unclear'
  /** `x-server-request-id` of the upstream. */
  upstreamId: string | undefined
  /** Times that the request was sent upstream. */
  attempts = 0
  /** True once the client left, or everything was answered. */
  closed = false
  /** Called once when the client leaves before its answer is complete. */
  onAbandoned: (() => void) | undefined
  /** Ends an exchange that is already on its way upstream; `undefined` before that. */
  onExpired: ((fault: Fault) => void) | undefined
  readonly #deps: ExchangeDeps
  #ending: (() => void)[] | undefined

  constructor(request: IncomingMessage, response: ServerResponse, deps: ExchangeDeps) {
    this.request = request
    this.response = response
    this.socket = request.socket
    this.startedAt = deps.clock.now()
    this.#deps = deps
    const given = request.headers['x-request-id']
    this.id = typeof given === 'string' && REQUEST_ID.test(given) ? given : deps.nextId()
    deps.metrics.inflight(1)
    // `close` comes on every path: after the last byte of the reply, or when the client leaves.
    response.on('close', () => this.#end())
  }

  /** What the client got; 499 when it left before. */
  get status(): number {
    return this.response.headersSent ? this.response.statusCode : CLIENT_GONE
  }

  /** True once there is an answer, or nobody to answer to. */
  get settled(): boolean {
    return this.closed || this.response.headersSent
  }

  /** Forgets what was asked upstream on the way to the decision: nothing of the request itself was sent. */
  begunAnew(): void {
    this.attempts = 0
    this.sentAt = 0
    this.answeredAt = 0
    this.outcome = 'unclear'
    this.upstreamId = undefined
    this.source = 'proxy'
  }

  /**
   * Makes this the last exchange of its connection: what the client still sends is dropped, and is no
   * request. Call it before the head of the reply is written.
   */
  closeAfterReply(): void {
    this.response.shouldKeepAlive = false
    lingerAfterReply(this.socket, this.#deps.clock)
  }

  /** Has `callback` called once when the exchange is over, however it went, after those before it. */
  atEnd(callback: () => void): void {
    if (this.closed) callback()
    else if (this.#ending === undefined) this.#ending = [callback]
    else this.#ending.push(callback)
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.#deps.clock.now()
  }

  /** Tells of a piece of the reply's body that was streamed. */
  streamed(bytes: number): void {
    this.#deps.streamed(bytes)
  }

  #end(): void {
    this.closed = true
    const complete = this.response.writableFinished
    if (!complete) this.onAbandoned?.()
    this.onAbandoned = undefined
    const { log, metrics, clock, accessLog } = this.#deps
    for (const callback of this.#ending ?? []) {
      try {
        callback()
      } catch (error) {
        // The others still have to give back what they hold.
        log.error({ id: this.id, cause: framesOf(error).join(' ') }, 'end of an exchange failed')
      }
    }
    const milliseconds = clock.now() - this.startedAt
    const upstream =
      this.answeredAt > 0 && this.sentAt > 0 ? this.answeredAt - this.sentAt : undefined
    const method = boundedMethod(this.request.method)
    metrics.inflight(-1)
    if (this.noted !== undefined) {
      const { decision, mode } = this.noted
      metrics.decision(this.consumer, decision.kind === 'denied' ? 'deny' : 'allow', mode)
    }
    if (this.fault?.limit !== undefined) metrics.limitHit(this.fault.limit)
    metrics.request({
      consumer: this.consumer,
      method,
      operation: this.operation.template,
      code: String(this.status),
      source: this.source,
      seconds: milliseconds / 1000,
      upstreamSeconds: upstream === undefined ? undefined : upstream / 1000,
    })
    const level = this.fault !== undefined && this.fault.status >= 500 ? 'warn' : 'info'
    if (level === 'info' && !accessLog) return
    log.access({
      level,
      id: this.id,
      method,
      operation: this.operation.template,
      path: this.path,
      status: this.status,
      source: this.source,
      consumer: this.consumer,
      ms: milliseconds,
      upstreamMs: upstream,
      upstreamId: this.upstreamId,
      attempts: this.attempts,
      code: this.fault?.code,
      cause: this.fault === undefined ? undefined : causeOf(this.fault),
      complete,
    })
  }
}

/** A method as a metric label: one of the seven, or `other`. */
function boundedMethod(method: string | undefined): string {
  return method !== undefined && METHODS.has(method) ? method : 'other'
}

/** Code of the error behind a fault. Never its text, which may quote what was read. */
function causeOf(fault: Fault): string | undefined {
  const { cause } = fault
  if (cause === undefined) return undefined
  // An error of our own making shows where it came from; its message is not trusted to be clean.
  if (fault.code === 'internal' && cause instanceof Error) {
    return [cause.name, ...framesOf(cause).map((line) => line.trim())].join(' ')
  }
  return errorCode(cause) || (cause instanceof Error ? cause.name : 'unknown')
}
