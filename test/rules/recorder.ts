// An upstream that records every byte, and judges it as strictly as HTTP allows: what a lenient
// server would read in its own way is a violation here. Answers the proxy's own trial by itself.

import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

import { SEED_KEY } from '../opusdns/seed.ts'

/** One request, as far as it came. All text is Latin-1: a character is a byte. */
export interface Recorded {
  /** Counts the connections of this upstream, from 1. */
  readonly connection: number
  /** Request line and fields, byte for byte, without the empty line. */
  readonly head: string
  readonly method: string
  readonly target: string
  /** Flat list: name, value. */
  readonly fields: readonly string[]
  /** What came of the body, without its chunk framing. */
  body: string
  /** Lines between the last chunk and the end. */
  trailers: string
  /** True once the request came to its end. */
  complete: boolean
  readonly socket: Socket
}

/** See `recorder`. */
export interface Recorder {
  readonly origin: string
  /** Live; without the proxy's own trial of its credential. */
  readonly requests: Recorded[]
  /** What no proxy may send. Live. */
  readonly violations: string[]
  /** What was received on each connection, byte for byte (Latin-1). Live. */
  readonly connections: string[]
  /** Gives the bytes of the reply to a request that is whole; `undefined` for none. */
  respond: (request: Recorded) => string | undefined
  close(): Promise<void>
}

/** A reply with its length. */
export function reply(body = '{}', ...fields: string[]): string {
  const lines = ['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...fields]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

const TRIAL = '/v1/auth/client_credentials/introspect'
const LINE = /^([A-Z]+) (\/[!-~]*) HTTP\/1\.1$/
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/
const CHUNK_SIZE = /^[0-9a-f]{1,8}$/i
/** Names of one hop, or of another's credential; and what some servers take for these. */
const NEVER = /^(te|trailer|upgrade|keep-alive|proxy-.*|http2-settings|authorization|cookie|.*_.*)$/

/** Starts a recorder. */
export async function recorder(): Promise<Recorder> {
  const sockets = new Set<Socket>()
  const self: Omit<Recorder, 'origin' | 'close'> = {
    requests: [],
    violations: [],
    connections: [],
    respond: () => reply(),
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    record(socket, self)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(self, {
    origin: `http://127.0.0.1:${port}`,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  })
}

function record(socket: Socket, self: Omit<Recorder, 'origin' | 'close'>): void {
  const connection = self.connections.push('')
  const violate = (text: string) => void self.violations.push(text)
  let held = ''
  let current: { request: Recorded; take: (text: string) => string } | undefined
  socket.on('data', (piece) => {
    const text = piece.toString('latin1')
    self.connections[connection - 1] += text
    held += text
    for (;;) {
      if (current === undefined) {
        const end = held.indexOf('\r\n\r\n')
        if (end < 0) return
        const request = readHead(held.slice(0, end), socket, connection, violate)
        held = held.slice(end + 4)
        current = { request, take: bodyOf(request, violate) }
        if (request.target !== TRIAL) self.requests.push(request)
      }
      const { request, take } = current
      held = take(held)
      if (!request.complete) return
      current = undefined
      const answer = request.target === TRIAL ? reply('{"status":"active"}') : self.respond(request)
      if (answer !== undefined) socket.write(answer, 'latin1')
    }
  })
}

function readHead(
  head: string,
  socket: Socket,
  connection: number,
  violate: (text: string) => void,
): Recorded {
  const [line = '', ...lines] = head.split('\r\n')
  if (!LINE.test(line)) violate(`request line ${JSON.stringify(line)}`)
  const [method = '', target = ''] = line.split(' ')
  const fields = lines.flatMap((text) => {
    const [, name = '', value = ''] = FIELD.exec(text) ?? []
    if (name === '') violate(`field line ${JSON.stringify(text)}`)
    if (NEVER.test(name.toLowerCase())) violate(`the field ${name}`)
    return [name, value]
  })
  for (const [name, value] of [
    ['host', 1],
    ['x-api-key', 1],
    ['transfer-encoding', undefined],
    ['content-length', undefined],
  ] as const) {
    const { length } = values(fields, name)
    if (length > 1 || (value !== undefined && length !== value)) violate(`${length} times ${name}`)
  }
  if (values(fields, 'x-api-key')[0] !== SEED_KEY.key) violate('another key than ours')
  const connections = values(fields, 'connection').map((it) => it.toLowerCase())
  if (connections.some((it) => it !== 'keep-alive' && it !== 'close')) violate('Connection')
  return {
    connection,
    head,
    method,
    target,
    fields,
    body: '',
    trailers: '',
    complete: false,
    socket,
  }
}

/** Takes what belongs to the body of `request` off the front of a text; hands back the rest. */
function bodyOf(request: Recorded, violate: (text: string) => void): (text: string) => string {
  const [coding] = values(request.fields, 'transfer-encoding')
  const [length] = values(request.fields, 'content-length')
  if (coding === undefined) {
    if (length !== undefined && !/^\d{1,15}$/.test(length)) violate(`Content-Length: ${length}`)
    return (text) => {
      const left = Number(length ?? 0) - request.body.length
      request.body += text.slice(0, left)
      request.complete = text.length >= left
      return text.slice(left)
    }
  }
  if (length !== undefined) violate('Content-Length with Transfer-Encoding')
  if (coding !== 'chunked') violate(`Transfer-Encoding: ${coding}`)
  return (text) => takeChunks(request, text, violate)
}

function takeChunks(request: Recorded, text: string, violate: (text: string) => void): string {
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n')
    if (end < 0) return rest
    const line = rest.slice(0, end)
    if (!CHUNK_SIZE.test(line)) violate(`chunk size ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    if (size === 0) {
      const close = rest.indexOf('\r\n\r\n', end)
      if (close < 0) return rest
      request.trailers = rest.slice(end + 2, close)
      request.complete = true
      return rest.slice(close + 4)
    }
    const after = end + 2 + size
    if (rest.length < after + 2) return rest
    if (rest.slice(after, after + 2) !== '\r\n') violate('no CRLF behind a chunk')
    request.body += rest.slice(end + 2, after)
    rest = rest.slice(after + 2)
  }
}

/** All values of `name` in a flat list. */
export function values(fields: readonly string[], name: string): string[] {
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === name)
}
