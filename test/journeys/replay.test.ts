// What happens when OpusDNS answers 401: one new token, at most one replay, and no storm.

import { createHash, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { send } from '../support/wire-client.ts'

let simulator: Simulator
let proxy: LocalProxy

beforeEach(async () => {
  simulator = await startSimulator()
  proxy = await localProxy({ base: simulator.origin, credential: 'oauth' })
  // The first token is there before a test begins.
  const { status } = await send(proxy.port)
  if (status !== 200) throw new Error(`the first request was answered ${status}`)
})
afterEach(async () => {
  await proxy.stop()
  await simulator.close()
})

const arrived = (path: string) => simulator.requests.filter(({ target }) => target.startsWith(path))
const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const UPLOAD = '/v1/simulator/upload'

describe('a token that was revoked upstream', () => {
  test.each(['GET', 'DELETE'])('costs %s without a body one replay, unseen', async (method) => {
    simulator.revokeTokens()
    const path = '/v1/dns/example.net'
    const reply = await send(proxy.port, { method, path })
    expect([200, 204]).toContain(reply.status)
    expect(arrived(path).map(({ status }) => status)).toEqual([401, reply.status])
    expect(simulator.tokenRequests).toBe(2)
    expect(await proxy.metric('replays_total', { outcome: 'replayed' })).toBe(1)
  })

  test.each([
    ['of 2 bytes', Buffer.from('{}')],
    ['of exactly 64 KiB', randomBytes(65_536)],
  ])('replays a POST body %s, the same bytes', async (_size, body) => {
    simulator.revokeTokens()
    const reply = await send(proxy.port, { method: 'POST', path: UPLOAD, body })
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.text)).toEqual({ bytes: body.length, sha256: digest(body) })
    expect(arrived(UPLOAD).map(({ status, sha256 }) => [status, sha256])).toEqual([
      [401, digest(body)],
      [200, digest(body)],
    ])
  })

  test('replays a small body that came in chunks', async () => {
    simulator.revokeTokens()
    const reply = await send(proxy.port, { method: 'PUT', path: UPLOAD, body: ['one ', 'two'] })
    expect(reply.status).toBe(200)
    expect(arrived(UPLOAD).map(({ body }) => body.toString())).toEqual(['one two', 'one two'])
  })

  test.each([
    ['with its length', randomBytes(65_537)],
    ['in chunks', Array.from({ length: 10 }, () => randomBytes(20_000))],
  ])(
    'does not replay a body above 64 KiB %s: the 401 passes, the next request works',
    async (_how, body) => {
      simulator.revokeTokens()
      const reply = await send(proxy.port, { method: 'POST', path: UPLOAD, body })
      expect(reply.status).toBe(401)
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'ERROR_AUTHENTICATION' })
      expect(arrived(UPLOAD)).toHaveLength(1)
      expect((await send(proxy.port)).status).toBe(200)
      expect(simulator.tokenRequests).toBe(2)
      expect(await proxy.metric('replays_total', { outcome: 'not_replayable' })).toBe(1)
      expect(await proxy.metric('replays_total', { outcome: 'replayed' })).toBe(0)
    },
  )

  test('under 100 requests at once costs one token, one replay each, and no client sees a 401', async () => {
    simulator.revokeTokens()
    const replies = await Promise.all(
      Array.from({ length: 100 }, (_, at) => send(proxy.port, { path: `/v1/domains?at=${at}.` })),
    )
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    expect(simulator.tokenRequests).toBe(2)
    for (let at = 0; at < 100; at++) {
      expect(arrived(`/v1/domains?at=${at}.`).length).toBeLessThanOrEqual(2)
    }
  })

  test('with a token endpoint that is down: the 401 of OpusDNS passes', async () => {
    simulator.revokeTokens()
    simulator.faults.tokenStatus = 500
    const reply = await send(proxy.port, { path: '/v1/domains' })
    expect(reply.status).toBe(401)
    expect(JSON.parse(reply.text)).toMatchObject({ code: 'ERROR_AUTHENTICATION' })
    expect(arrived('/v1/domains')).toHaveLength(1)
    simulator.faults.clear()
  })
})

describe('an upstream that answers 401 to everything', () => {
  test('gets each request twice at most, and no storm of token requests', async () => {
    simulator.faults.rejectAllTokens = true
    const before = simulator.tokenRequests
    const path = (at: number) => `/v1/contacts?at=${at}.`
    for (let at = 0; at < 20; at++) {
      expect((await send(proxy.port, { path: path(at) })).status).toBe(401)
    }
    const more = Array.from({ length: 80 }, (_, at) => at + 20)
    const replies = await Promise.all(more.map((at) => send(proxy.port, { path: path(at) })))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401]))
    for (let at = 0; at < 100; at++) expect(arrived(path(at)).length).toBeLessThanOrEqual(2)
    // At least 5 s lie between two refreshes, and this took less than that.
    expect(simulator.tokenRequests - before).toBeLessThanOrEqual(2)
    simulator.faults.clear()
  })

  test('to an API key too: each request once, and its 401 passes', async () => {
    const keyed = await localProxy({ base: simulator.origin })
    try {
      simulator.apiKeys.length = 0
      for (let at = 0; at < 5; at++) {
        expect((await send(keyed.port, { path: '/v1/hosts/x' })).status).toBe(401)
      }
      expect(arrived('/v1/hosts/x')).toHaveLength(5)
    } finally {
      await keyed.stop()
    }
  })
})
