// What the tests of limits share: a proxy whose limits are small, a client that is held by hand, and
// what every refusal must look like.

import { connect } from 'node:net'
import type { Socket } from 'node:net'

import { afterAll, afterEach, beforeAll, expect, onTestFinished } from 'vitest'

import { errorCode } from '../../src/base/fault.ts'
import { eventually } from '../support/eventually.ts'
import { oddUpstream } from './odd-upstream.ts'
import type { OddUpstream } from './odd-upstream.ts'
import { readReply, values } from './reply-reader.ts'
import type { Ending, Seen } from './reply-reader.ts'

/** A good reply. */
export const FIVE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
/** A good Host. */
export const HOST = 'Host: localhost\r\n'

/** A client that is held by hand. */
export interface Held {
  readonly socket: Socket
  /** Latin-1, so far. */
  readonly text: string
  readonly end: Ending
  write(bytes: string): void
  /** Reads to the end of the connection. */
  rest(): Promise<Seen>
}

/** Connects, and writes `bytes`. */
export function hold(port: number, bytes = ''): Promise<Held> {
  return new Promise((resolve, reject) => {
    let text = ''
    let end: Ending = 'open'
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      if (bytes !== '') socket.write(bytes, 'latin1')
      resolve(held)
    })
    socket.on('data', (piece) => (text += piece.toString('latin1')))
    socket.on('end', () => (end = 'fin'))
    socket.on('error', (error) => {
      if (errorCode(error) === 'ECONNRESET') end = 'reset'
      // What we write meets a closed door; what was answered may still be read.
      else if (errorCode(error) !== 'EPIPE') reject(error)
    })
    const held: Held = {
      socket,
      get text() {
        return text
      },
      get end() {
        return end
      },
      write: (more) => void socket.write(more, 'latin1'),
      async rest() {
        await eventually(() => end !== 'open')
        return readReply(text, 'GET', end)
      },
    }
    onTestFinished(() => void socket.destroy())
  })
}

/** The proxy of a file or group, and the check that each limit is counted. */
export function limited(config: string) {
  let odd: OddUpstream | undefined
  beforeAll(async () => {
    odd = await oddUpstream({ config })
  })
  afterEach(() => here().next())
  afterAll(() => here().close())
  const here = () => {
    if (odd === undefined) throw new Error('not started')
    return odd
  }
  const hits = (limit: string) => here().proxy.metric('limit_hits_total', { limit })
  return {
    here,
    port: () => here().proxy.port,
    /** Runs `work`, and expects `limit` to be counted for it, as often as `times`. */
    async counts<T>(limit: string, work: () => Promise<T>, times = 1): Promise<T> {
      const before = await hits(limit)
      const result = await work()
      await eventually(async () => expect(await hits(limit)).toBe(before + times))
      return result
    },
  }
}

/** A problem, whole, on a connection that then ended in order. */
export function expectRefusal(seen: Seen, status: number, code: string, end: Ending = 'fin'): void {
  expect(seen.status, seen.text).toBe(status)
  expect(JSON.parse(seen.body)).toMatchObject({ status, code })
  expect(values(seen.fields, 'content-type')).toEqual(['application/problem+json'])
  expect(values(seen.fields, 'proxy-status')[0]).toMatch(/^opusdns-auth-proxy; error=\w+/)
  expect(values(seen.fields, 'cache-control')).toEqual(['no-store'])
  expect(seen).toMatchObject({ whole: true, garbage: '', end })
  if (end === 'fin') expect(values(seen.fields, 'connection')).toEqual(['close'])
}
