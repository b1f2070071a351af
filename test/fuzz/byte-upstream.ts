// An upstream that reads what reaches it as strictly as can be, and writes down what it finds wrong.

/* oxlint-disable unicorn/no-useless-spread -- many short texts on a line read better than a line for each */

import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

import { SEED_KEY } from '../opusdns/seed.ts'
import { readRequest, valuesOf } from './strict-http.ts'
import type { Message } from './strict-http.ts'

/** Answers a request whose last byte is in. */
export type Answering = (request: Message, socket: Socket) => unknown

/** An upstream that listens. Its lists are emptied by who reads them. */
export interface ByteUpstream {
  readonly origin: string
  /** Whole requests, without the proxy's own trial of its credential. */
  requests: Message[]
  /** What was wrong with what came, with the bytes. */
  faults: string[]
  answer: Answering
  close(): Promise<void>
}

const TRIAL = 'GET /v1/auth/client_credentials/introspect '

/** Never forwarded, however they are written. */
const NEVER = new Set([
  ...[
    'te',
    'trailer',
    'upgrade',
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'cookie',
  ],
  ...['proxy-authenticate', 'http2-settings', 'authorization', 'forwarded', 'x-forwarded-host'],
  ...['expect', 'max-forwards', 'x-http-method-override', 'x-organization-context'],
])

/** A reply with a length. */
export function measured(body: string, status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

/** Starts the upstream. */
export async function byteUpstream(answer: Answering): Promise<ByteUpstream> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let held = ''
    socket.on('data', (piece) => {
      held += piece.toString('latin1')
      while (held !== '') {
        const read = readRequest(held, 0, true)
        if (read.kind === 'partial') return
        if (read.kind === 'invalid') {
          upstream.faults.push(`${read.why} in ${JSON.stringify(held)}`)
          socket.destroy()
          return
        }
        held = held.slice(read.message.end)
        if (read.message.line.startsWith(TRIAL)) {
          socket.write(measured('{"role":"viewer","status":"active"}'))
          continue
        }
        const wrong = wrongWith(read.message, host)
        if (wrong !== undefined) upstream.faults.push(`${wrong} in ${JSON.stringify(read.message)}`)
        upstream.requests.push(read.message)
        upstream.answer(read.message, socket)
      }
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const upstream: ByteUpstream = {
    origin: `http://${host}`,
    requests: [],
    faults: [],
    answer,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
  return upstream
}

function wrongWith({ line, fields }: Message, host: string): string | undefined {
  if (!/^[A-Z]+ \/v1\/[!-~]* HTTP\/1\.1$/.test(line)) return 'another request line'
  if (/^\S+ \/v1\/auth[/? ]/.test(line)) return 'a blocked operation'
  const keys = valuesOf(fields, 'x-api-key')
  if (keys.length !== 1 || keys[0] !== SEED_KEY.key) return 'not exactly one credential'
  const hosts = valuesOf(fields, 'host')
  if (hosts.length !== 1 || hosts[0] !== host) return 'not exactly one Host'
  const never = fields.find(([name]) => NEVER.has(name.toLowerCase()) || name.includes('_'))
  if (never !== undefined) return `the field ${never[0]}`
  const connection = valuesOf(fields, 'connection')
  if (connection.length > 1 || !['keep-alive', 'close', undefined].includes(connection[0])) {
    return 'an odd Connection'
  }
  return undefined
}
