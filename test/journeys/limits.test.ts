// Limits through the whole proxy: what one consumer may ask for, what OpusDNS wants of all together, and
// whose turn it is when requests wait.

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'

import { describe, expect, onTestFinished, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { httpClient } from '../support/http-client.ts'
import type { Answer } from '../support/http-client.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import type { RawRequest, RawUpstream, Script } from '../support/raw-upstream.ts'
import { startRunningProxy } from '../support/running-proxy.ts'

const ADMIN = 'grants: [admin]'

interface World {
  readonly upstream: RawUpstream
  readonly proxy: Gateway
  ask(consumer: string, path?: string, method?: string, body?: string): Promise<Answer>
}

/** A gateway in front of a scripted upstream. */
async function world(
  consumers: Readonly<Record<string, string>>,
  { script, config }: { script?: Script; config?: string } = {},
): Promise<World> {
  const upstream = await rawUpstream(script)
  const proxy = await gateway({ base: upstream.origin, consumers, ...(config ? { config } : {}) })
  const client = httpClient(`http://127.0.0.1:${proxy.port}`)
  onTestFinished(async () => {
    client.close()
    await proxy.stop()
    await upstream.close()
  })
  return {
    upstream,
    proxy,
    ask: (consumer, path = '/v1/tags', method = 'GET', body = '') =>
      client.send({ path, method, headers: { 'X-Api-Key': proxy.keys[consumer] ?? '' }, body }),
  }
}

const refusal = (more = '') =>
  plainReply('{"detail":"slow  down"}', `HTTP/1.1 429 Too Many Requests${more}`)
const refusing = (seconds: number) => refusal(`\r\nRetry-After: ${seconds}`)
const codeOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { code?: string }).code

describe('the limits of a consumer', () => {
  test('let a burst through to the request, and no other consumer feels it', async () => {
    const { upstream, proxy, ask } = await world({
      busy: `${ADMIN}, limits: { rate: 6/h, burst: 5 }`,
      other: ADMIN,
    })
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('busy')))
    const passed = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 429)
    expect([passed.length, refused.length]).toEqual([5, 15])
    expect(upstream.requests).toHaveLength(5)
    expect(new Set(passed.map(({ headers }) => headers['ratelimit']))).toEqual(
      new Set([0, 1, 2, 3, 4].map((left) => `"consumer";r=${left};t=600`)),
    )
    for (const answer of refused) {
      expect(codeOf(answer)).toBe('rate_limited')
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.headers['ratelimit-policy']).toBe('"consumer";q=5;w=3000')
      expect(answer.headers['ratelimit']).toBe(`"consumer";r=0;t=${answer.headers['retry-after']}`)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(590)
    }
    const other = await ask('other')
    expect(other.status).toBe(200)
    expect(other.headers['ratelimit']).toBeUndefined()
    expect(await proxy.metric('limit_hits_total', { limit: 'rate' })).toBe(15)
    const labels = { consumer: 'busy', code: '429', source: 'policy' }
    expect(await proxy.metric('requests_total', labels)).toBe(15)
  })

  test('let so many be in flight, and the next when one has its answer', async () => {
    const held: RawRequest[] = []
    const { ask } = await world(
      { busy: `${ADMIN}, limits: { concurrency: 2 }`, other: ADMIN },
      { script: (request) => void held.push(request) },
    )
    const first = ask('busy')
    const second = ask('busy')
    await eventually(() => held.length === 2)
    const third = await ask('busy')
    expect(third.status).toBe(429)
    expect(third.headers['retry-after']).toBe('1')
    expect(held).toHaveLength(2)
    held[0]?.socket.write(plainReply())
    held[1]?.socket.write(plainReply())
    expect([(await first).status, (await second).status]).toEqual([200, 200])
    const fourth = ask('busy')
    await eventually(() => held.length === 3)
    held[2]?.socket.write(plainReply())
    expect((await fourth).status).toBe(200)
  })

  test('count a request in flight from its head on, however slowly its body comes', async () => {
    const { upstream, proxy, ask } = await world({
      few: `${ADMIN}, limits: { concurrency: 2 }`,
      other: ADMIN,
    })
    const upload = () => {
      const socket = connect(proxy.port, '127.0.0.1')
      onTestFinished(() => void socket.destroy())
      socket.write(
        `POST /v1/tags HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${proxy.keys['few'] ?? ''}\r\n` +
          'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
      )
      return socket
    }
    const slow = [upload(), upload()]
    await eventually(async () => (await ask('few')).status === 429)
    expect((await ask('other')).status).toBe(200)
    const before = upstream.requests.length
    const [head] = (await once(upload(), 'data')) as [Buffer]
    expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 429 /)
    expect(upstream.requests).toHaveLength(before)
    slow[0]?.destroy()
    await eventually(async () => (await ask('few')).status === 200)
  })

  test('count no request that the consumer may not make', async () => {
    const { ask } = await world({ reader: `grants: [read], limits: { rate: 1/h }` })
    expect((await ask('reader', '/v1/tags', 'POST')).status).toBe(403)
    expect((await ask('reader')).status).toBe(200)
    expect((await ask('reader')).status).toBe(429)
  })

  test('survive a reload with what is left of them, unless they are changed', async () => {
    const upstream = await rawUpstream()
    const cwd = mkdtempSync(join(tmpdir(), 'opusdns-limits-'))
    onTestFinished(() => rmSync(cwd, { recursive: true }))
    writeFileSync(join(cwd, 'key'), 'opk_key', { mode: 0o600 })
    const config = (rate: string, grants: string) =>
      `credential: { api_key: 'file:${cwd}/key' }\n` +
      `consumers: { local: { anonymous: true, grants: [${grants}], limits: { rate: ${rate} } } }\n`
    const proxy = await startRunningProxy({
      env: { OPUSDNS_API_BASE: upstream.origin },
      cwd,
      config: config('2/h', 'read'),
    })
    onTestFinished(async () => {
      await proxy.stop()
      await upstream.close()
    })
    const status = async () => (await fetch(`${proxy.origin}/v1/tags`)).status
    const reload = async (text: string) => {
      writeFileSync(join(cwd, 'proxy.yaml'), text, { mode: 0o600 })
      const reply = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
      expect(reply.status).toBe(200)
    }
    expect([await status(), await status(), await status()]).toEqual([200, 200, 429])
    await reload(config('2/h', 'admin'))
    expect(await status()).toBe(429)
    await reload(config('3/h', 'admin'))
    expect(await status()).toBe(200)
  })
})

describe('a 429 of OpusDNS', () => {
  test('reaches its client byte for byte, and has all who share the credential wait', async () => {
    let refusedAt = 0
    const arrivals: number[] = []
    const { upstream, proxy, ask } = await world(
      { first: ADMIN, second: ADMIN },
      {
        script({ socket }) {
          if (refusedAt === 0) {
            refusedAt = performance.now()
            socket.write(refusing(1))
            return
          }
          arrivals.push(performance.now())
          socket.write(plainReply())
        },
      },
    )
    const refused = await ask('first')
    expect(refused.status).toBe(429)
    expect(refused.body.toString()).toBe('{"detail":"slow  down"}')
    expect(refused.headers['retry-after']).toBe('1')
    const waiting = [ask('second'), ask('first'), ask('second')]
    await eventually(async () => (await proxy.metric('upstream_waiting')) === 3, { within: 900 })
    expect(await proxy.metric('upstream_held_seconds')).toBeGreaterThan(0)
    expect(await proxy.metric('upstream_limit', { credential: 'default' })).toBe(1)
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(200)
    expect(upstream.requests).toHaveLength(4)
    // A timer may fire a millisecond early.
    for (const at of arrivals) expect(at - refusedAt).toBeGreaterThan(990)
    expect(await proxy.metric('upstream_limit', { credential: 'default' })).toBeGreaterThan(1)
  })

  test('with a wait longer than the queue is answered by the proxy, and nothing is sent', async () => {
    const { upstream, proxy, ask } = await world(
      { first: ADMIN, second: ADMIN },
      {
        script: ({ socket }) => socket.write(refusing(30)),
        config: 'upstream: { queue_timeout: 1s }',
      },
    )
    await ask('first')
    const answer = await ask('second', '/v1/tags', 'POST')
    expect(answer.status).toBe(429)
    expect(codeOf(answer)).toBe('upstream_rate_limited')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(29)
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(30)
    expect(upstream.requests).toHaveLength(1)
    expect(await proxy.metric('limit_hits_total', { limit: 'upstream' })).toBe(1)
  })

  test('that comes while others wait in the queue refuses them when their time is over', async () => {
    const held: RawRequest[] = []
    const { upstream, proxy, ask } = await world(
      { first: ADMIN, second: ADMIN },
      {
        script: (request) => void held.push(request),
        config: 'upstream: { queue_timeout: 2s, connections: 1 }',
      },
    )
    const first = ask('first')
    await eventually(() => held.length === 1)
    const second = ask('second')
    await eventually(async () => (await proxy.metric('upstream_waiting')) === 1)
    held[0]?.socket.write(refusing(30))
    expect((await first).status).toBe(429)
    const answer = await second
    expect([answer.status, codeOf(answer)]).toEqual([429, 'upstream_rate_limited'])
    expect(upstream.requests).toHaveLength(1)
  })

  test.each([300, 20])(
    'to a report (wait %i s) stops neither DNS nor other reports',
    async (wait) => {
      const { upstream, ask } = await world(
        { first: ADMIN, second: ADMIN },
        {
          script: ({ socket, target }) =>
            socket.write(target === '/v1/reports' ? refusing(wait) : plainReply()),
        },
      )
      expect((await ask('first', '/v1/reports', 'POST')).status).toBe(429)
      expect((await ask('first')).status).toBe(200)
      expect((await ask('second')).status).toBe(200)
      const again = await ask('second', '/v1/reports', 'POST')
      expect(again.body.toString()).toBe('{"detail":"slow  down"}')
      expect(upstream.requests).toHaveLength(4)
    },
  )

  test('that asks for more than a minute stops only the same request', async () => {
    const { upstream, ask } = await world(
      { first: ADMIN, second: ADMIN },
      {
        script: ({ socket, target }) =>
          socket.write(target.startsWith('/v1/contacts') ? refusing(120) : plainReply()),
      },
    )
    expect((await ask('first', '/v1/contacts')).status).toBe(429)
    const again = await ask('second', '/v1/contacts?page=2')
    expect([again.status, codeOf(again)]).toEqual([429, 'upstream_rate_limited'])
    expect((await ask('second')).status).toBe(200)
    expect(upstream.requests).toHaveLength(2)
  })

  test('that asks for more than a minute, at a second request too, stops all who share the credential', async () => {
    const { upstream, ask } = await world(
      { first: ADMIN, second: ADMIN },
      {
        script: ({ socket, target }) =>
          socket.write(target === '/v1/dns' ? plainReply() : refusing(120)),
      },
    )
    expect((await ask('first', '/v1/contacts')).status).toBe(429)
    expect((await ask('second', '/v1/dns')).status).toBe(200)
    expect((await ask('first', '/v1/tags')).status).toBe(429)
    const other = await ask('second', '/v1/dns')
    expect([other.status, codeOf(other)]).toEqual([429, 'upstream_rate_limited'])
    expect(Number(other.headers['retry-after'])).toBeGreaterThanOrEqual(119)
    expect(upstream.requests).toHaveLength(3)
  })

  test('and that a dry run met stops the reading of that zone, and not the write', async () => {
    const { upstream, proxy, ask } = await world(
      { first: ADMIN },
      {
        script: ({ socket, method }) =>
          socket.write(method === 'GET' ? refusing(120) : plainReply()),
      },
    )
    const client = httpClient(`http://127.0.0.1:${proxy.port}`)
    onTestFinished(() => client.close())
    const remove = (more: Record<string, string>) =>
      client.send({
        method: 'DELETE',
        path: '/v1/dns/example.com',
        headers: { 'X-Api-Key': proxy.keys['first'] ?? '', ...more },
      })
    expect((await remove({ Prefer: 'dry-run' })).status).toBe(429)
    expect(codeOf(await ask('first', '/v1/dns/example.com'))).toBe('upstream_rate_limited')
    expect(codeOf(await remove({ Prefer: 'dry-run' }))).toBe('upstream_rate_limited')
    expect((await remove({})).status).toBe(200)
    expect(upstream.requests.map(({ method }) => method)).toEqual(['GET', 'DELETE'])
  })

  test('is never sent again by the proxy', async () => {
    const { upstream, ask } = await world(
      { first: ADMIN },
      { script: ({ socket }) => socket.write(refusal()) },
    )
    expect((await ask('first')).status).toBe(429)
    expect(upstream.requests).toHaveLength(1)
  })
})

describe('a consumer that floods', () => {
  test('is served in turn with the others', async () => {
    const held: RawRequest[] = []
    const { proxy, ask } = await world(
      { flood: ADMIN, quiet: ADMIN },
      {
        script: (request) => void held.push(request),
        config: 'upstream: { connections: 1 }',
      },
    )
    const flood = Array.from({ length: 50 }, () => ask('flood', '/v1/tags'))
    await eventually(async () => (await proxy.metric('upstream_waiting')) === 49)
    const quiet = ask('quiet', '/v1/contacts')
    await eventually(async () => (await proxy.metric('upstream_waiting')) === 50)
    for (let at = 0; at < 51; at++) {
      await eventually(() => held.length > at, { every: 1 })
      held[at]?.socket.write(plainReply())
    }
    expect((await quiet).status).toBe(200)
    await Promise.all(flood)
    expect(held.findIndex(({ target }) => target === '/v1/contacts')).toBeLessThanOrEqual(2)
  })

  test('delays another by a request or two, however many it has waiting', async () => {
    const { ask } = await world(
      { flood: ADMIN, quiet: ADMIN },
      {
        async script({ socket }) {
          await after(10)
          socket.write(plainReply())
        },
        config: 'upstream: { connections: 4 }',
      },
    )
    const startedAt = performance.now()
    const flood = Promise.all(Array.from({ length: 300 }, () => ask('flood')))
    let longest = 0
    for (let at = 0; at < 10; at++) {
      longest = Math.max(longest, (await ask('quiet')).ms)
    }
    const quietDone = performance.now() - startedAt
    await flood
    const floodDone = performance.now() - startedAt
    // First come, first served, its first answer alone would have come after the last of the flood.
    expect(quietDone).toBeLessThan(floodDone)
    expect(longest).toBeLessThan(floodDone / 2)
  })

  test.each([
    ['connections', '/v1/tags', 8],
    ['event streams', '/v1/availability/stream?domains=a.example', 16],
  ])('cannot keep all %s for as long as it likes', async (_name, path, connections) => {
    const { upstream, ask } = await world(
      { flood: ADMIN, quiet: ADMIN },
      {
        // What is asked for with `?quiet` is answered, all else never is.
        script: ({ target, socket }) => {
          if (target.endsWith('quiet')) socket.write(plainReply())
        },
        config: `upstream: { connections: ${connections} }`,
      },
    )
    const flood = Array.from({ length: 20 }, () => ask('flood', path).catch(() => undefined))
    await eventually(() => upstream.requests.length === 7)
    expect((await ask('quiet', `${path}${path.includes('?') ? '&' : '?'}quiet`)).status).toBe(200)
    expect(upstream.requests).toHaveLength(8)
    for (const { socket } of upstream.requests) socket.destroy()
    void flood
  })

  test('and reads its dry runs slowly leaves places and memory to those of others', async () => {
    const record = { rdata: 'x'.repeat(8000) }
    const rrsets = Array.from({ length: 1500 }, (_, at) => {
      return { name: `host${at}`, type: 'TXT', ttl: 60, records: [record] }
    })
    const zone = plainReply(JSON.stringify({ name: 'example.com.', rrsets }))
    const { upstream, proxy } = await world(
      { flood: ADMIN, quiet: ADMIN },
      { script: ({ socket }) => void socket.write(zone) },
    )
    const body = '{"rrsets":[]}'
    const dryRun = async (consumer: string) => {
      const socket = connect(proxy.port, '127.0.0.1')
      onTestFinished(() => void socket.destroy())
      socket.write(
        'PUT /v1/dns/example.com/rrsets HTTP/1.1\r\nHost: localhost\r\nPrefer: dry-run\r\n' +
          `X-Api-Key: ${proxy.keys[consumer] ?? ''}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
      )
      const [head] = (await once(socket, 'data')) as [Buffer]
      // The rest stays unread.
      socket.pause()
      return head.toString('latin1').slice(9, 12)
    }
    const flood: string[] = []
    for (let at = 0; at < 4; at++) flood.push(await dryRun('flood'))
    // Half of 64 MiB holds two such answers; for the others the zone is read, and finds no room.
    expect(flood).toEqual(['200', '200', '503', '503'])
    expect(upstream.requests).toHaveLength(4)
    expect(await dryRun('quiet')).toBe('200')
    expect(upstream.requests).toHaveLength(5)
  })

  test('and reads its lists slowly leaves places and memory to others', async () => {
    const element = JSON.stringify({ name: 'example.com.', note: 'x'.repeat(12_000_000) })
    const pagination = { total_items: 1, current_page: 1, has_next_page: false }
    const list = plainReply(`{"results":[${element}],"pagination":${JSON.stringify(pagination)}}`)
    const grants = 'grants: [dns: { zones: [example.com] }]'
    const { upstream, proxy } = await world(
      { flood: grants, quiet: grants },
      { script: ({ socket }) => void socket.write(list) },
    )
    const ask = async (consumer: string) => {
      const socket = connect(proxy.port, '127.0.0.1')
      onTestFinished(() => void socket.destroy())
      socket.write(
        `GET /v1/dns HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${proxy.keys[consumer] ?? ''}\r\n\r\n`,
      )
      const [head] = (await once(socket, 'data')) as [Buffer]
      // The rest stays unread.
      socket.pause()
      return head.toString('latin1').slice(9, 12)
    }
    const flood: string[] = []
    for (let at = 0; at < 6; at++) flood.push(await ask('flood'))
    // Half of 64 MiB holds two such answers.
    expect(flood).toEqual(['200', '200', '503', '503', '503', '503'])
    expect(upstream.requests).toHaveLength(6)
    expect(await ask('quiet')).toBe('200')
    expect(await proxy.metric('limit_hits_total', { limit: 'held_size' })).toBe(4)
  })

  test.each(['declared', 'chunked'])(
    'and holds %s bodies that must be judged leaves memory to others',
    async (framing) => {
      const grants = 'grants: [acme: [example.com]]'
      const { upstream, proxy } = await world(
        { flood: grants, quiet: grants },
        {
          script: ({ socket }) => void socket.write(plainReply()),
          config: 'limits: { held_size: 2MiB }',
        },
      )
      const body = (bytes: number) =>
        `{"ops":[{"op":"upsert","record":{"name":"_acme-challenge","type":"TXT","rdata":"${'x'.repeat(bytes)}"}}]}`
      const begin = (consumer: string, text: string) => {
        const socket = connect(proxy.port, '127.0.0.1')
        onTestFinished(() => void socket.destroy())
        const frame =
          framing === 'declared'
            ? `Content-Length: ${text.length}\r\n\r\n`
            : `Transfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n`
        socket.write(
          'PATCH /v1/dns/example.com/records HTTP/1.1\r\nHost: localhost\r\n' +
            `X-Api-Key: ${proxy.keys[consumer] ?? ''}\r\nContent-Type: application/json\r\n${frame}`,
        )
        socket.write(text.slice(0, -1))
        return {
          socket,
          end: () => socket.write(text.slice(-1) + (framing === 'declared' ? '' : '\r\n0\r\n\r\n')),
          status: once(socket, 'data').then(([head]) => String(head).slice(9, 12)),
        }
      }
      const large = body(800_000)
      const first = begin('flood', large)
      await eventually(async () => (await proxy.metric('inflight_requests')) === 1)
      // Of one that is chunked, room is taken as it comes.
      await eventually(async () => {
        const second = begin('flood', large)
        const status = await Promise.race([second.status, after(50, 'none')])
        second.socket.destroy()
        return status === '503'
      })
      expect(upstream.requests).toHaveLength(0)
      const quiet = begin('quiet', body(300_000))
      quiet.end()
      expect(await quiet.status).toBe('200')
      first.end()
      expect(await first.status).toBe('200')
      const third = begin('flood', large)
      third.end()
      expect(await third.status).toBe('200')
    },
  )

  test('has a body streamed that need not be held, where there is no room', async () => {
    const { upstream, proxy, ask } = await world(
      { flood: ADMIN, quiet: ADMIN },
      {
        script: async ({ socket, whole }) => {
          await whole
          socket.write(plainReply())
        },
        config: 'limits: { held_size: 128KiB, judged_body_size: 4KiB }',
      },
    )
    const holds = connect(proxy.port, '127.0.0.1')
    onTestFinished(() => void holds.destroy())
    holds.write(
      `POST /v1/tags HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${proxy.keys['flood'] ?? ''}\r\nContent-Length: 60000\r\n\r\nx`,
    )
    await eventually(async () => (await proxy.metric('inflight_requests')) === 1)
    expect(upstream.requests).toHaveLength(0)
    const reply = await ask('flood', '/v1/tags', 'POST', 'y'.repeat(60_000))
    expect(reply.status).toBe(200)
    expect(upstream.requests).toHaveLength(1)
  })

  test('cannot take all of limits.in_flight', async () => {
    const held: RawRequest[] = []
    const { proxy, ask } = await world(
      { flood: ADMIN, quiet: ADMIN },
      {
        script: (request) => void held.push(request),
        config: 'upstream: { connections: 1 }\nlimits: { in_flight: 10 }',
      },
    )
    const flood = Array.from({ length: 10 }, () => ask('flood'))
    await eventually(async () => (await proxy.metric('upstream_waiting')) === 9)
    const eleventh = await ask('flood')
    expect([eleventh.status, codeOf(eleventh)]).toEqual([503, 'overloaded'])
    const quiet = Array.from({ length: 5 }, () => ask('quiet'))
    await eventually(async () => (await proxy.metric('upstream_waiting')) === 14)
    expect((await ask('quiet')).status).toBe(503)
    for (let at = 0; at < 15; at++) {
      await eventually(() => held.length > at, { every: 1 })
      held[at]?.socket.write(plainReply())
    }
    for (const { status } of await Promise.all([...flood, ...quiet])) expect(status).toBe(200)
  })

  test('leaves each a place, also where there are more consumers than limits.in_flight', async () => {
    const { upstream, ask } = await world(
      { flood: ADMIN, quiet: ADMIN },
      {
        script: ({ target, socket }) => {
          if (target.endsWith('quiet')) socket.write(plainReply())
        },
        config: 'limits: { in_flight: 1 }',
      },
    )
    void ask('flood').catch(() => undefined)
    await eventually(() => upstream.requests.length === 1)
    expect((await ask('flood')).status).toBe(503)
    expect((await ask('quiet', '/v1/tags?quiet')).status).toBe(200)
    upstream.requests[0]?.socket.destroy()
  })
})
