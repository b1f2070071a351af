// The attack: somebody who is no consumer opens as many connections as a listener serves, silent ones or
// such that were answered 401, and keeps them. Every consumer who came after was answered 503.

import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { localProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

const LIMITS = 'limits: { connections: 20, keep_alive_timeout: 60s, request_head_timeout: 60s }'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

async function upstream() {
  const one = await rawUpstream(({ socket }) => socket.write(plainReply()))
  ends.push(() => one.close())
  return one.origin
}

async function guarded(config = ''): Promise<Gateway> {
  const proxy = await gateway({
    base: await upstream(),
    consumers: { reader: 'grants: [read]' },
    config: `${LIMITS}\n${config}`,
  })
  ends.push(() => proxy.stop())
  return proxy
}

/** A connection that stays open as long as the proxy lets it; `text` is what came. */
function visitor(port: number, first = '') {
  const seen = { text: '', closed: false }
  const socket: Socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.on('data', (piece) => (seen.text += piece.toString('latin1')))
  socket.on('close', () => (seen.closed = true))
  if (first !== '') socket.write(first)
  ends.push(() => socket.destroy())
  return { socket, seen }
}

const asking = (key: string) =>
  `GET /v1/dns HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${key}\r\n\r\n`
const many = <Item>(make: () => Item) => Array.from({ length: 20 }, make)
const ask = (proxy: Gateway) =>
  send(proxy.port, { headers: ['X-Api-Key', proxy.keys['reader'] ?? ''] })

test('silent connections give way, the oldest first', async () => {
  const proxy = await guarded()
  const strangers = many(() => visitor(proxy.port))
  await eventually(async () => (await proxy.metric('connections')) >= 20)
  expect((await ask(proxy)).status).toBe(200)
  expect((await ask(proxy)).status).toBe(200)
  await eventually(() => strangers.filter(({ seen }) => seen.closed).length > 0)
  expect(strangers.findIndex(({ seen }) => seen.closed)).toBe(0)
  expect(strangers.at(-1)?.seen.closed).toBe(false)
  expect(await proxy.metric('limit_hits_total', { limit: 'connections' })).toBeGreaterThan(0)
})

test.each(['GET /v1/dns', 'POST /v1/auth/token'])(
  'a 401 to %s ends its connection',
  async (line) => {
    const proxy = await guarded()
    const body = 'grant_type=client_credentials&client_id=reader&client_secret=opxk_wrong'
    const form = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`
    const bytes = line.startsWith('POST')
      ? `${line} HTTP/1.1\r\nHost: localhost\r\n${form}\r\n\r\n${body}`
      : asking('opxk_wrong')
    const { socket, seen } = visitor(proxy.port, bytes)
    socket.on('end', () => socket.end())
    await eventually(() => seen.closed)
    expect(seen.text).toMatch(/^HTTP\/1\.1 401 /)
    expect(seen.text).toMatch(/^Connection: close\r$/im)
  },
)

test('but not one that a trusted hop shares between callers', async () => {
  const proxy = await guarded('trusted_hops: [127.0.0.0/8]')
  const { socket, seen } = visitor(proxy.port, asking('opxk_wrong'))
  await eventually(() => seen.text.includes('"request_id"'))
  expect(seen.text).not.toMatch(/^Connection: close/im)
  socket.write(asking(proxy.keys['reader'] ?? ''))
  await eventually(() => seen.text.includes('HTTP/1.1 200 '))
})

test('a connection of a consumer never gives way', async () => {
  const proxy = await guarded()
  const key = proxy.keys['reader'] ?? ''
  const consumers = many(() => visitor(proxy.port, asking(key)))
  await eventually(() => consumers.every(({ seen }) => seen.text.includes(' 200 ')))
  const late = await ask(proxy)
  expect(late.status).toBe(503)
  expect(consumers.some(({ seen }) => seen.closed)).toBe(false)
  for (const { socket, seen } of consumers) {
    seen.text = ''
    socket.write(asking(key))
  }
  await eventually(() => consumers.every(({ seen }) => seen.text.includes(' 200 ')))
})

test('where nobody is told apart, those who came first stay', async () => {
  const proxy = await localProxy({ base: await upstream(), config: LIMITS })
  ends.push(() => proxy.stop())
  const first = many(() => visitor(proxy.port))
  await eventually(async () => (await proxy.metric('connections')) >= 20)
  expect((await send(proxy.port)).status).toBe(503)
  expect(first.some(({ seen }) => seen.closed)).toBe(false)
})
