// The one place that opens connections to OpusDNS. The origin is fixed when
// the upstream is built: nothing in a request can name another host.

import type { Socket } from 'node:net'

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'
import { Client, Pool, buildConnector } from './client-library.ts'
import type { ClientInstance, ClientOptions, Dispatcher } from './client-library.ts'
import { queue } from './queue.ts'
import { gateReplies } from './reply-gate.ts'
import type { Awaiting, GateState } from './reply-gate.ts'
import { upstreamLimit } from './upstream-limit.ts'
import type { UpstreamLimit } from './upstream-limit.ts'
import { ask } from './question.ts'
import type { Answer, Question } from './question.ts'

/** See `upstream`. Durations are milliseconds, sizes bytes. */
export interface UpstreamOptions {
  /** Origin of the API: `https://…`, or `http://` to a loopback address. No path. */
  readonly base: string
  /** PEM text of CA certificates that are trusted besides the system's; `undefined` for none. */
  readonly ca: readonly string[] | undefined
  /** Connections kept at most; further requests queue. */
  readonly connections: number
  readonly connectTimeout: number
  /** From the last byte of the request to the head of the reply. */
  readonly headTimeout: number
  /** Between two pieces of a reply body. */
  readonly bodyIdleTimeout: number
  /** How long an unused connection is kept; keep it below the upstream's own limit. */
  readonly idleTimeout: number
  /** Largest reply head that is accepted. */
  readonly headerSize: number
  /** Whether several parties share the connections: then an eighth of them is out of reach of one alone. */
  readonly shared: boolean
}

/** One connection of the pool, so that a reply can be held against the socket that carried it. */
export interface Lane extends GateState {
  socket: Socket | undefined
  /** Set when the present socket failed, even after undici reported a clean end. */
  failed: boolean
  /**
   * True when the end of the connection proves nothing: Node.js does not tell whether TLS was closed
   * (RFC 9112 section 9.8) or cut by somebody on the way.
   */
  readonly vague: boolean
}

/** undici's handler, told which connection serves it. */
export interface UpstreamHandler extends Dispatcher.DispatchHandler, Awaiting {
  /** Set when a connection is free for it; to be called once the handler has its last call. */
  release: (() => void) | undefined
  /**
   * Called when a connection is free for the request, which may have waited long: takes note of the
   * connection, and returns the fields to send, the credential of this moment among them. What it
   * throws reaches `onResponseError`, and nothing is sent.
   */
  onLane(lane: Lane): string[]
}

/** One request for `Upstream.dispatch`. */
export interface UpstreamRequest {
  /** On whose behalf: those who wait are served one of each party in turn. */
  readonly party: string
  readonly method: string
  /** Origin-form target: path and query, byte for byte. */
  readonly path: string
  readonly body: Buffer | NodeJS.ReadableStream | null
  /**
   * True for a reply that may be silent for long and last for ever. Such ones have connections of their
   * own, half as many as the others, so that they keep none from them.
   */
  readonly stream?: boolean
  /** True to use a connection that nobody has used before, nor will again. */
  readonly fresh?: boolean
}

/** The OpusDNS API at one fixed origin. */
export interface Upstream {
  /** Scheme, host and port, without a trailing slash. */
  readonly origin: string
  /** What goes into `Host`: the name, and the port unless it is the scheme's default. */
  readonly host: string
  /** How fast OpusDNS may be asked; to be told of each answer. */
  readonly limit: UpstreamLimit
  /** Requests that wait for their turn now. */
  readonly waiting: number
  /**
   * Streams one request; the hot path. All outcomes reach the handler, a Pool that is closed too. When
   * no connection is free or OpusDNS wants no requests, it waits, and the function that takes it back is returned: then
   * nothing of it stays behind, and the handler hears no more.
   */
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): (() => void) | undefined
  /**
   * Asks one small question (a token, an introspection) on connections of its own, so that a full
   * pool cannot keep a token away. Follows no redirect. Rejects with a Fault of source `upstream`.
   */
  ask(question: Question): Promise<Answer>
  /** Ends when the last request that it was given is over; takes no further ones. */
  close(): Promise<void>
  /** Ends every connection at once. */
  destroy(): Promise<void>
}

/** Who asks a small question wants no hints. */
const NOBODY: Awaiting = { onEarlyHints: () => undefined }

/** See `queue`. Slow bodies and readers, and event streams, keep connections for as long as they like. */
const GREED = 7

/** Builds the upstream; opens no connection until the first request. */
export function upstream(options: UpstreamOptions, clock: Clock): Upstream {
  const { origin, host } = new URL(options.base)
  const connect = buildConnector({
    timeout: options.connectTimeout,
    // Written out, for an explicit value wins over NODE_TLS_REJECT_UNAUTHORIZED=0.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    allowH2: false,
    ...(options.ca === undefined ? {} : { ca: [...options.ca] }),
  })
  const shared: ClientOptions = {
    pipelining: 1,
    allowH2: false,
    strictContentLength: true,
    headersTimeout: options.headTimeout,
    bodyTimeout: options.bodyIdleTimeout,
    keepAliveTimeout: options.idleTimeout,
    // An upstream that promises a longer life does not make us keep a connection longer.
    keepAliveMaxTimeout: options.idleTimeout,
    keepAliveTimeoutThreshold: 1000,
    maxHeaderSize: options.headerSize,
  }

  // One Client is one connection; its lane tells a handler which socket serves it.
  function lane(
    to: string | URL,
    pipelining: 0 | 1,
    bodyTimeout = options.bodyIdleTimeout,
  ): ClientInstance {
    const state: Lane = {
      socket: undefined,
      failed: false,
      vague: origin.startsWith('https:'),
      awaiting: undefined,
      old: false,
    }
    const client = new Client(to, {
      ...shared,
      pipelining,
      bodyTimeout,
      connect(target, done) {
        connect(target, (error, socket) => {
          if (error) return done(error, null)
          state.socket = socket
          state.failed = false
          gateReplies(socket, state, options.headerSize)
          socket.on('error', (failure) => {
            // UND_ERR_INFO is how the client library itself closes a connection.
            const ours = errorCode(failure) === 'UND_ERR_INFO'
            if (state.socket === socket && !ours) state.failed = true
          })
          return done(null, socket)
        })
      },
    })
    const dispatch = client.dispatch.bind(client)
    client.dispatch = (request, handler) => {
      let headers: string[]
      const one = handler as UpstreamHandler
      try {
        headers = one.onLane(state)
      } catch (error) {
        // An exception would break the pool, which calls this when it empties its queue.
        handler.onResponseError?.(undefined as never, error as Error)
        return true
      }
      state.awaiting = one
      return dispatch({ ...request, headers }, handler)
    }
    return client
  }

  const pool = new Pool(origin, {
    ...shared,
    connections: options.connections,
    factory: (to) => lane(to, 1),
  })
  // Without pipelining (0) the client library closes a connection after its first reply.
  const unused = new Pool(origin, {
    ...shared,
    pipelining: 0,
    connections: options.connections,
    factory: (to) => lane(to, 0),
  })
  const streams = new Pool(origin, {
    ...shared,
    bodyTimeout: 0,
    connections: Math.ceil(options.connections / 2),
    factory: (to) => lane(to, 1, 0),
  })
  // What it asks is no exchange, but its replies begin like all others.
  const questions = new Pool(origin, {
    ...shared,
    connections: 2,
    factory(to) {
      const state: GateState = { awaiting: undefined, old: false }
      const client = new Client(to, {
        ...shared,
        connect(target, done) {
          connect(target, (error, socket) => {
            if (error) return done(error, null)
            gateReplies(socket, state, options.headerSize)
            return done(null, socket)
          })
        },
      })
      const dispatch = client.dispatch.bind(client)
      client.dispatch = (request, handler) => {
        state.awaiting = NOBODY
        return dispatch(request, handler)
      }
      return client
    },
  })

  const pools = [pool, unused, streams, questions]
  const greed = options.shared ? GREED : undefined
  const all = queue(options.connections, greed)
  const half = Math.ceil(options.connections / 2)
  const endless = queue(half, greed)
  const limit = upstreamLimit(
    { most: options.connections },
    {
      clock,
      busy: () => all.busy,
      resize(places) {
        all.resize(places)
        // They last for ever, so that their number says nothing of a rate.
        endless.resize(places === 0 ? 0 : half)
      },
    },
  )

  function poolFor({ fresh, stream }: UpstreamRequest): InstanceType<typeof Pool> {
    if (stream === true) return streams
    return fresh === true ? unused : pool
  }

  return {
    origin,
    host,
    limit,
    get waiting() {
      return all.waiting + endless.waiting
    },
    dispatch(request, handler) {
      const { take } = request.stream === true ? endless : all
      return take(request.party, (release) => {
        handler.release = release
        // It never throws: what is wrong reaches the handler.
        poolFor(request).dispatch(request as Dispatcher.DispatchOptions, handler)
      })
    },
    ask: (question) => ask(question, questions, clock),
    async close() {
      await Promise.all([all.empty(), endless.empty()])
      await Promise.all(pools.map((one) => one.close()))
    },
    async destroy() {
      await Promise.all(pools.map((one) => one.destroy()))
    },
  }
}
