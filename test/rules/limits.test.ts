// Rule 12, and the counts of rule 26: every limit of size or number has an option, an answer that its
// client can read to the last byte, and a count.

import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { FIVE, HOST, expectRefusal, hold, limited } from './limited.ts'
import { exchange } from './odd-upstream.ts'
import { values } from './reply-reader.ts'

describe('sizes', () => {
  const { here, port, counts } = limited(
    'limits: { header_size: 8KiB, target_size: 2KiB, replay_body_size: 2KiB, body_size: { read: 1KiB, write: 4KiB, bulk: 64KiB } }',
  )
  const post = (target: string, length: number) =>
    `POST ${target} HTTP/1.1\r\n${HOST}Content-Length: ${length}\r\n\r\n`

  test('a target over limits.target_size: 414', async () => {
    for (const size of [2049, 5000, 7000]) {
      const line = `GET /v1/${'x'.repeat(size - 4)} HTTP/1.1\r\n${HOST}\r\n`
      const seen = await counts('target_size', () => exchange(port(), line))
      expect(seen.status).toBe(414)
      expect(JSON.parse(seen.body)).toMatchObject({ code: 'uri_too_long' })
      expect(seen.whole).toBe(true)
    }
    const fits = await here().ask([FIVE], { target: `/v1/${'x'.repeat(2000)}` })
    expect(fits.status).toBe(200)
  })

  test.each([9000, 60_000, 400_000])(
    'a head over limits.header_size (%i bytes): 431, and readable by who writes it all first',
    async (size) => {
      const head = `GET /v1/dns HTTP/1.1\r\n${HOST}X-A: ${'x y '.repeat(size / 4)}\r\n\r\n`
      const seen = await counts('header_size', async () => {
        const client = await hold(port())
        client.socket.pause()
        client.write(head)
        await sleep(100)
        client.socket.resume()
        return client.rest()
      })
      expect(seen.whole).toBe(true)
      expectRefusal(seen, 431, 'header_too_large')
    },
  )

  test('a target that is larger than the whole head may be: 414 or 431, in full', async () => {
    const seen = await (await hold(port(), `GET /v1/${'x'.repeat(100_000)} HTTP/1.1\r\n`)).rest()
    expect([414, 431]).toContain(seen.status)
    expect(seen).toMatchObject({ whole: true, end: 'fin' })
  })

  test.each([
    ['GET', '/v1/dns', 1025],
    ['DELETE', '/v1/dns/example.com', 1025],
    ['POST', '/v1/domains', 4097],
    ['PUT', '/v1/dns/example.com', 4097],
    ['PATCH', '/v1/dns/example.com/rrsets', 4097],
    ['POST', '/v1/jobs', 65_537],
    ['POST', '/v1/domains', 300_000],
    ['POST', '/v1/domains', 999_999_999_999_999],
  ])('%s %s with %i bytes: 413 before a byte of them is read', async (method, target, length) => {
    const before = here().upstream.requests.length
    const head = post(target, length).replace('POST', method)
    const seen = await counts('body_size', async () => (await hold(port(), head)).rest())
    expectRefusal(seen, 413, 'content_too_large')
    expect(here().upstream.requests.length).toBe(before)
  })

  test.each([300_000, 900_000])(
    'a 413 can be read by who sends all %i bytes before it looks',
    async (length) => {
      const seen = await counts('body_size', async () => {
        const client = await hold(port())
        client.socket.pause()
        client.write(post('/v1/domains', length))
        for (let sent = 0; sent < length; sent += 50_000) {
          client.write('x'.repeat(50_000))
          await sleep(20)
        }
        client.socket.resume()
        return client.rest()
      })
      expect(seen.whole).toBe(true)
      expectRefusal(seen, 413, 'content_too_large')
    },
  )

  test('a 413 for who asks with Expect, without a 100', async () => {
    const head = post('/v1/domains', 5000).replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n')
    const seen = await (await hold(port(), head)).rest()
    expectRefusal(seen, 413, 'content_too_large')
    expect(seen.interims).toEqual([])
  })

  test.each([3, 40])(
    'chunks that grow over the bound, in %i pieces: 413, never whole upstream',
    async (pieces) => {
      const before = here().upstream.requests.length
      const seen = await counts('body_size', async () => {
        const head = `POST /v1/domains HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`
        const client = await hold(port(), head)
        for (let at = 0; at < pieces; at++) {
          client.write(`7d0\r\n${'x'.repeat(2000)}\r\n`)
          await sleep(5)
        }
        return client.rest()
      })
      expectRefusal(seen, 413, 'content_too_large')
      const reached = here().upstream.requests.slice(before)
      expect(reached.filter(({ complete }) => complete)).toEqual([])
    },
  )

  test.each([
    ['GET', '/v1/dns', 1024],
    ['POST', '/v1/domains', 4096],
    ['POST', '/v1/jobs', 65_536],
  ])('%s %s with %i bytes is served', async (method, target, length) => {
    const seen = await here().ask([FIVE], { method, target, body: 'x'.repeat(length) })
    expect(seen).toMatchObject({ status: 200, whole: true, end: 'open' })
    expect(here().upstream.requests.at(-1)?.body).toHaveLength(length)
  })
})

describe('limits.in_flight', () => {
  const { here, port, counts } = limited('limits: { in_flight: 2 }')

  test('one more gets 503 with Retry-After at once, and a place once one is free', async () => {
    const slow = [1, 2].map((at) => exchange(port(), `GET /v1/held/${at} HTTP/1.1\r\n${HOST}\r\n`))
    const { upstream } = here()
    const well = upstream.script
    upstream.script = () => undefined
    await eventually(
      () => upstream.requests.filter((it) => it.target.includes('held')).length === 2,
    )
    const seen = await counts('in_flight', () =>
      exchange(port(), `GET /v1/next/1 HTTP/1.1\r\n${HOST}\r\n`),
    )
    expectRefusal(seen, 503, 'overloaded', 'open')
    expect(values(seen.fields, 'retry-after')).toEqual(['1'])
    upstream.script = well
    for (const { target, socket } of upstream.requests) {
      if (target.includes('held')) socket.write(FIVE)
    }
    for (const each of await Promise.all(slow)) expect(each.status).toBe(200)
  })
})

describe('limits.connections', () => {
  const { here, port, counts } = limited('limits: { connections: 4 }')

  test('one more is answered 503 and closed; it may come when another left', async () => {
    const request = `GET /v1/next/1 HTTP/1.1\r\n${HOST}\r\n`
    const clients = await Promise.all(Array.from({ length: 4 }, () => hold(port(), request)))
    await eventually(() => clients.every(({ text }) => text.includes('GET /v1/next/1')))
    expect(
      await here().proxy.metric('connections', { listener: here().proxy.listen[0] ?? '' }),
    ).toBe(4)
    const seen = await counts('connections', async () => (await hold(port(), request)).rest())
    expectRefusal(seen, 503, 'overloaded')
    expect(values(seen.fields, 'retry-after')).toEqual(['1'])
    // Operators still get in.
    expect((await fetch(`${here().proxy.adminOrigin}/livez`)).status).toBe(200)
    for (const { socket } of clients) socket.destroy()
    await eventually(() =>
      here()
        .next()
        .then(() => true),
    )
  })
})
