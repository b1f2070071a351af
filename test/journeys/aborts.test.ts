// Clients and upstreams that leave in the middle: each side learns of the other's end, nothing that
// was cut looks whole, nothing unsafe is sent twice, and the next request works.

import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { wire } from '../opusdns/wire.ts'
import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream, wellBehaved } from '../support/raw-upstream.ts'
import type { RawRequest, RawUpstream, Script } from '../support/raw-upstream.ts'
import { headOf, open, readAll, send } from '../support/wire-client.ts'
import type { Sending } from '../support/wire-client.ts'

/** A billable operation of the API. */
const PURCHASE: Sending = { method: 'POST', path: '/v1/domains', body: '{"name":"bought.example"}' }
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n'
const HEAD_TIMEOUT = 2000

let upstream: RawUpstream
let proxy: LocalProxy

beforeAll(async () => {
  upstream = await rawUpstream()
  proxy = await localProxy({
    base: upstream.origin,
    config: `upstream: { head_timeout: ${HEAD_TIMEOUT}ms, body_idle_timeout: 700ms }\nlimits: { request_body_idle_timeout: 700ms }`,
  })
})
afterEach(async () => {
  // Whatever went wrong before: the next requests of all kinds work.
  upstream.script = wellBehaved
  for (const sending of [{}, PURCHASE]) {
    const { status, complete } = await send(proxy.port, sending)
    if (status !== 200 || !complete) throw new Error(`the next request was answered ${status}`)
  }
})
afterAll(async () => {
  await proxy.stop()
  await upstream.close()
})

/** Requests that arrive while `work` runs. */
async function arriving(work: () => Promise<unknown>): Promise<RawRequest[]> {
  const before = upstream.requests.length
  await work()
  return upstream.requests.slice(before)
}

/** Answers the first request with `first`, all others well. */
function once(first: Script): Script {
  let met = false
  return (request) => {
    if (met) return wellBehaved(request)
    met = true
    return first(request)
  }
}

const reset: Script = async ({ socket, whole }) => {
  await whole
  socket.resetAndDestroy()
}

/** Writes `bytes`, lets them be read, then ends the connection by reset or FIN. */
const cut =
  (bytes: string, end: 'reset' | 'fin'): Script =>
  async ({ socket, whole }) => {
    await whole
    socket.write(bytes)
    setTimeout(() => (end === 'reset' ? socket.resetAndDestroy() : socket.end()), 60)
  }

describe('a client that leaves', () => {
  test.each([
    ['by reset', 300],
    // A client may close its sending side and still read: that is waited for, 500 ms.
    ['by FIN', 1200],
  ])('%s while it waits for the head ends the upstream request soon', async (how, within) => {
    upstream.script = () => undefined
    const [arrived] = await arriving(async () => {
      const request = open(proxy.port)
      request.on('error', () => undefined)
      const before = upstream.requests.length
      request.end()
      await eventually(() => upstream.requests.length > before)
      if (how === 'by FIN') request.destroy()
      else request.socket?.resetAndDestroy()
    })
    await eventually(() => arrived?.closed === true, { within })
    const line = await proxy.accessLine((it) => it['status'] === 499)
    expect(line).toMatchObject({ complete: false })
  })

  test('in the middle of the reply ends it too', async () => {
    upstream.script = async ({ socket, whole }) => {
      await whole
      socket.write(`${HEAD}Content-Length: 1000000\r\n\r\nbegin`)
    }
    const [arrived] = await arriving(async () => {
      const request = open(proxy.port)
      request.end()
      const response = await headOf(request)
      response.on('error', () => undefined)
      await new Promise((resolve) => void response.once('data', resolve))
      request.socket?.resetAndDestroy()
    })
    // Well before upstream.body_idle_timeout would end it.
    await eventually(() => arrived?.closed === true, { within: 600 })
    expect(arrived?.closed).toBe(true)
  })

  test.each([
    ['with its length', ['Content-Length', '5000000']],
    ['in chunks', ['Transfer-Encoding', 'chunked']],
  ])('in the middle of an upload %s never makes it look whole', async (_how, framing) => {
    upstream.script = () => undefined
    const [arrived] = await arriving(async () => {
      const request = open(proxy.port, { method: 'PUT', headers: framing })
      request.on('error', () => undefined)
      const before = upstream.requests.length
      request.write(Buffer.alloc(200_000))
      await eventually(() => (upstream.requests[before]?.body.length ?? 0) > 60_000)
      request.destroy()
    })
    await eventually(() => arrived?.closed === true, { within: 1000 })
    expect(arrived?.complete).toBe(false)
  })

  test('before a small body is whole never reaches the upstream', async () => {
    const arrived = await arriving(async () => {
      const request = open(proxy.port, { method: 'POST', headers: ['Content-Length', '100'] })
      request.on('error', () => undefined)
      request.write('half')
      const before = await proxy.metric('inflight_requests')
      await eventually(async () => (await proxy.metric('inflight_requests')) > before - 1)
      request.destroy()
      await eventually(async () => (await proxy.metric('inflight_requests')) === 0)
    })
    expect(arrived).toEqual([])
  })

  test('that stops in the middle of its body is told 408, and the upstream sees no whole request', async () => {
    const small = open(proxy.port, { method: 'POST', headers: ['Content-Length', '100'] })
    small.write('half')
    expect((await readAll(await headOf(small))).status).toBe(408)
    const [arrived] = await arriving(async () => {
      const large = open(proxy.port, { method: 'POST', headers: ['Content-Length', '1000000'] })
      large.write(Buffer.alloc(100_000))
      expect((await readAll(await headOf(large))).status).toBe(408)
    })
    await eventually(() => arrived?.closed === true)
    expect(arrived?.complete).toBe(false)
  })
})

describe('an upstream that breaks off', () => {
  test.each(['GET', 'HEAD', 'OPTIONS'])(
    'before the head: %s goes out once more, unseen',
    async (method) => {
      upstream.script = once(reset)
      const arrived = await arriving(async () => {
        expect((await send(proxy.port, { method })).status).toBe(200)
      })
      expect(arrived).toHaveLength(2)
    },
  )

  test.each([
    ['by reset', reset],
    ['by FIN', async ({ socket, whole }: RawRequest) => void (await whole, socket.end())],
    ['in the middle of it, by reset', cut('HTTP/1.1 200 OK\r\nContent-Ty', 'reset')],
    ['in the middle of it, by FIN', cut('HTTP/1.1 200 OK\r\nContent-Ty', 'fin')],
  ])('before the head, %s, again and again: 502 after one retry', async (_how, script) => {
    upstream.script = script
    const arrived = await arriving(async () => {
      const reply = await send(proxy.port)
      expect(reply.status).toBe(502)
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'upstream_terminated', status: 502 })
    })
    expect(arrived).toHaveLength(2)
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'POST'])(
    'before the head: %s is not sent again',
    async (method) => {
      upstream.script = reset
      const arrived = await arriving(async () => {
        const reply = await send(proxy.port, {
          method,
          path: '/v1/dns/example.com/rrsets',
          body: '{}',
        })
        expect(reply.status).toBe(502)
      })
      expect(arrived).toHaveLength(1)
    },
  )

  test.each(
    (['reset', 'fin'] as const).flatMap((end) => [
      [`Content-Length by ${end}`, cut(`${HEAD}Content-Length: 100\r\n\r\nhalf`, end)] as const,
      [
        `chunks by ${end}`,
        cut(`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`, end),
      ] as const,
      [
        `a chunk by ${end}`,
        cut(`${HEAD}Transfer-Encoding: chunked\r\n\r\n40\r\nhalf`, end),
      ] as const,
    ]),
  )('in a body with %s: the client sees a broken reply', async (_how, script) => {
    upstream.script = script
    const arrived = await arriving(async () => {
      const reply = await send(proxy.port)
      expect(reply).toMatchObject({ status: 200, complete: false })
    })
    expect(arrived).toHaveLength(1)
  })

  test('in a body that only the connection ends: a reset shows as a broken reply', async () => {
    upstream.script = cut(`${HEAD}\r\nhalf`, 'reset')
    expect(await send(proxy.port)).toMatchObject({ status: 200, text: 'half', complete: false })
    upstream.script = cut(`${HEAD}\r\nall`, 'fin')
    expect(await send(proxy.port)).toMatchObject({ status: 200, text: 'all', complete: true })
  })

  test('in a body to a client of HTTP/1.0 never looks like its clean end', async () => {
    upstream.script = cut(`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`, 'fin')
    const reply = await wire(proxy.port, 'GET /v1/dns HTTP/1.0\r\nHost: localhost\r\n\r\n', 3000)
    expect(reply.end).toBe('reset')
  })

  test('by silence within a body: the client sees a broken reply', async () => {
    upstream.script = async ({ socket, whole }) => {
      await whole
      socket.write(`${HEAD}Content-Length: 100\r\n\r\nhalf`)
    }
    expect(await send(proxy.port)).toMatchObject({ status: 200, complete: false })
    expect(await proxy.accessLine((line) => line['code'] === 'upstream_timeout')).toMatchObject({
      complete: false,
    })
  })

  test('by silence before the head: 504 within the limit, and its connection is given up', async () => {
    upstream.script = () => undefined
    const startedAt = performance.now()
    const [arrived, ...more] = await arriving(async () => {
      const reply = await send(proxy.port)
      expect(reply.status).toBe(504)
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'upstream_timeout' })
    })
    // The client library looks at its timers about once a second.
    expect(performance.now() - startedAt).toBeLessThan(HEAD_TIMEOUT + 2500)
    expect(more).toEqual([])
    await eventually(() => arrived?.closed === true)
  })

  test.each([
    ['bytes that are no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    [
      'a length and chunks',
      `${HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', `${HEAD}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`],
    [
      'an upgrade',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n',
    ],
    ['a NUL in its head', `${HEAD}X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n`],
    ['a head of 200 KB', `${HEAD}X-Long: ${'x'.repeat(200_000)}\r\n\r\n`],
  ])('with %s: 502', async (_what, bytes) => {
    upstream.script = async ({ socket, whole }) => {
      await whole
      socket.write(bytes)
    }
    const reply = await send(proxy.port)
    expect(reply.status).toBe(502)
    expect(JSON.parse(reply.text)).toMatchObject({ status: 502 })
  })

  test('with more bytes than one reply: the next request does not get them', async () => {
    upstream.script = async ({ socket, whole }) => {
      await whole
      socket.write(`${plainReply('{"first":1}')}${plainReply('{"poison":1}')}`)
    }
    await send(proxy.port)
    upstream.script = wellBehaved
    for (let at = 0; at < 5; at++) expect((await send(proxy.port)).text).toBe('{}')
  })

  test('that is not there: 502, and nothing else', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => void server.close(resolve))
    const alone = await localProxy({ base: `http://127.0.0.1:${port}` })
    try {
      for (const sending of [{}, PURCHASE]) {
        const reply = await send(alone.port, sending)
        // Nothing was sent, so nothing can have been bought.
        expect(reply.status).toBe(502)
        expect(JSON.parse(reply.text)).toMatchObject({ code: 'upstream_refused' })
      }
    } finally {
      await alone.stop()
    }
  })
})

describe('a purchase of which the answer is lost', () => {
  test.each([
    ['by reset', reset],
    ['by FIN', async ({ socket, whole }: RawRequest) => void (await whole, socket.end())],
    ['in the middle of the head', cut('HTTP/1.1 201 Crea', 'reset')],
    ['by silence', () => undefined],
    ['in bytes that are no HTTP', cut('nonsense\r\n\r\n', 'fin')],
  ])('%s was made exactly once, and is answered 409 outcome_unknown', async (_how, script) => {
    upstream.script = script
    const arrived = await arriving(async () => {
      const reply = await send(proxy.port, PURCHASE)
      expect(reply.status).toBe(409)
      expect(JSON.parse(reply.text)).toMatchObject({
        status: 409,
        code: 'outcome_unknown',
        error_code: 'outcome_unknown',
        detail: expect.stringContaining('not sent again'),
      })
    })
    expect(arrived.map(({ body }) => body.toString())).toEqual([PURCHASE.body])
  })
})

describe('idle connections that die as they are used', () => {
  let simulator: Simulator
  let simulated: LocalProxy

  beforeAll(async () => {
    simulator = await startSimulator()
    simulated = await localProxy({ base: simulator.origin })
  })
  afterAll(async () => {
    await simulated.stop()
    await simulator.close()
  })

  test('are invisible to GET', async () => {
    simulator.faults.resetReused = true
    const before = simulator.requests.length
    for (let at = 0; at < 30; at++) {
      expect((await send(simulated.port, { path: '/v1/domains' })).status).toBe(200)
    }
    // Nearly all but the first met a connection that was used before.
    expect(simulator.requests.length - before).toBeGreaterThan(40)
    simulator.faults.clear()
  })

  test('do not double a purchase, and it is reported', async () => {
    await send(simulated.port, { path: '/v1/domains' })
    simulator.faults.resetReused = true
    const isPurchase = ({ method }: { method: string }) => method === 'POST'
    const reply = await send(simulated.port, PURCHASE)
    expect(reply.status).toBe(409)
    expect(simulator.count(isPurchase)).toBe(1)
    simulator.faults.clear()
    expect((await send(simulated.port, { path: '/v1/domains' })).status).toBe(200)
  })

  test('are not used when the upstream closed them first', async () => {
    upstream.script = async ({ socket, whole }) => {
      await whole
      socket.end(plainReply())
    }
    for (let at = 0; at < 10; at++) {
      expect((await send(proxy.port, PURCHASE)).status).toBe(200)
      await upstream.requests.at(-1)?.gone
    }
  })
})

describe('a client that leaves while a 401 is being decided', () => {
  test('is not replayed for, and disturbs nobody', async () => {
    const simulator = await startSimulator()
    const simulated = await localProxy({ base: simulator.origin, credential: 'oauth' })
    try {
      expect((await send(simulated.port)).status).toBe(200)
      simulator.revokeTokens()
      simulator.faults.tokenDelay = 600
      const listed = () => simulator.count(({ target }) => target === '/v1/dns?left')
      const tokens = simulator.tokenRequests
      const request = open(simulated.port, { path: '/v1/dns?left' })
      request.on('error', () => undefined)
      request.end()
      await eventually(() => simulator.tokenRequests > tokens)
      request.socket?.resetAndDestroy()
      await simulated.accessLine((line) => line['status'] === 499)
      expect((await send(simulated.port)).status).toBe(200)
      expect(listed()).toBe(1)
      expect(simulator.tokenRequests).toBe(tokens + 1)
    } finally {
      await simulated.stop()
      await simulator.close()
    }
  })
})
