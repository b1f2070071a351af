// A client that shows everything: raw header fields, and whether a reply came to its honest end.

import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { connect } from 'node:net'

/** See `send`. */
export interface Sending {
  readonly method?: string
  /** Request target, byte for byte. */
  readonly path?: string
  /** Flat list of fields besides `Host` and the framing ones. */
  readonly headers?: readonly string[]
  /** Sent with its length; one of an array is sent in chunks. */
  readonly body?: string | Buffer | readonly (string | Buffer)[]
  /** A path in place of the port. */
  readonly socketPath?: string
  readonly host?: string
}

/** What came back. */
export interface Reply {
  readonly status: number
  readonly reason: string
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly text: string
  /** False when the reply broke off before its end. */
  readonly complete: boolean
}

/** All values of `name` in a flat list. */
export function valuesOf(fields: readonly string[], name: string): string[] {
  return fields.filter(
    (_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === name.toLowerCase(),
  )
}

/** The request alone, head not yet sent, on a connection of its own. */
export function open(port: number, sending: Sending = {}): ClientRequest {
  const { method = 'GET', path = '/v1/dns', body } = sending
  const framing: string[] = []
  if (Array.isArray(body)) framing.push('Transfer-Encoding', 'chunked')
  else if (body !== undefined)
    framing.push('Content-Length', String(Buffer.byteLength(body as string)))
  const name = sending.host ?? '127.0.0.1'
  const host = ['Host', sending.socketPath === undefined ? `${name}:${port}` : name]
  return httpRequest({
    ...(sending.socketPath === undefined
      ? { host: sending.host ?? '127.0.0.1', port }
      : { socketPath: sending.socketPath }),
    method,
    path,
    agent: false,
    headers: [...host, ...(sending.headers ?? []), ...framing],
  })
}

/** Sends one request and reads its reply to the end. Rejects when there is no reply at all. */
export async function send(port: number, sending: Sending = {}): Promise<Reply> {
  const request = open(port, sending)
  const { body } = sending
  const answered = headOf(request)
  if (Array.isArray(body)) {
    for (const piece of body) request.write(piece)
    request.end()
  } else request.end(body)
  return readAll(await answered)
}

/** The head of the reply; rejects when there is none. */
export function headOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
  })
}

/** The rest of a reply. */
export function readAll(response: IncomingMessage): Promise<Reply> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    response.on('data', (piece: Buffer) => pieces.push(piece))
    // Without a listener a broken reply would end the test run.
    response.on('error', () => undefined)
    response.on('close', () => {
      const whole = Buffer.concat(pieces)
      resolve({
        status: response.statusCode ?? 0,
        reason: response.statusMessage ?? '',
        rawHeaders: response.rawHeaders,
        body: whole,
        text: whole.toString('utf8'),
        complete: response.complete,
      })
    })
  })
}

/** Writes `bytes` and resolves (Latin-1) once one reply with a length is whole, or at the end. */
export function firstReply(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    const finish = () => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(5000, finish)
    socket.on('end', finish)
    socket.on('error', finish)
    socket.on('data', (piece) => {
      text += piece.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      const length = /^content-length: (\d+)/im.exec(text)?.[1]
      if (end >= 0 && length !== undefined && text.length >= end + 4 + Number(length)) finish()
    })
  })
}
