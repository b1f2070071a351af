// An upstream made of bytes: a script answers each request on the bare socket, so that it can do
// what no HTTP server would. Answers the proxy's own trial of its credential by itself.

import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

/** One request as it arrives. */
export interface RawRequest {
  readonly method: string
  /** Request target, byte for byte. */
  readonly target: string
  /** Flat list: name, value. */
  readonly fields: readonly string[]
  /** What came of the body so far, without its chunk framing. */
  body: Buffer
  readonly socket: Socket
  /** Counts the connections of this upstream, from 1. */
  readonly connection: number
  /** Resolves when all of the body has come. */
  readonly whole: Promise<void>
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>
  /** True once `whole` resolved. */
  complete: boolean
  /** True once `gone` resolved. */
  closed: boolean
}

/** Answers a request, or does not. Called when its head is in. */
export type Script = (request: RawRequest) => unknown

/** An upstream that listens. */
export interface RawUpstream {
  readonly origin: string
  readonly port: number
  /** Live; without the proxy's own trial of its credential. */
  readonly requests: readonly RawRequest[]
  /** Connections that were opened, also those that carried nothing. */
  readonly connections: number
  /** Answers requests from now on. */
  script: Script
  close(): Promise<void>
}

/** See `rawUpstream`. */
export interface RawUpstreamOptions {
  /** PEM texts; speaks TLS then, on `localhost`. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

const TRIAL = '/v1/auth/client_credentials/introspect'

/** Bytes of a reply with its length. */
export function plainReply(body = '{}', head = 'HTTP/1.1 200 OK'): string {
  return `${head}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** Answers every request when it is whole. */
export const wellBehaved: Script = async ({ socket, whole }) => {
  await whole
  socket.write(plainReply())
}

/** Starts an upstream. */
export async function rawUpstream(
  script: Script = wellBehaved,
  options: RawUpstreamOptions = {},
): Promise<RawUpstream> {
  const requests: RawRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0

  function accept(socket: Socket): void {
    sockets.add(socket)
    connections += 1
    const connection = connections
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    void gone.then(() => sockets.delete(socket))
    socket.on('error', () => undefined)
    let held: Buffer = Buffer.alloc(0)
    let current: Reading | undefined
    socket.on('data', (piece) => {
      held = Buffer.concat([held, piece])
      for (;;) {
        if (current === undefined) {
          const end = held.indexOf('\r\n\r\n')
          if (end < 0) return
          current = read(held.toString('latin1', 0, end), socket, connection, gone)
          held = held.subarray(end + 4)
          if (current.request.target === TRIAL) {
            socket.write(plainReply('{"role":"viewer","status":"active"}'))
          } else {
            requests.push(current.request)
            void upstream.script(current.request)
          }
        }
        held = current.take(held)
        if (!current.request.complete) return
        current = undefined
      }
    })
  }

  const server: Server = options.tls ? createTlsServer(options.tls, accept) : createServer(accept)
  // A handshake that fails is what some tests want.
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const upstream: RawUpstream = {
    origin: options.tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    port,
    requests,
    get connections() {
      return connections
    },
    script,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
  return upstream
}

interface Reading {
  readonly request: RawRequest
  /** Takes what belongs to this request; hands back the rest. */
  take(bytes: Buffer): Buffer
}

function read(head: string, socket: Socket, connection: number, gone: Promise<void>): Reading {
  const [line = '', ...lines] = head.split('\r\n')
  const [method = '', target = ''] = line.split(' ')
  const fields = lines.flatMap((text) => {
    const colon = text.indexOf(':')
    return [text.slice(0, colon), text.slice(colon + 1).trim()]
  })
  const value = (name: string) => fields[fields.findIndex((it) => it.toLowerCase() === name) + 1]
  const has = (name: string) => fields.some((it, at) => at % 2 === 0 && it.toLowerCase() === name)
  const { promise: whole, resolve } = Promise.withResolvers<void>()
  const request: RawRequest = {
    method,
    target,
    fields,
    body: Buffer.alloc(0),
    socket,
    connection,
    whole,
    gone,
    complete: false,
    closed: false,
  }
  void gone.then(() => (request.closed = true))
  const finish = () => {
    request.complete = true
    resolve()
  }
  const add = (bytes: Buffer) => (request.body = Buffer.concat([request.body, bytes]))
  if (has('transfer-encoding')) {
    return { request, take: (bytes) => chunks(bytes, add, finish) }
  }
  let left = has('content-length') ? Number(value('content-length')) : 0
  return {
    request,
    take(bytes) {
      const part = bytes.subarray(0, left)
      left -= part.length
      if (part.length > 0) add(part)
      if (left === 0) finish()
      return bytes.subarray(part.length)
    },
  }
}

/** Takes whole chunks off the front; trailers are not expected. */
function chunks(bytes: Buffer, add: (piece: Buffer) => void, finish: () => void): Buffer {
  let rest = bytes
  for (;;) {
    const end = rest.indexOf('\r\n')
    if (end < 0) return rest
    const size = Number.parseInt(rest.toString('latin1', 0, end), 16)
    const after = end + 2 + size + 2
    if (rest.length < after) return rest
    add(rest.subarray(end + 2, end + 2 + size))
    rest = rest.subarray(after)
    if (size === 0) {
      finish()
      return rest
    }
  }
}
