// A small HTTP client for tests: keep-alive connections of its own, raw header lists, no retries, no
// redirects, nothing added but Host and the framing of a body.

import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'

/** See `httpClient`. */
export interface HttpClientOptions {
  /** Default true. */
  readonly keepAlive?: boolean
  /** Connections at most. Default unlimited. */
  readonly connections?: number
}

/** One request. */
export interface Ask {
  readonly path: string
  /** Default GET. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
}

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** Milliseconds from the call to the last byte. */
  readonly ms: number
  /** Whether it came over a connection that was used before. */
  readonly reused: boolean
}

/** A client of one origin. */
export interface HttpClient {
  /** Rejects when the connection breaks before the last byte. */
  send(ask: Ask): Promise<Answer>
  get(path: string, headers?: Ask['headers']): Promise<Answer>
  /** Closes its connections. */
  close(): void
}

/** Builds a client of `origin` (`http://host:port`); opens connections when they are needed. */
export function httpClient(origin: string, options: HttpClientOptions = {}): HttpClient {
  const agent = new Agent({
    keepAlive: options.keepAlive ?? true,
    maxSockets: options.connections ?? Infinity,
    maxFreeSockets: options.connections ?? 4096,
  })
  const { hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[|\]$/g, '')

  function send({ path, method = 'GET', headers = {}, body }: Ask): Promise<Answer> {
    const startedAt = performance.now()
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
      const call = httpRequest({
        agent,
        host,
        port,
        path,
        method,
        headers: { ...length, ...headers } as Record<string, string | string[]>,
      })
      call.once('error', reject)
      call.once('response', (reply) => {
        const pieces: Buffer[] = []
        reply.on('data', (piece: Buffer) => pieces.push(piece))
        reply.once('error', reject)
        reply.once('end', () =>
          resolve({
            status: reply.statusCode ?? 0,
            headers: reply.headers,
            rawHeaders: reply.rawHeaders,
            body: Buffer.concat(pieces),
            ms: performance.now() - startedAt,
            reused: call.reusedSocket,
          }),
        )
      })
      call.end(body)
    })
  }

  return {
    send,
    get: (path, headers = {}) => send({ path, headers }),
    close: () => agent.destroy(),
  }
}
