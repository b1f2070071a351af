import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'

import { wire } from '../opusdns/wire.ts'
import { eventually } from '../support/eventually.ts'
import { testListener } from './support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const problemIn = (text: string) =>
  JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as { code: string }

describe('a listener', () => {
  test('tells its real port', async () => {
    const { listener, port } = await testListener()
    expect(listener.address).toBe(`127.0.0.1:${port}`)
    expect(port).toBeGreaterThan(0)
  })

  test.each([
    ['bytes that are no HTTP', 'nonsense\r\n\r\n', 400, 'bad_request'],
    [
      'a head over the limit',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(5000)}\r\n\r\n`,
      431,
      'header_too_large',
    ],
    ['a head that stops coming', 'GET / HTTP/1.1\r\nHost:', 408, 'request_timeout'],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n', 405, 'method_not_allowed'],
  ])('answers %s with a problem, and hangs up', async (_what, bytes, status, code) => {
    let served = 0
    const { port } = await testListener(() => void served++)
    const { text, end } = await wire(port, bytes, 4000)
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(text).toMatch(/\r\nConnection: close\r\n/)
    expect(problemIn(text).code).toBe(code)
    expect(end).toBe('fin')
    expect(served).toBe(0)
  })

  test('does not answer a request with the fault of the bytes behind it', async () => {
    const { port } = await testListener(
      (_request, response) => void setTimeout(() => response.end('good'), 100),
    )
    const { text, end } = await wire(port, `${GET}nonsense\r\n\r\n`, 4000)
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*good/)
    expect(end).not.toBe('quiet')
  })

  test('tells the request whose body is malformed', async () => {
    let told = false
    const { port } = await testListener((request, response) => {
      request.once('malformed', () => {
        told = true
        response.end()
      })
      request.resume()
    })
    await wire(port, 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 1500)
    expect(told).toBe(true)
  })

  test('serves a client that closed its sending side, and gives up on one that is gone', async () => {
    const { port } = await testListener(
      (_request, response) => void setTimeout(() => response.end('late'), 100),
    )
    const text = await new Promise<string>((resolve) => {
      let seen = ''
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
        socket.end(GET),
      )
      socket.on('data', (piece) => (seen += piece.toString()))
      socket.on('close', () => resolve(seen))
      socket.on('error', () => resolve(seen))
    })
    expect(text).toContain('late')
    let closed = false
    const silent = await testListener(
      (_request, response) => void response.once('close', () => (closed = true)),
    )
    const socket = connect(silent.port, '127.0.0.1', () => socket.end(GET))
    await eventually(() => closed, { within: 3000 })
  })
})

describe('a listener that is on its way out', () => {
  test('says Connection: close on every reply', async () => {
    const { listener, port } = await testListener()
    expect((await wire(port, GET, 200)).text).not.toMatch(/connection: close/i)
    listener.retire()
    const { text, end } = await wire(port, GET, 3000)
    expect(text).toMatch(/connection: close/i)
    expect(end).toBe('fin')
  })

  test('lets nobody in, and finishes what it began', async () => {
    let finish: () => void = () => undefined
    const { listener, port } = await testListener((_request, response) => {
      finish = () => void response.end('done')
    })
    listener.retire()
    const before = finish
    const running = wire(port, GET, 5000)
    await eventually(() => finish !== before)
    listener.stopAccepting()
    await expect(wire(port, GET)).rejects.toThrow(/ECONNREFUSED/)
    let closed = false
    const closing = listener.closed().then(() => (closed = true))
    listener.closeIdle()
    expect(closed).toBe(false)
    finish()
    expect((await running).text).toContain('done')
    await closing
    expect(closed).toBe(true)
  })

  test.each(['leaves', 'is cut'])(
    'is closed when its last client %s, and not before the exchange is over',
    async (how) => {
      let over: boolean | undefined
      const { listener, port } = await testListener((_request, response) => {
        over = false
        response.once('close', () => (over = true))
      })
      const socket = connect(port, '127.0.0.1', () => socket.write(GET))
      socket.on('error', () => undefined)
      await eventually(() => over === false)
      listener.stopAccepting()
      const closed = listener.closed().then(() => over)
      if (how === 'leaves') socket.destroy()
      else listener.destroy()
      expect(await closed).toBe(true)
    },
  )

  test('is closed at once when nobody is there', async () => {
    const { listener } = await testListener()
    listener.stopAccepting()
    expect(await listener.closed()).toBeUndefined()
  })
})
