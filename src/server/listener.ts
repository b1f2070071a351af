// Opens one HTTP listener, on TCP or a unix socket, plain or TLS, with every limit of Node's server
// set, and closes it without losing a request.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { Server as NetServer } from 'node:net'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

import type { Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'
import { addressText, isLocal } from '../config/address.ts'
import type { Endpoint } from '../config/endpoint.ts'
import { VIA } from '../consumers/caller.ts'
import type { Via } from '../consumers/caller.ts'
import { isClosing, lingerAfterReply, lingeringClose } from '../proxy/linger.ts'
import { bind, boundAddress } from './bind.ts'
import type { Umask } from './bind.ts'
import type { LiveCertificate } from './certificate.ts'
import { sameClientCa } from './certificate-pair.ts'
import {
  BROKEN,
  LATEST,
  OPEN,
  OUTDATED,
  WAITING,
  openExchanges,
  teachReset,
} from './client-socket.ts'
import type { ClientSocket } from './client-socket.ts'
import { clientTrust, distrusted, secureContext } from './client-trust.ts'
import { connectionLimit } from './connection-limit.ts'
import type { ListenerObserver } from './listener-events.ts'
import { createServer, createTlsServer } from './node-http.ts'
import { watchReaders } from './slow-reader.ts'
import { unreadable } from './unreadable.ts'

/** See `openListener`. Durations are milliseconds, sizes bytes. */
export interface ListenerOptions {
  readonly endpoint: Endpoint
  readonly headerSize: number
  readonly connections: number
  /** Connections beyond that which still get an answer; more are dropped. */
  readonly surplus: number
  readonly tlsHandshakeTimeout: number
  readonly requestHeadTimeout: number
  readonly replyWriteTimeout: number
  readonly keepAliveTimeout: number
}

/** See `openListener`. */
export interface ListenerDeps {
  readonly clock: Clock
  readonly observe: ListenerObserver
  /** Makes the listener speak TLS. The caller starts and stops it. */
  readonly certificate?: LiveCertificate | undefined
  readonly umask?: Umask | undefined
  /** Whether callers are identified now, so that strangers give way to others; never if left out. */
  readonly identifies?: (() => boolean) | undefined
}

/** A listener that is open. */
export interface Listener {
  /** `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`; the real port where 0 was asked for. */
  readonly address: string
  /** Open connections now. */
  connections(): number
  /** Says `Connection: close` on every reply from now on, so that clients move elsewhere. */
  retire(): void
  /** Accepts no further connection; those that are open go on. */
  stopAccepting(): void
  /** Closes the connections that serve no request now. */
  closeIdle(): void
  /** Resolves when the last connection is gone, and every exchange on it has ended. */
  closed(): Promise<void>
  /** Begins to break every connection; `closed` tells when they are gone. */
  destroy(): void
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void

// A client that closed its sending side may still read (RFC 9112 section 9.6), or be gone: TCP does
// not tell. It gets this long; then its request is given up, and the upstream's with it.
const HALF_CLOSED_GRACE = 500

/** More pipelined requests than these wait in the system's buffers. */
const MOST_WAITING = 16

/**
 * Opens the listener. A request whose body cannot be parsed emits `malformed`. Rejects with a Fault
 * `config_invalid` that says what stands in the way.
 */
export async function openListener(
  options: ListenerOptions,
  deps: ListenerDeps,
  serve: Serve,
): Promise<Listener> {
  const { endpoint } = options
  const { clock, observe, certificate } = deps
  const identifies = deps.identifies ?? (() => false)
  const limit = connectionLimit(options, { clock, observe, identifies })
  const refused = unreadable(clock, observe)
  const sockets = new Set<Socket>()
  const handshakes = new Set<Socket>()
  /** Over TLS, those within `sockets`. */
  const inner = new Set<ClientSocket>()
  const via: Via = {
    address: addressText(endpoint),
    socketPath: endpoint.kind === 'unix' ? endpoint.path : undefined,
    local: isLocal(endpoint),
  }
  let retired = false

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket as ClientSocket
    // Came in one piece with the last request that is answered here, and behind it.
    if (isClosing(socket) || limit.refused(request)) return
    socket[LATEST] = request
    socket[OPEN] = openExchanges(socket) + 1
    response.on('close', closed)
    // One after the other, for two unsafe ones must not overtake each other (RFC 9112 section 9.3.2).
    if (socket[OPEN] === 1) start(request, response)
    else wait(socket, request, response)
  }

  function start(request: IncomingMessage, response: ServerResponse): void {
    // Behind an upgrade that we do not make, Node.js loses the rest of the packet and reads on.
    const outdated = (request.socket as ClientSocket)[OUTDATED] === true
    const last = retired || outdated || asksForUpgrade(request)
    if (last) response.shouldKeepAlive = false
    serve(request, response)
    // A request behind the last reply of a connection would be carried out and not answered.
    if (last) lingerAfterReply(request.socket, clock)
  }

  function wait(socket: ClientSocket, request: IncomingMessage, response: ServerResponse): void {
    socket[WAITING] ??= []
    socket[WAITING].push([request, response])
    if (socket[WAITING].length >= MOST_WAITING) socket.pause()
  }

  function closed(this: ServerResponse): void {
    const socket = this.req.socket as ClientSocket
    socket[OPEN] = (socket[OPEN] ?? 1) - 1
    // Or an idle connection would keep its last head.
    if (socket[LATEST] === this.req && this.req.complete) socket[LATEST] = undefined
    if (socket[BROKEN] === true && socket[OPEN] === 0) lingeringClose(socket, clock)
    const waiting = socket[WAITING]
    const next = waiting?.shift()
    if (waiting === undefined || next === undefined || socket.destroyed || isClosing(socket)) return
    if (waiting.length === MOST_WAITING - 1) socket.resume()
    start(...next)
  }

  function arrived(socket: ClientSocket): void {
    socket[VIA] = via
    limit.admit(socket)
    socket.once('end', () => {
      if (openExchanges(socket) === 0) return
      clock.after(HALF_CLOSED_GRACE, () => socket.destroy())
    })
  }

  const server = build(options, certificate)
  watchReaders(server, options.replyWriteTimeout, observe)
  server.on('request', handle)
  server.on('checkContinue', handle)
  server.on('checkExpectation', handle)
  server.on('connect', (_request, socket) => refused.tunnel(socket as ClientSocket))
  server.on('clientError', (error, socket) => refused.failed(error, socket as ClientSocket))
  server.on('drop', () => observe.limitHit('connections'))
  // The connections themselves; over TLS `arrived` gets what is inside of them.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  if (certificate === undefined) {
    server.on('connection', arrived)
  } else {
    // Node's own listener would pass it on as `clientError`, to be answered in plain text.
    server.removeAllListeners('tlsClientError')
    server.on('connection', (socket: Socket) => {
      handshakes.add(socket)
      limit.thin(handshakes)
      socket.once('close', () => handshakes.delete(socket))
    })
    server.on('tlsClientError', (error: Error, socket: Socket) => {
      observe.handshakeFailed(errorCode(error) || 'error')
      socket.destroy()
    })
    server.on('secureConnection', (socket: ClientSocket) => {
      if (socket._parent != null) handshakes.delete(socket._parent)
      teachReset(socket)
      const distrust = distrusted(socket as unknown as TLSSocket, endpoint)
      if (distrust !== undefined) {
        observe.handshakeFailed(distrust)
        socket.destroy()
        return
      }
      inner.add(socket)
      socket.once('close', () => inner.delete(socket))
      arrived(socket)
    })
    let before = certificate.current()
    certificate.onEvent((event) => {
      if (event.kind !== 'changed') return
      const now = certificate.current()
      // It makes new keys for session tickets too, so that no session outlives its CA.
      ;(server as TlsServer).setSecureContext(secureContext(now))
      if (!sameClientCa(before, now)) {
        // Those who came in by the former CAs come again, after the request that they are at.
        for (const socket of inner) socket[OUTDATED] = true
        server.closeIdleConnections()
      }
      before = now
    })
  }

  await bind(server, endpoint, deps.umask)
  // Without a listener an error of accepting would end the process.
  server.on('error', (error) => observe.acceptFailed(errorCode(error) || 'error'))

  return {
    address: boundAddress(server, endpoint),
    connections: () => sockets.size,
    retire() {
      retired = true
    },
    stopAccepting() {
      // Not http's own close(), which also cuts idle connections on which a request may be on its way.
      NetServer.prototype.close.call(server)
    },
    closeIdle() {
      server.closeIdleConnections()
      for (const socket of handshakes) socket.destroy()
    },
    async closed() {
      await new Promise<void>((resolve) => {
        server.getConnections((_error, count) => {
          if (count === 0 && !server.listening) resolve()
          else server.once('close', resolve)
        })
      })
      // The server's `close` comes before that of its last sockets, which ends their exchanges.
      await Promise.all([...sockets, ...inner].map(gone))
    },
    destroy() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

function build(options: ListenerOptions, certificate: LiveCertificate | undefined): Server {
  const settings = {
    maxHeaderSize: options.headerSize,
    requireHostHeader: false, // ours to refuse, with a problem body
    insecureHTTPParser: false,
    headersTimeout: options.requestHeadTimeout,
    // A large upload may take long; its body has time limits of its own.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(1000, options.requestHeadTimeout),
    keepAliveTimeout: options.keepAliveTimeout,
    rejectNonStandardBodyWrites: true,
  }
  const server =
    certificate === undefined
      ? createServer(settings)
      : createTlsServer({
          ...settings,
          ...secureContext(certificate.current()),
          ...clientTrust(options.endpoint),
          handshakeTimeout: options.tlsHandshakeTimeout,
          ALPNProtocols: ['http/1.1'],
          // node:http sets it by itself.
          allowHalfOpen: true,
        })
  // The default drops fields past 2000, framing ones too (CVE-2026-58044); the size bounds them.
  server.maxHeadersCount = 0
  server.maxConnections = options.connections + options.surplus
  // Documented by Node, but missing in its types.
  Object.assign(server, { httpAllowHalfOpen: true })
  return server
}

/** Resolves with the `close` of `socket`, which is still to come. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()))
}

/** As the parser sees it (RFC 9110 section 7.8). */
function asksForUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && /upgrade/i.test(headers.connection ?? '')
}
