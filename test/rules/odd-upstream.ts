// A whole proxy between a client and an upstream that are both made of bytes: a test says what the
// upstream writes, and gets what the client sees. Every other request is answered well.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { errorCode } from '../../src/base/fault.ts'
import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy, LocalProxyOptions } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawRequest, RawUpstream } from '../support/raw-upstream.ts'
import { readReply } from './reply-reader.ts'
import type { Ending, Seen } from './reply-reader.ts'

/** What an upstream does: writes bytes (Latin-1), waits, or ends the connection. */
export type Step = string | { readonly wait: number } | typeof FIN | typeof RST

/** Ends the connection in order. */
export const FIN = Symbol('FIN')
/** Ends the connection by a reset. */
export const RST = Symbol('RST')

/** A request, besides its target. */
export interface Asking {
  readonly method?: string
  readonly version?: '1.0' | '1.1'
  /** Lines of the head besides the first and Host. */
  readonly lines?: readonly string[]
  /** Sent with its length. */
  readonly body?: string
  /** Default `/v1/odd/<number>`. */
  readonly target?: string
  /** Milliseconds to go on reading behind a whole reply. Default 25. */
  readonly linger?: number
  /** The script starts with the head of the request and does not wait for its body. */
  readonly early?: boolean
}

/** The three of them. */
export interface OddUpstream {
  readonly proxy: LocalProxy
  readonly upstream: RawUpstream
  /** Asks on a connection of its own, and has the upstream answer with `steps`, every time. */
  ask(steps: readonly Step[], asking?: Asking): Promise<Seen>
  /** How often the upstream was asked by the latest `ask`. */
  readonly times: number
  /** Two good requests: throws unless each gets its own answer. */
  next(): Promise<void>
  close(): Promise<void>
}

/** How long a reply may take before it is called a hang. */
const PATIENCE = 8000

/** Starts proxy and upstream. */
export async function oddUpstream(
  options: Omit<LocalProxyOptions, 'base'> = {},
): Promise<OddUpstream> {
  const upstream = await rawUpstream((request) => answer(request))
  const proxy = await localProxy({ ...options, base: upstream.origin })
  let count = 0
  let target = ''
  let script: readonly Step[] = []
  let early = false
  let times = 0

  async function answer(request: RawRequest): Promise<void> {
    if (request.target !== target) {
      await request.whole
      request.socket.write(echoOf(request))
      return
    }
    times += 1
    if (!early) await request.whole
    await perform(request, script)
  }

  return {
    proxy,
    upstream,
    get times() {
      return times
    },
    async ask(steps, asking = {}) {
      count += 1
      times = 0
      script = steps
      early = asking.early ?? false
      target = asking.target ?? `/v1/odd/${count}`
      const { method = 'GET', version = '1.1', lines = [], body } = asking
      const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
      const head = [`${method} ${target} HTTP/${version}`, 'Host: localhost', ...lines, ...length]
      return exchange(
        proxy.port,
        `${head.join('\r\n')}\r\n\r\n${body ?? ''}`,
        method,
        asking.linger,
      )
    },
    async next() {
      for (const at of [1, 2]) {
        // oxlint-disable-next-line no-await-in-loop -- the second meets what the first left behind
        const seen = await exchange(proxy.port, good(at), 'GET', 0)
        if (seen.status !== 200 || seen.body !== `GET /v1/next/${at}` || !seen.whole) {
          throw new Error(`the next request was answered ${seen.status} ${seen.body.slice(0, 80)}`)
        }
      }
    },
    async close() {
      await proxy.stop()
      await upstream.close()
    },
  }
}

const good = (at: number) => `GET /v1/next/${at} HTTP/1.1\r\nHost: localhost\r\n\r\n`

function echoOf({ method, target }: RawRequest): string {
  const body = `${method} ${target}`
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`
}

async function perform({ socket }: RawRequest, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return
    if (step === FIN) socket.end()
    else if (step === RST) socket.resetAndDestroy()
    else if (typeof step === 'string') socket.write(step, 'latin1')
    // oxlint-disable-next-line no-await-in-loop -- steps come one after another
    else await sleep(step.wait)
  }
}

/**
 * Writes `bytes` and reads until the reply is whole and `linger` ms are over, or the connection ends.
 * Rejects when neither happens in time: a hang.
 */
export async function exchange(
  port: number,
  bytes: string,
  method = 'GET',
  linger = 25,
): Promise<Seen> {
  let text = ''
  let end: Ending = 'open'
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
  socket.on('data', (piece) => (text += piece.toString('latin1')))
  socket.on('end', () => (end = 'fin'))
  socket.on('error', (error) => {
    if (errorCode(error) === 'ECONNRESET' || errorCode(error) === 'EPIPE') end = 'reset'
  })
  const over = () => end !== 'open' || readReply(text, method, end).whole
  try {
    await eventually(over, { within: PATIENCE, every: 4 })
    if (linger > 0 && end === 'open') await sleep(linger)
    return readReply(text, method, end)
  } finally {
    socket.destroy()
  }
}
