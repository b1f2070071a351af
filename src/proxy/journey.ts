// The journey of a request, in the one order there is: guard, who, what, may they, how often, with
// what, go. The order is code and no option, for it is a security setting.

import type { IncomingMessage, ServerResponse } from 'node:http'

import { Hono } from 'hono'

import { Fault } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import type { Identity } from '../consumers/caller.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import { namedListMember } from '../opusdns/lists.ts'
import {
  bodyClassOf,
  canonicalRoute,
  grantedOperationOf,
  operationOf,
} from '../opusdns/operations.ts'
import type { BodyClass } from '../opusdns/operations.ts'
import type { ZoneWrite } from '../opusdns/zone-write.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'
import { after } from './after.ts'
import type { Admission } from './admission.ts'
import type { AuditTrail } from './audit-trail.ts'
import type { Consumer } from './consumer.ts'
import { dryRunOf, dryRunReply, isDryRun } from './dry-run.ts'
import { Exchange } from './exchange.ts'
import { forward } from './forward.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { HostGuard } from './host-guard.ts'
import { useOf, wholeBody } from './body-use.ts'
import type { BodyUse } from './body-use.ts'
import { identification } from './identification.ts'
import { listReply } from './list-reply.ts'
import { lookUp } from './look-up.ts'
import { answerLogin } from './local-token.ts'
import { masksReply } from './masked-reply.ts'
import { METHODS } from './methods.ts'
import { permission } from './permission.ts'
import { purchases } from './purchases.ts'
import type { LimitSettings } from './options.ts'
import { refuse } from './refusal.ts'
import { dropBody, takeBody } from './request-body.ts'
import type { Body, BodyOptions, Bound } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { requestGuard } from './request-guard.ts'
import { requestIds } from './request-id.ts'
import { streamGarbage } from './stream-garbage.ts'
import { verdict } from './verdict.ts'

/** See `journey`. Durations are milliseconds, sizes bytes. */
export interface JourneyOptions extends LimitSettings {
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
  readonly identity: Identity
  /** By name: all that `identify` may name. */
  readonly consumers: ReadonlyMap<string, Consumer>
  readonly tokens: IssuedTokens
  /** Shared with the journeys before and after a reload, as is `memory`. */
  readonly room: Admission
  readonly memory: HeldBytes
  /** `undefined` when nothing is recorded. */
  readonly trail: AuditTrail | undefined
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
  const { clock, log, metrics, room, memory } = deps
  const nextId = requestIds()
  const streamed = streamGarbage({ every: STREAMED_BYTES }, deps.collectYoung)
  const exchangeDeps = { clock, log, metrics, nextId, streamed, accessLog: options.accessLog }
  const passed = {
    heldBytes: options.replayBodySize,
    mustHold: false,
    room: memory,
    idleTimeout: options.requestBodyIdleTimeout,
    timeout: options.requestBodyTimeout,
    streamed,
    digested: deps.trail !== undefined,
  }
  const watched = { ...passed, heldBytes: options.judgedBodySize }
  const bodyLimits: Readonly<Record<BodyUse, BodyOptions>> = {
    passed,
    watched,
    // What must be judged must be held.
    needed: { ...watched, mustHold: true },
  }
  const bounds: Readonly<Record<BodyClass, Bound>> = {
    read: { bytes: options.bodySize.read, option: 'limits.body_size.read' },
    write: { bytes: options.bodySize.write, option: 'limits.body_size.write' },
    bulk: { bytes: options.bodySize.bulk, option: 'limits.body_size.bulk' },
  }
  const judged: Bound = { bytes: options.judgedBodySize, option: 'limits.judged_body_size' }
  const guard = requestGuard(options, deps.hostGuard)
  const identified = identification(deps)
  const note = verdict(deps)
  const permit = permission(note)
  const buy = purchases({ ...deps, note })
  const answerList = listReply(memory)
  const foretell = dryRunReply(memory)

  /** From "who?" to "go": for everything under `/v1/`. */
  function pass({ exchange, head }: Passage): void {
    // Hono's `/v1/*` matches `/v1` too.
    if (exchange.path === '/v1') throw nowhere()
    exchange.path = canonicalRoute(exchange.path)
    // First, so that the record of a stranger says what was asked for.
    exchange.operation = grantedOperationOf(exchange.request.method ?? '', exchange.path)
    const consumer = identified(exchange, head)
    const line = permit.byLine(exchange, consumer)
    room.begin(exchange, consumer)
    const undecided = line !== 'decided' && line.kind === 'body'
    exchange.dryRun = isDryRun(exchange, head, consumer)
    const use = useOf(exchange, undecided, consumer.mode === 'report', deps.trail !== undefined)
    const group = bodyClassOf(exchange.request.method ?? '', exchange.operation)
    const bound = use === 'needed' ? judged : bounds[group]
    takeBody(exchange, head.contentLength, bound, bodyLimits[use], clock, (fault, body) => {
      if (exchange.settled) {
        dropBody(body)
        return
      }
      try {
        if (fault !== undefined) throw fault
        const bytes = use === 'passed' ? undefined : wholeBody(body)
        if (Buffer.isBuffer(body)) exchange.content = body
        if (undecided && bytes === undefined) permit.unread(exchange, consumer)
        else if (undecided && bytes !== undefined) permit.byBody(exchange, consumer, head, bytes)
        else if (bytes !== undefined) permit.watch(exchange, head, bytes)
        const write = exchange.dryRun ? dryRunOf(exchange, head, consumer, bytes, note) : undefined
        room.enter(exchange, consumer)
        const drop = () => dropBody(body)
        const go = () => send(exchange, consumer, head, body, write)
        const depart = () => {
          deps.trail?.ahead(exchange)
          after(exchange, consumer.way.credential.obtain(), go, drop)
        }
        // What is only tried out costs nothing.
        const pay = () =>
          after(exchange, write === undefined ? buy(exchange, consumer) : undefined, depart, drop)
        if (line === 'decided' || line.kind === 'body') pay()
        else {
          exchange.atEnd(drop)
          const asker = { way: consumer.way, room: memory, lenient: consumer.mode === 'report' }
          lookUp(exchange, head.fields, line.reading, asker, (found) => {
            permit.byLine(exchange, consumer, found)
            pay()
          })
        }
      } catch (error) {
        dropBody(body)
        refuse(exchange, error)
      }
    })
  }

  /** Sends it on; or reads the list that only a part of may be shown, or the zone of a dry run. */
  function send(
    exchange: Exchange,
    consumer: Consumer,
    head: RequestHead,
    body: Body,
    write: ZoneWrite | undefined,
  ): void {
    const { mode, policy, way } = consumer
    if (write !== undefined) {
      foretell(exchange, head.fields, write, way)
      return
    }
    const masks = masksReply(exchange, policy)
    const decision = exchange.noted?.decision
    const member = namedListMember(exchange.operation)
    if (decision?.kind !== 'filtered' || mode === 'report') {
      forward(exchange, head.fields, body, way, masks)
      return
    }
    if (member === undefined) throw new Error('a list without names cannot be filtered')
    dropBody(body)
    answerList(exchange, head.fields, { member, sees: decision.sees, masks }, way)
  }

  const app = new Hono<{ Bindings: Passage }>({
    // The judged path, not one that a URL parser made of it.
    getPath: (_request, call) => (call as { env: Passage }).env.exchange.path,
  })
  app.post('/v1/auth/token', (c) => {
    const { exchange, head } = c.env
    exchange.operation = operationOf('POST', exchange.path)
    answerLogin(exchange, head, passed, deps)
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
    deps.trail?.follow(exchange)
    try {
      const head = guard(exchange)
      if (request.method === 'OPTIONS' && head.maxForwards === '0') {
        // RFC 9110 section 7.6.2: it ends here, whatever the upstream would say.
        identified(exchange, head)
        if (head.contentLength !== 0) exchange.closeAfterReply()
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
