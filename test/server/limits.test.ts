// What a listener bounds by itself: heads, connections, and the patience with clients that do not read.

import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'

import { wire } from '../opusdns/wire.ts'
import { eventually } from '../support/eventually.ts'
import { testListener } from './support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const codeIn = (text: string) =>
  (JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { code: string }).code

/** A connection that writes down what comes, how it ended, and does not read while paused. */
function client(port: number, bytes = '') {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
  const seen = { text: '', end: '' }
  socket.on('data', (piece) => (seen.text += piece.toString('latin1')))
  socket.on('end', () => (seen.end ||= 'fin'))
  socket.on('error', (error: NodeJS.ErrnoException) => (seen.end = error.code ?? 'error'))
  onTestFinished(() => void socket.destroy())
  return { socket, seen }
}

/** Writes the pieces with pauses, so that each is a read of its own. */
async function dribble(socket: Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece, 'latin1')
    await sleep(20)
  }
}

describe('a head over the limit', () => {
  const long = 'x'.repeat(1500)
  const field = (size: number) => `X-Field: ${'y'.repeat(size)}\r\n`

  test.each([
    ['in its target', [`GET /${'x'.repeat(6000)} HTTP/1.1\r\nHost: x\r\n\r\n`], 414],
    ['in its target, in pieces', [`GET /${long}`, long, long, `${long} HTTP/1.1\r\n\r\n`], 414],
    [
      'in its target, after a request on the same connection',
      [GET, `POST /${'x'.repeat(6000)} HTTP/1.1\r\n\r\n`],
      414,
    ],
    ['in a field', [`GET / HTTP/1.1\r\nHost: x\r\n${field(6000)}\r\n`], 431],
    ['in many fields', [`GET / HTTP/1.1\r\nHost: x\r\n${field(50).repeat(100)}\r\n`], 431],
    [
      'in many fields, in pieces',
      ['GET / HTTP/1.1\r\nHost: x\r\n', ...Array.from({ length: 8 }, () => field(50).repeat(12))],
      431,
    ],
  ])('%s is answered, told, and closed', async (_what, pieces, status) => {
    const { port, seen: told } = await testListener()
    const { socket, seen } = client(port)
    await dribble(socket, pieces)
    await eventually(() => seen.end !== '')
    expect(seen.end).toBe('fin')
    const answer = seen.text.slice(seen.text.lastIndexOf('HTTP/1.1 '))
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(codeIn(answer)).toBe(status === 414 ? 'uri_too_long' : 'header_too_large')
    expect(told.lines).toEqual([
      `limit ${status === 414 ? 'target_size' : 'header_size'}`,
      `unreadable ${status} HPE_HEADER_OVERFLOW`,
    ])
  })

  test('can be read by a client that goes on writing', async () => {
    const { port } = await testListener()
    const { text, end } = await wire(
      port,
      `GET / HTTP/1.1\r\nHost: x\r\n${field(700_000)}\r\n`,
      4000,
    )
    expect(text).toMatch(/^HTTP\/1\.1 431 /)
    expect(codeIn(text)).toBe('header_too_large')
    expect(end).toBe('fin')
  })
})

describe('a head that stops coming', () => {
  test('is counted by the name of its option', async () => {
    const { port, seen } = await testListener()
    expect((await wire(port, 'GET / HT', 4000)).text).toMatch(/^HTTP\/1\.1 408 /)
    expect(seen.lines).toEqual([
      'limit request_head_timeout',
      'unreadable 408 ERR_HTTP_REQUEST_TIMEOUT',
    ])
  })
})

describe('CONNECT', () => {
  test('behind a request that is being answered gets no answer in its place', async () => {
    const { port } = await testListener(
      (_request, response) => void setTimeout(() => response.end('good'), 100),
    )
    const { text, end } = await wire(port, `${GET}CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n`, 4000)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*good/)
    expect(end).toBe('fin')
  })
})

describe('connections over the limit', () => {
  test('get their first request refused; a place that gets free is used', async () => {
    let served = 0
    const { listener, port, seen } = await testListener(
      (_request, response) => {
        served += 1
        response.end('hello')
      },
      { connections: 2 },
    )
    const holders = [client(port, GET), client(port, GET)]
    await eventually(() => holders.every((one) => one.seen.text.includes('hello')))
    expect(listener.connections()).toBe(2)

    const { text, end } = await wire(port, `${GET}${GET}`, 4000)
    expect(text).toMatch(/^HTTP\/1\.1 503 /)
    expect(text).toMatch(/\r\nRetry-After: 1\r\n/)
    expect(text).toMatch(/\r\nConnection: close\r\n/)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(codeIn(text)).toBe('overloaded')
    expect(end).toBe('fin')
    expect(served).toBe(2)
    expect(seen.lines).toEqual(['limit connections', 'unreadable 503 connections'])

    // Those that have their place keep it.
    holders[0]?.socket.write(GET)
    await eventually(() => served === 3)
    holders[1]?.socket.destroy()
    await eventually(() => listener.connections() === 1)
    expect((await wire(port, GET, 300)).text).toContain('hello')
  })

  test('that ask for nothing are closed', async () => {
    const { port } = await testListener(undefined, { connections: 1, requestHeadTimeout: 60_000 })
    const holder = client(port, GET)
    await eventually(() => holder.seen.text.includes('hello'))
    const idle = client(port)
    await eventually(() => idle.seen.end !== '', { within: 5000 })
    expect(idle.seen.text).toBe('')
  })

  test('by far are dropped', async () => {
    const { listener, port, seen } = await testListener(undefined, {
      connections: 1,
      surplus: 20,
      requestHeadTimeout: 60_000,
    })
    const all = Array.from({ length: 200 }, () => client(port))
    await eventually(() => seen.count('limit connections') >= 199)
    expect(listener.connections()).toBeLessThanOrEqual(21)
    await eventually(() => all.filter(({ seen: got }) => got.end !== '').length >= 179)
    for (const { socket } of all) socket.destroy()
    await eventually(() => listener.connections() === 0)
    expect((await wire(port, GET, 300)).text).toContain('hello')
  })
})

describe('a client', () => {
  const big = Buffer.alloc(8 * 1024 * 1024, 'x')

  test('that does not read its reply is reset', async () => {
    let closedAfter = 0
    const { port, seen } = await testListener(
      (_request, response) => {
        const begun = performance.now()
        response.on('close', () => (closedAfter = performance.now() - begun))
        response.end(big)
      },
      { replyWriteTimeout: 300 },
    )
    const { socket, seen: got } = client(port, GET)
    socket.pause()
    await eventually(() => closedAfter > 0, { within: 5000 })
    expect(closedAfter).toBeGreaterThanOrEqual(300)
    expect(seen.lines).toEqual(['limit reply_write_timeout'])
    socket.resume()
    await eventually(() => got.end !== '')
    expect(got.end).toBe('ECONNRESET')
  })

  test('that reads slowly, but reads, gets all of it', async () => {
    const { port, seen } = await testListener((_request, response) => response.end(big), {
      replyWriteTimeout: 1000,
    })
    let length = 0
    const socket = connect(port, '127.0.0.1', () => socket.write(GET))
    onTestFinished(() => void socket.destroy())
    socket.on('data', (piece) => {
      length += piece.length
      socket.pause()
      setTimeout(() => socket.resume(), 15)
    })
    await eventually(() => length > big.length, { within: 15_000 })
    expect(seen.lines).toEqual([])
  })

  test('is left alone while it waits, listens to a silent stream, or uploads for long', async () => {
    const { port, seen } = await testListener(
      (request, response) => {
        if (request.url === '/wait') setTimeout(() => response.end('waited'), 900)
        else if (request.url === '/stream') {
          response.write('first ')
          setTimeout(() => response.end('second'), 900)
        } else {
          request.resume()
          request.on('end', () => response.end('uploaded'))
        }
      },
      { replyWriteTimeout: 200 },
    )
    const ask = (target: string) => GET.replace('/', target)
    const [waiting, streaming] = [client(port, ask('/wait')), client(port, ask('/stream'))]
    const upload = client(port, 'POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n')
    // One pause longer than the time limit, then pieces within it.
    await sleep(500)
    await dribble(upload.socket, ['a', 'b', 'c', 'd'])
    await eventually(() => upload.seen.text.includes('uploaded'))
    await eventually(() => waiting.seen.text.includes('waited'))
    await eventually(() => streaming.seen.text.includes('second'))
    expect(seen.lines).toEqual([])
  })

  test('that leaves its connection unused is let go without a word', async () => {
    const { port, seen } = await testListener(undefined, { keepAliveTimeout: 200 })
    const { seen: got } = client(port, GET)
    await eventually(() => got.end !== '', { within: 5000 })
    expect(got.end).toBe('fin')
    expect(got.text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(seen.lines).toEqual([])
  })
})
