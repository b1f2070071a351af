// Rules 26 and 27: every limit of time has an option, a clear answer and a count, and whoever runs into
// one harms nobody else.

import { describe, expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { FIVE, HOST, expectRefusal, hold, limited } from './limited.ts'
import { exchange } from './odd-upstream.ts'
import { values } from './reply-reader.ts'

describe('times of a request', () => {
  const { here, port, counts } = limited(
    'limits: { request_head_timeout: 500ms, request_body_idle_timeout: 500ms, request_body_timeout: 1500ms, keep_alive_timeout: 1s, replay_body_size: 1KiB }',
  )

  test.each([
    ['that stops', 'GET /v1/dns HTTP/1.1\r\nHost: loc', ''],
    ['that drips', 'GET /v1/dns HTTP/1.1\r\n', 'X: 1\r\n'],
  ])('a head %s: 408', async (_how, bytes, drip) => {
    const seen = await counts('request_head_timeout', async () => {
      const client = await hold(port(), bytes)
      const timer = setInterval(() => drip !== '' && client.write(drip), 100)
      const found = await client.rest()
      clearInterval(timer)
      return found
    })
    expect(seen.whole).toBe(true)
    expectRefusal(seen, 408, 'request_timeout')
  })

  test.each([
    ['small', 100],
    ['streamed', 5000],
  ])('a %s body that stops: 408, and no whole request upstream', async (_size, length) => {
    const before = here().upstream.requests.length
    const head = `POST /v1/domains HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\nhalf`
    const seen = await counts('request_body_idle_timeout', async () =>
      (await hold(port(), head)).rest(),
    )
    expectRefusal(seen, 408, 'request_timeout')
    const reached = here().upstream.requests.slice(before)
    expect(reached.filter(({ complete }) => complete)).toEqual([])
    await eventually(() => reached.every(({ closed }) => closed))
  })

  test.each([
    ['small', 100],
    ['streamed', 5000],
  ])('a %s body that drips: 408 once its whole time is over', async (_size, length) => {
    const head = `POST /v1/domains HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\n`
    const startedAt = performance.now()
    const seen = await counts('request_body_timeout', async () => {
      const client = await hold(port(), head)
      const timer = setInterval(() => client.write('x'), 100)
      const found = await client.rest()
      clearInterval(timer)
      return found
    })
    expectRefusal(seen, 408, 'request_timeout')
    expect(performance.now() - startedAt).toBeGreaterThan(1400)
  })

  test('a connection that is not used is closed without a word', async () => {
    const client = await hold(port(), `GET /v1/next/1 HTTP/1.1\r\n${HOST}\r\n`)
    await client.rest()
    expect(client.end).toBe('fin')
    expect(client.text.endsWith('GET /v1/next/1')).toBe(true)
  })

  test('three hundred slow heads and bodies leave others unharmed', async () => {
    const slow = [
      ...Array.from({ length: 150 }, () => hold(port(), 'GET /v1/dns HTTP/1.1\r\nHost: loc')),
      ...Array.from({ length: 150 }, () =>
        hold(port(), `POST /v1/domains HTTP/1.1\r\n${HOST}Content-Length: 500\r\n\r\nhalf`),
      ),
    ]
    const clients = await Promise.all(slow)
    const times: number[] = []
    for (let at = 0; at < 20; at++) {
      const startedAt = performance.now()
      await here().next()
      times.push(performance.now() - startedAt)
    }
    expect(times.toSorted((one, other) => one - other)[10]).toBeLessThan(250)
    const ends = await Promise.all(clients.map((client) => client.rest()))
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set([408]))
    await eventually(async () => expect(await here().proxy.metric('inflight_requests')).toBe(0))
  })
})

describe('times of the upstream', () => {
  const { here, port, counts } = limited(
    'limits: { total_timeout: 900ms, reply_write_timeout: 600ms }\nupstream: { connections: 1, queue_timeout: 300ms }',
  )

  test('upstream.queue_timeout: 503, and nothing was sent', async () => {
    const { upstream } = here()
    const slow = here().ask([{ wait: 700 }, FIVE])
    await eventually(() => here().times === 1)
    const before = upstream.requests.length
    const seen = await counts('queue_timeout', () =>
      exchange(port(), `POST /v1/domains HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{}`, 'POST'),
    )
    expectRefusal(seen, 503, 'upstream_busy', 'open')
    expect(values(seen.fields, 'retry-after')).toEqual(['1'])
    expect(await slow).toMatchObject({ status: 200, body: 'hello' })
    expect(upstream.requests.length).toBe(before)
  })

  test('limits.total_timeout before a reply: 504', async () => {
    const seen = await counts('total_timeout', () => here().ask([{ wait: 5000 }]))
    expect(seen.whole).toBe(true)
    expectRefusal(seen, 504, 'total_timeout', 'open')
    const [request] = here().upstream.requests.slice(-1)
    await eventually(() => request?.closed === true)
  })

  test('limits.total_timeout within a reply: it breaks off', async () => {
    const drip = Array.from({ length: 30 }, () => ['x', { wait: 100 }] as const).flat()
    const seen = await counts('total_timeout', () =>
      here().ask(['HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n', ...drip]),
    )
    expect(seen).toMatchObject({ status: 200, whole: false, end: 'reset' })
  })

  test('limits.total_timeout for a purchase that was sent: 409, for nobody knows', async () => {
    const seen = await here().ask([{ wait: 5000 }], {
      method: 'POST',
      target: '/v1/domains',
      body: '{}',
    })
    expect(seen.status).toBe(409)
    expect(JSON.parse(seen.body)).toMatchObject({ code: 'outcome_unknown' })
  })
})

describe('limits.reply_write_timeout', () => {
  const { here, port, counts } = limited('limits: { reply_write_timeout: 600ms }')

  test('who reads nothing of a large reply is cut off, and its upstream let go', async () => {
    const { upstream } = here()
    const well = upstream.script
    upstream.script = ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
      const piece = Buffer.alloc(256 * 1024)
      const more = () => {
        while (!socket.destroyed && socket.write(piece));
      }
      socket.on('drain', more)
      more()
    }
    await counts('reply_write_timeout', async () => {
      const client = await hold(port(), `GET /v1/large HTTP/1.1\r\n${HOST}\r\n`)
      client.socket.pause()
      await eventually(() => upstream.requests.at(-1)?.closed === true)
    })
    expect(upstream.requests.at(-1)?.target).toBe('/v1/large')
    upstream.script = well
  })
})
