// The journey of a request, in the one order there is: guard, who, what, may they, how often, with
// what, go. The order is code and no option, for it is a security setting.

import type { IncomingMessage, ServerResponse } from 'node:http'

import { Hono } from 'hono'

import { Fault } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import type { Credential } from '../credentials/credential.ts'
import type { Identify } from '../consumers/identity.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { canonicalTarget } from '../opusdns/canonical-path.ts'
import { operationOf } from '../opusdns/operations.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import { BLOCK_GROUPS } from '../policy/block-list.ts'
import type { BlockList } from '../policy/block-list.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'
import { Exchange } from './exchange.ts'
import { forward } from './forward.ts'
import type { HostGuard } from './host-guard.ts'
import { answerTokenRequest } from './local-token.ts'
import { METHODS } from './methods.ts'
import { refuse } from './refusal.ts'
import { takeBody } from './request-body.ts'
import { readRequestHead } from './request-head.ts'
import type { RequestHead } from './request-head.ts'
import { requestIds } from './request-id.ts'
import { streamGarbage } from './stream-garbage.ts'

/** See `journey`. Durations are milliseconds, sizes bytes. */
export interface JourneyOptions {
  /** Request bodies up to this size are held in memory and can be replayed after a 401. */
  readonly replayBodySize: number
  readonly requestBodyIdleTimeout: number
  /** Requests served at once; one more is refused with 503. */
  readonly inFlight: number
  /** False writes access lines only for failures. */
  readonly accessLog: boolean
  /** Our name in `Via`: unique to this process, so that proxies may be chained. */
  readonly pseudonym: string
}

/** The parts that a journey passes through. */
export interface JourneyDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly hostGuard: HostGuard
  readonly identify: Identify
  readonly blocked: BlockList
  readonly tokens: IssuedTokens
  readonly credential: Credential
  readonly upstream: Upstream
  /** Frees young objects at once; `undefined` when the process cannot. */
  readonly collectYoung: (() => void) | undefined
}

/** A listener for `node:http` servers. */
export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void

/** Streamed bytes between two collections: a collection takes well under a millisecond. */
const STREAMED_BYTES = 4 * 1024 * 1024

/** What one request carries through Hono. */
interface Passage {
  readonly exchange: Exchange
  readonly head: RequestHead
}

// Hono routes by method and by the path that we judged (`getPath`), and passes on what a handler
// returns. Nothing else is asked of its web Request and Response, so these stand for them: none is
// built for a request, no URL parser reads ours, and Node.js need not load its fetch (8 MB).
// (For HEAD, Hono would build a Response; our routes do not tell it from GET.)
const ROUTED = new Map(
  [...METHODS].map((method) => [method, { method: method === 'HEAD' ? 'GET' : method } as Request]),
)
const ANSWERED = {} as Response

/** Builds the listener. Does no I/O. */
export function journey(options: JourneyOptions, deps: JourneyDeps): RequestListener {
  const { clock, log, metrics, credential } = deps
  const nextId = requestIds()
  const streamed = streamGarbage({ every: STREAMED_BYTES }, deps.collectYoung)
  const exchangeDeps = { clock, log, metrics, nextId, streamed, accessLog: options.accessLog }
  const bodyLimits = {
    heldBytes: options.replayBodySize,
    idleTimeout: options.requestBodyIdleTimeout,
    streamed,
  }
  const forwardDeps = {
    upstream: deps.upstream,
    credential,
    metrics,
    pseudonym: options.pseudonym,
  }
  let inFlight = 0
  const release = () => {
    inFlight -= 1
  }

  /** Guard: what can be refused on sight. Fills in path and query. */
  function guard(exchange: Exchange): RequestHead {
    const { request } = exchange
    if (request.httpVersionMajor !== 1) {
      throw new Fault('version_not_supported', { detail: 'This proxy speaks HTTP/1.1.' })
    }
    const head = readRequestHead(request, options.pseudonym)
    let target = request.url ?? ''
    let { host } = head
    const absolute = /^https?:\/\/([^/?#]*)/i.exec(target)
    if (absolute !== null) {
      // RFC 9112 section 3.2.2: the authority of an absolute-form target wins over Host.
      host = absolute[1] ?? ''
      target = target.slice(absolute[0].length)
      if (!target.startsWith('/')) target = `/${target}`
    }
    if (!deps.hostGuard(host, exchange.socket)) {
      throw new Fault('host_not_allowed', {
        detail: 'The Host field names another server. List the names that callers use under hosts.',
      })
    }
    if (head.crossOrigin) {
      throw new Fault('cross_origin_refused', {
        detail: 'A web page of another site sent this request. Browsers have no business here.',
      })
    }
    const method = request.method ?? ''
    if (!METHODS.has(method)) {
      throw new Fault('method_not_allowed', { detail: 'The OpusDNS API has no such method.' })
    }
    if (method === 'OPTIONS' && target === '*') {
      throw new Fault('method_not_allowed', { detail: 'OPTIONS is answered for paths under /v1/.' })
    }
    const canonical = canonicalTarget(target)
    if ('refused' in canonical) {
      throw new Fault('path_not_canonical', { detail: canonical.refused })
    }
    exchange.path = canonical.path
    exchange.query = canonical.query
    return head
  }

  /** From "who?" to "go": for everything under `/v1/`. */
  function pass({ exchange, head }: Passage): void {
    // Hono's `/v1/*` matches `/v1` too.
    if (exchange.path === '/v1') throw nowhere()
    exchange.consumer = deps.identify(head.authorization)
    const method = exchange.request.method ?? ''
    // The only route of the API that ends in a slash; without it the upstream redirects.
    if (exchange.path === '/v1/tlds') exchange.path = '/v1/tlds/'
    exchange.operation = operationOf(method, exchange.path)
    const group = deps.blocked(method, exchange.path)
    metrics.decision(exchange.consumer, group === undefined ? 'allow' : 'deny')
    if (group !== undefined) {
      throw new Fault('blocked_by_default', {
        detail:
          `This operation ${BLOCK_GROUPS[group]}, so it is blocked by default. ` +
          `To allow it, list ${group} under policy.allow in the configuration file of the proxy.`,
      })
    }
    if (inFlight >= options.inFlight) {
      throw new Fault('overloaded', {
        detail: 'The proxy serves as many requests as limits.in_flight lets it.',
        retryAfter: 1,
      })
    }
    inFlight += 1
    exchange.onEnd = release
    invite(exchange)
    takeBody(exchange.request, head.contentLength, bodyLimits, clock, (fault, body) => {
      if (fault !== undefined) {
        refuse(exchange, fault)
        return
      }
      const attachment = credential.obtain()
      if (!(attachment instanceof Promise)) {
        forward(exchange, head.fields, body, forwardDeps)
        return
      }
      attachment.then(
        () => {
          if (!exchange.closed) forward(exchange, head.fields, body, forwardDeps)
        },
        (error: unknown) => {
          if (body !== null && !Buffer.isBuffer(body)) body.destroy()
          refuse(exchange, error)
        },
      )
    })
  }

  const app = new Hono<{ Bindings: Passage }>({
    // The judged path, not one that a URL parser made of it.
    getPath: (_request, call) => (call as { env: Passage }).env.exchange.path,
  })
  app.post('/v1/auth/token', (c) => {
    const { exchange, head } = c.env
    exchange.consumer = deps.identify(undefined)
    exchange.operation = operationOf('POST', exchange.path)
    invite(exchange)
    answerTokenRequest(exchange, head, deps.tokens, bodyLimits, clock)
    return ANSWERED
  })
  app.all('/v1/*', (c) => {
    try {
      pass(c.env)
    } catch (error) {
      refuse(c.env.exchange, error)
    }
    return ANSWERED
  })
  app.notFound((c) => {
    refuse(c.env.exchange, nowhere())
    return ANSWERED
  })
  app.onError((error, c) => {
    refuse(c.env.exchange, error)
    return ANSWERED
  })

  return function listener(request, response) {
    const exchange = new Exchange(request, response, exchangeDeps)
    try {
      const head = guard(exchange)
      if (request.method === 'OPTIONS' && head.maxForwards === '0') {
        // RFC 9110 section 7.6.2: it ends here, whatever the upstream would say.
        response.writeHead(204).end()
        return
      }
      const routed = ROUTED.get(request.method ?? '')
      if (routed !== undefined) void app.fetch(routed, { exchange, head })
    } catch (error) {
      refuse(exchange, error)
    }
  }
}

function nowhere(): Fault {
  return new Fault('not_found', { detail: 'This proxy forwards paths under /v1/ only.' })
}

/** Asks for the body of a client that waits to be asked; HTTP/1.0 knows no 100 (RFC 9110 10.1.1). */
function invite({ request, response }: Exchange): void {
  if (request.headers.expect !== undefined && request.httpVersionMinor > 0) response.writeContinue()
}
