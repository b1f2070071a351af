// Opens one HTTP listener, TCP or unix socket, with every limit of Node's server set, and closes it
// without losing a request.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { existsSync } from 'node:fs'
import { chmod, lstat, unlink } from 'node:fs/promises'
import { Server as NetServer, connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { dirname } from 'node:path'

import type { Clock } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import type { ListenAddress } from '../config/address.ts'
import { createServer } from './node-http.ts'
import { rawRefusal } from './raw-refusal.ts'

/** See `openListener`. Durations are milliseconds, sizes bytes. */
export interface ListenerOptions {
  readonly endpoint: ListenAddress
  readonly headerSize: number
  readonly requestHeadTimeout: number
  readonly keepAliveTimeout: number
}

/** A listener that is open. */
export interface Listener {
  /** `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`; the real port where 0 was asked for. */
  readonly address: string
  /** Says `Connection: close` on every reply from now on, so that clients move elsewhere. */
  retire(): void
  /** Accepts no further connection; those that are open go on. */
  stopAccepting(): void
  /** Closes the connections that serve no request now. */
  closeIdle(): void
  /** Resolves when the last connection is gone. */
  closed(): Promise<void>
  /** Breaks every connection. */
  destroy(): void
}

type Serve = (request: IncomingMessage, response: ServerResponse) => void

const OPEN = Symbol('open exchanges')
const BROKEN = Symbol('unreadable from here on')
const LATEST = Symbol('the request whose body may still come')

interface ClientSocket extends Socket {
  [OPEN]?: number
  [BROKEN]?: boolean
  [LATEST]?: IncomingMessage
}

// A client that closed its sending side may still read (RFC 9112 section 9.6), or be gone: TCP does
// not tell. It gets this long; then its request is given up, and the upstream's with it.
const HALF_CLOSED_GRACE = 500

/**
 * Opens the listener. A request whose body cannot be parsed emits `malformed`. Rejects with a Fault
 * `config_invalid` that says what stands in the way.
 */
export async function openListener(
  options: ListenerOptions,
  clock: Clock,
  serve: Serve,
): Promise<Listener> {
  const { endpoint } = options
  let retired = false
  const server = createServer(
    {
      maxHeaderSize: options.headerSize,
      requireHostHeader: false, // ours to refuse, with a problem body
      insecureHTTPParser: false,
      headersTimeout: options.requestHeadTimeout,
      // A large upload may take long; the idle time of its body is bounded instead.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1000, options.requestHeadTimeout),
      keepAliveTimeout: options.keepAliveTimeout,
      rejectNonStandardBodyWrites: true,
    },
    handle,
  )
  // The default drops fields past 2000, framing ones too (CVE-2026-58044); the size bounds them.
  server.maxHeadersCount = 0

  // Documented by Node, but missing in its types.
  Object.assign(server, { httpAllowHalfOpen: true })

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket as ClientSocket
    socket[LATEST] = request
    socket[OPEN] = (socket[OPEN] ?? 0) + 1
    response.on('close', closed)
    if (retired) response.shouldKeepAlive = false
    serve(request, response)
  }

  server.on('connection', (socket: ClientSocket) => {
    socket.once('end', () => {
      if ((socket[OPEN] ?? 0) === 0) return
      clock.after(HALF_CLOSED_GRACE, () => socket.destroy())
    })
  })
  server.on('checkContinue', handle)
  server.on('checkExpectation', handle)
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.end(rawRefusal('method_not_allowed', 'This proxy opens no tunnels.'))
  })
  server.on('clientError', (error: Error, socket: ClientSocket) => {
    if ((socket[OPEN] ?? 0) > 0) {
      // Bytes that cannot be parsed must not answer the request before them; but they may be its body.
      socket[BROKEN] = true
      if (socket[LATEST]?.complete === false) socket[LATEST].emit('malformed')
      return
    }
    if (!socket.writable || errorCode(error) === 'ECONNRESET') {
      socket.destroy()
      return
    }
    socket.end(refusalOf(error))
  })

  await listen(server, endpoint)
  if (endpoint.kind === 'unix') await chmod(endpoint.path, 0o660)

  return {
    address: addressOf(server, endpoint),
    retire() {
      retired = true
    },
    stopAccepting() {
      // Not http's own close(), which also cuts idle connections on which a request may be on its way.
      NetServer.prototype.close.call(server)
    },
    closeIdle() {
      server.closeIdleConnections()
    },
    closed() {
      return new Promise((resolve) => {
        server.getConnections((_error, count) => {
          if (count === 0 && !server.listening) resolve()
          else server.once('close', () => resolve())
        })
      })
    },
    destroy() {
      server.closeAllConnections()
    },
  }
}

/** Listens to the end of every response; shared, so that none makes a function of its own. */
function closed(this: ServerResponse): void {
  const socket = this.req.socket as ClientSocket
  socket[OPEN] = (socket[OPEN] ?? 1) - 1
  if (socket[BROKEN] === true && socket[OPEN] === 0) socket.destroySoon()
}

function refusalOf(error: Error): string {
  switch (errorCode(error)) {
    case 'HPE_HEADER_OVERFLOW':
      return rawRefusal('header_too_large', 'The request head is larger than limits.header_size.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return rawRefusal('request_timeout', 'The request head did not come in time.')
    default:
      return rawRefusal('bad_request', 'The request is not valid HTTP/1.1.')
  }
}

function addressOf(server: Server, endpoint: ListenAddress): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`
  const { address, family, port } = server.address() as AddressInfo
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

async function listen(server: Server, endpoint: ListenAddress): Promise<void> {
  if (endpoint.kind === 'unix') await removeStale(endpoint.path)
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => reject(cannotListen(error, endpoint))
    server.once('error', failed)
    const open = () => {
      server.off('error', failed)
      resolve()
    }
    if (endpoint.kind === 'unix') server.listen(endpoint.path, open)
    else server.listen(endpoint.port, endpoint.host, open)
  })
}

function cannotListen(error: Error, endpoint: ListenAddress): Fault {
  const place =
    endpoint.kind === 'unix' ? `unix:${endpoint.path}` : `${endpoint.host}:${endpoint.port}`
  const reasons: Readonly<Record<string, [string, string]>> = {
    EADDRINUSE: ['something else listens there', 'Stop it, or choose another port.'],
    EACCES: ['this user may not listen there', 'Choose a port above 1023, or a writable folder.'],
    EADDRNOTAVAIL: ['this machine has no such address', 'Choose an address of this machine.'],
    ENOENT: ['the folder does not exist', 'Create the folder of the socket.'],
  }
  // libuv reports a missing folder of a socket as a missing permission.
  const folderless = endpoint.kind === 'unix' && !existsSync(dirname(endpoint.path))
  const [fault, remedy] = reasons[folderless ? 'ENOENT' : errorCode(error)] ?? [
    `listening fails (${errorCode(error)})`,
    'Choose another address.',
  ]
  return new Fault('config_invalid', {
    detail: `Cannot listen on ${place}: ${fault}.`,
    cause: error,
    problems: [{ place, fault, remedy }],
  })
}

/** Removes the socket file of a process that is gone; one that somebody answers on stays. */
async function removeStale(path: string): Promise<void> {
  let stat
  try {
    stat = await lstat(path)
  } catch {
    return
  }
  // Anything that is no socket is left for `listen` to fail on.
  if (!stat.isSocket()) return
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (!alive) await unlink(path)
}
