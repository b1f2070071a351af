// The kit of the rule tests: a whole proxy between a client that writes bytes and an upstream that
// records bytes. Every exchange is held to what is true of all: nothing that reached the upstream
// could be read in two ways, and the credential never came back.

import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { errorCode } from '../../src/base/fault.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { recorder } from './recorder.ts'
import type { Recorded, Recorder } from './recorder.ts'
import { readReplies } from './replies-reader.ts'
import type { ClientReply } from './replies-reader.ts'

/** What a client does, one after the other. Strings are Latin-1: a character is a byte. */
export type Part = string | { readonly wait: number } | { readonly fin: true }

/** What came of an exchange. */
export interface Outcome {
  /** Final replies, in their order. */
  readonly replies: readonly ClientReply[]
  /** Statuses of the final replies. */
  readonly statuses: readonly number[]
  /** Replies with a status below 200. */
  readonly interim: readonly ClientReply[]
  /** Everything that came, Latin-1. */
  readonly text: string
  /** How the proxy left: `quiet` when the connection was still open at the end. */
  readonly end: 'fin' | 'reset' | 'quiet'
  /** What the upstream saw of it, complete or not. */
  readonly requests: readonly Recorded[]
}

/** See `Kit.exchange`. */
export interface ExchangeOptions {
  /** Final replies to wait for; then the connection may stay open. Default: wait for its end. */
  readonly replies?: number
  /** Milliseconds after which the proxy is taken to hang. Default 5000. */
  readonly patience?: number
  /** Where to write to; default the proxy of the kit. */
  readonly to?: number | { readonly path: string }
}

/** The proxy and upstream of one file. */
export interface Kit {
  readonly proxy: LocalProxy
  readonly upstream: Recorder
  /** Plays `parts` on a connection of its own. */
  exchange(parts: Part | readonly Part[], options?: ExchangeOptions): Promise<Outcome>
  /**
   * Plays `parts`, and expects the only answer to be `status`, the connection to end, and no byte of
   * any of it at the upstream; and that the next request is served.
   */
  refused(parts: Part | readonly Part[], status: number | readonly number[]): Promise<Outcome>
  /** As `refused`, but the connection may stay open, for its framing is sound. */
  denied(parts: Part | readonly Part[], status: number | readonly number[]): Promise<Outcome>
  /** Plays one request and expects it to be answered 200; gives what the upstream saw of it. */
  served(parts: Part | readonly Part[]): Promise<Recorded>
}

/** Quiet after the last reply in which a superfluous one would show. */
const SETTLE = 40

/** Starts proxy and upstream before the tests of a file, and stops them after. */
export function rulesKit(config = ''): Kit {
  let proxy: LocalProxy | undefined
  let upstream: Recorder | undefined
  beforeAll(async () => {
    upstream = await recorder()
    proxy = await localProxy({ base: upstream.origin, config })
  })
  afterAll(async () => {
    await proxy?.stop()
    await upstream?.close()
  })
  const present = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('the kit has not started')
    return part
  }

  async function exchange(
    parts: Part | readonly Part[],
    options: ExchangeOptions = {},
  ): Promise<Outcome> {
    const { requests, violations } = present(upstream)
    const before = requests.length
    const wrong = violations.length
    const list = Array.isArray(parts) ? (parts as Part[]) : [parts as Part]
    const { text, end } = await talk(options.to ?? present(proxy).port, list, options)
    const all = readReplies(text, methodsIn(list), end !== 'quiet')
    const replies = all.filter(({ status }) => status >= 200)
    expect(violations.slice(wrong), 'what the upstream must never see').toEqual([])
    expect(text.includes(SEED_KEY.key), 'the credential in a reply').toBe(false)
    return {
      replies,
      statuses: replies.map(({ status }) => status),
      interim: all.filter(({ status }) => status < 200),
      text,
      end,
      requests: requests.slice(before),
    }
  }

  async function denial(outcome: Outcome, status: number | readonly number[]): Promise<Outcome> {
    expect(outcome.statuses, outcome.text).toHaveLength(1)
    const allowed = typeof status === 'number' ? [status] : status
    expect(allowed, outcome.text).toContain(outcome.statuses[0])
    // What was to be forwarded would be here before this one.
    const next = await exchange(get('/v1/next', 'Connection: close'))
    expect(next.statuses).toEqual([200])
    const reached = [...outcome.requests, ...next.requests].map(({ target }) => target)
    expect(reached, 'what reached the upstream').toEqual(['/v1/next'])
    return outcome
  }

  return {
    get proxy() {
      return present(proxy)
    },
    get upstream() {
      return present(upstream)
    },
    exchange,
    async refused(parts, status) {
      const outcome = await exchange(parts)
      expect(outcome.end, outcome.text).not.toBe('quiet')
      return denial(outcome, status)
    },
    async denied(parts, status) {
      return denial(await exchange(parts, { replies: 1 }), status)
    },
    async served(parts) {
      const outcome = await exchange(parts, { replies: 1 })
      expect(outcome.statuses, outcome.text).toEqual([200])
      expect(outcome.requests).toHaveLength(1)
      const [request] = outcome.requests
      if (request?.complete !== true) throw new Error('the upstream has no whole request')
      return request
    },
  }
}

/** A head with its empty line; `line` without the version. */
export function head(line: string, ...fields: string[]): string {
  return [`${line} HTTP/1.1`, ...fields, '', ''].join('\r\n')
}

/** A request that must not be read, let alone served: it stands behind a refused one. */
export const BEHIND = 'GET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'

/** A GET with a good Host. */
export function get(target: string, ...fields: string[]): string {
  return head(`GET ${target}`, 'Host: localhost', ...fields)
}

/** The head of a POST to `/v1/x` with a good Host. */
export function post(...fields: string[]): string {
  return head('POST /v1/x', 'Host: localhost', ...fields)
}

/** `text` byte by byte, or in pieces of `size`, each written on its own. */
export function drip(text: string, size = 1): Part[] {
  const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
  return pieces.flatMap((piece) => [piece, { wait: 2 }])
}

function methodsIn(parts: readonly Part[]): string[] {
  const text = parts.filter((part) => typeof part === 'string').join('')
  const lines = text.matchAll(/(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE) \S+ HTTP\/1/g)
  return [...lines].map(([, method = '']) => method)
}

function talk(
  to: number | { readonly path: string },
  parts: readonly Part[],
  { replies = Infinity, patience = 5000 }: ExchangeOptions,
): Promise<Pick<Outcome, 'text' | 'end'>> {
  return new Promise((resolve, reject) => {
    let text = ''
    let settled: NodeJS.Timeout | undefined
    const socket = typeof to === 'number' ? connect(to, '127.0.0.1') : connect(to)
    const finish = (end: Outcome['end']) => {
      clearTimeout(settled)
      clearTimeout(patient)
      socket.destroy()
      resolve({ text, end })
    }
    const patient = setTimeout(() => finish('quiet'), patience)
    socket.setNoDelay(true)
    socket.on('data', (piece) => {
      text += piece.toString('latin1')
      if (replies === Infinity) return
      const whole = readReplies(text, methodsIn(parts), false).filter(
        (it) => it.complete && it.status >= 200,
      )
      clearTimeout(settled)
      if (whole.length >= replies) settled = setTimeout(() => finish('quiet'), SETTLE)
    })
    socket.on('end', () => finish('fin'))
    socket.on('error', (error) => {
      const code = errorCode(error)
      // EPIPE: the proxy refused and left while we were writing; what it said may still come.
      if (code === 'ECONNRESET') finish('reset')
      else if (code !== 'EPIPE') reject(error)
    })
    void play(socket, parts)
  })
}

async function play(socket: ReturnType<typeof connect>, parts: readonly Part[]): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return
    if (typeof part === 'string') socket.write(part, 'latin1')
    // oxlint-disable-next-line no-await-in-loop -- one part after the other
    else if ('wait' in part) await delay(part.wait)
    else socket.end()
  }
}
