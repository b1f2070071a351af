// Streams pass as they come, and large bodies cost no memory: the proxy is the real program in a
// process of its own, whose resident memory is read while a gigabyte goes through it.

import { mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { readyz } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { npmStart } from '../support/npm-start.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { startRunningProxy } from '../support/running-proxy.ts'
import type { RunningProxy } from '../support/running-proxy.ts'
import { startSimulatorProcess } from '../support/simulator-process.ts'
import type { SimulatorProcess } from '../support/simulator-process.ts'
import { headOf, open, readAll, send, valuesOf } from '../support/wire-client.ts'

const MIB = 1024 * 1024
const FULL = process.env['JOURNEYS_FULL'] === '1'
const LARGE = (FULL ? 1024 : 256) * MIB
// However large the body: the dead pieces of a stream are collected as it goes.
const MOST_GROWTH = 30 * MIB
const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`

// As `npm start` runs it, but with a cache of its own.
const started = npmStart()
const cache = mkdtempSync(join(tmpdir(), 'compile-cache-'))
const proxyOf = (base: string) =>
  startRunningProxy({
    nodeArgs: started.nodeArgs,
    env: {
      ...started.env,
      ...(started.env['NODE_COMPILE_CACHE'] ? { NODE_COMPILE_CACHE: cache } : {}),
      OPUSDNS_API_BASE: base,
      OPUSDNS_API_KEY: SEED_KEY.key,
    },
    config: 'log: { access: false }\nlimits: { body_size: { write: 2GiB } }',
  })

/** Runs `work` while it looks at the memory of `proxy`; prints what it saw. */
async function growth(
  proxy: RunningProxy,
  what: string,
  work: () => Promise<void>,
): Promise<number> {
  const before = proxy.rssBytes()
  let most = before
  const startedAt = performance.now()
  const timer = setInterval(() => (most = Math.max(most, proxy.rssBytes())), 20)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  const seconds = (performance.now() - startedAt) / 1000
  const figures = `RSS ${mib(before)} before, ${mib(most)} at most, +${mib(most - before)}`
  process.stdout.write(`figure: ${what}: ${figures}, ${seconds.toFixed(1)} s\n`)
  return most - before
}

describe('server-sent events', () => {
  test.each(['GET', 'POST'])('of %s arrive one by one, as they are sent', async (method) => {
    const upstream = await rawUpstream()
    const proxy = await localProxy({ base: upstream.origin })
    try {
      const next: (() => void)[] = []
      upstream.script = async ({ socket, whole }) => {
        await whole
        const told = () => new Promise<void>((resolve) => next.push(resolve))
        const head =
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
        for (const bytes of [head, '8\r\ndata: 1\n\r\n', '8\r\ndata: 2\n\r\n', '0\r\n\r\n']) {
          socket.write(bytes)
          await told()
        }
      }
      const request = open(proxy.port, {
        method,
        path: '/v1/availability/stream?domains=a.example',
      })
      request.end(method === 'POST' ? '{"domains":["a.example"]}' : undefined)
      // Each step is told to happen only after the client has seen the one before.
      const response = await headOf(request)
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      for (const seen of ['data: 1\n', 'data: 1\ndata: 2\n']) {
        await eventually(() => next.length > 0)
        next.pop()?.()
        await eventually(() => text === seen)
      }
      expect(response.complete).toBe(false)
      await eventually(() => next.length > 0)
      next.pop()?.()
      await eventually(() => response.complete)
      expect(valuesOf(response.rawHeaders, 'content-type')).toEqual(['text/event-stream'])
    } finally {
      await proxy.stop()
      await upstream.close()
    }
  })

  test('may be silent for longer than upstream.body_idle_timeout', async () => {
    const simulator = await startSimulator()
    const proxy = await localProxy({
      base: simulator.origin,
      config: 'upstream: { body_idle_timeout: 200ms }',
    })
    try {
      const path = '/v1/availability/stream?domains=a.example,b.example&delay=1800'
      const reply = await send(proxy.port, { path })
      expect(reply).toMatchObject({ status: 200, complete: true })
      expect(reply.text.match(/^data: /gm)).toHaveLength(2)
      expect(reply.text.endsWith('event: done\n\n')).toBe(true)
    } finally {
      await proxy.stop()
      await simulator.close()
    }
  })
})

describe('a download', () => {
  test.each(['', '?size=3000001', '?size=3000001&chunked=1'])(
    'of a ZIP file (%s) arrives byte for byte',
    async (query) => {
      const simulator = await startSimulator()
      const proxy = await localProxy({ base: simulator.origin })
      try {
        const path = `/v1/reports/report_1/download${query}`
        const direct = await send(simulator.port, { path, headers: ['X-Api-Key', SEED_KEY.key] })
        const through = await send(proxy.port, { path })
        expect(through).toMatchObject({ status: 200, complete: true })
        expect(through.body.equals(direct.body)).toBe(true)
        expect(through.body.subarray(0, 2).toString()).toBe('PK')
        for (const name of [
          'content-length',
          'content-type',
          'content-disposition',
          'transfer-encoding',
        ]) {
          expect(valuesOf(through.rawHeaders, name)).toEqual(valuesOf(direct.rawHeaders, name))
        }
      } finally {
        await proxy.stop()
        await simulator.close()
      }
    },
  )
})

describe('the memory of the process', () => {
  let simulator: SimulatorProcess

  beforeAll(async () => {
    simulator = await startSimulatorProcess()
    // The first start fills the cache, as it does in the field, and leaves it when it ends in order.
    const first = await proxyOf(simulator.origin)
    first.kill('SIGTERM')
    await first.exited
  })
  afterAll(async () => {
    await simulator.stop()
    rmSync(cache, { recursive: true, force: true })
  })

  test('is small when it is idle', async () => {
    const proxy = await proxyOf(simulator.origin)
    await eventually(async () => (await readyz(proxy)).code === 200)
    const rss = proxy.rssBytes()
    process.stdout.write(`figure: idle RSS after start: ${mib(rss)} (to reach: 90)\n`)
    expect(rss).toBeLessThan(120 * MIB)
  })

  test(`hardly grows while ${mib(LARGE)} are downloaded`, async () => {
    const proxy = await proxyOf(simulator.origin)
    await warm(proxy, true)
    let bytes = 0
    const grown = await growth(proxy, `download of ${mib(LARGE)}`, async () => {
      const response = await get(proxy, `/v1/reports/report_1/download?size=${LARGE}`)
      for await (const piece of response as AsyncIterable<Buffer>) bytes += piece.length
    })
    expect(bytes).toBe(LARGE)
    expect(grown).toBeLessThan(MOST_GROWTH)
  }, 90_000)

  test(`hardly grows while ${mib(LARGE)} are uploaded`, async () => {
    const proxy = await proxyOf(simulator.origin)
    await warm(proxy, true)
    let counted: unknown
    const grown = await growth(proxy, `upload of ${mib(LARGE)}`, async () => {
      const request = httpRequest(`${proxy.origin}/v1/simulator/upload`, {
        method: 'POST',
        headers: { 'Content-Length': String(LARGE) },
      })
      const answered = headOf(request)
      const piece = Buffer.alloc(256 * 1024, 'x')
      for (let sent = 0; sent < LARGE; sent += piece.length) {
        if (!request.write(piece))
          await new Promise((resolve) => void request.once('drain', resolve))
      }
      request.end()
      counted = JSON.parse((await readAll(await answered)).text)
    })
    expect(counted).toMatchObject({ bytes: LARGE })
    expect(grown).toBeLessThan(MOST_GROWTH)
  }, 90_000)

  test('does not pay for a client that reads slowly: the upstream is held back', async () => {
    const total = 128 * MIB
    let produced = 0
    const upstream = await rawUpstream(async ({ socket, whole, gone }) => {
      await whole
      const piece = Buffer.alloc(64 * 1024, 'x')
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      for (; produced < total && !socket.destroyed; produced += piece.length) {
        if (socket.write(piece)) continue
        await Promise.race([new Promise((resolve) => void socket.once('drain', resolve)), gone])
      }
    })
    const proxy = await proxyOf(upstream.origin)
    await warm(proxy)
    let received = 0
    const grown = await growth(proxy, 'client that reads slowly', async () => {
      const response = await get(proxy, '/v1/dns')
      // Nobody reads: what was produced until it stands still lies in buffers of the system.
      await standsStill(() => produced)
      expect(produced).toBeLessThan(40 * MIB)
      for await (const piece of response as AsyncIterable<Buffer>) received += piece.length
    })
    expect(received).toBe(total)
    expect(grown).toBeLessThan(MOST_GROWTH)
    await upstream.close()
  })

  test('does not pay for an upstream that reads slowly: the client is held back', async () => {
    const total = 128 * MIB
    let resume: () => void = () => undefined
    const upstream = await rawUpstream(({ socket }) => {
      socket.removeAllListeners('data')
      socket.pause()
      resume = () => {
        socket.on('data', () => {
          // More than the body, for there was a head.
          if (socket.bytesRead > total)
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')
        })
        socket.resume()
      }
    })
    const proxy = await proxyOf(upstream.origin)
    await warm(proxy)
    let sent = 0
    const grown = await growth(proxy, 'upstream that reads slowly', async () => {
      const request = httpRequest(`${proxy.origin}/v1/dns`, {
        method: 'PUT',
        headers: { 'Content-Length': String(total) },
      })
      const answered = headOf(request)
      const piece = Buffer.alloc(64 * 1024, 'x')
      async function write(): Promise<void> {
        for (; sent < total; sent += piece.length) {
          if (!request.write(piece))
            await new Promise((resolve) => void request.once('drain', resolve))
        }
        request.end()
      }
      const writing = write()
      await standsStill(() => sent)
      expect(sent).toBeLessThan(40 * MIB)
      resume()
      await writing
      expect((await readAll(await answered)).status).toBe(200)
    })
    expect(grown).toBeLessThan(MOST_GROWTH)
    await upstream.close()
  })
})

/**
 * Some small requests, and 4 MiB each way where there is a simulator: what a process pays once, its
 * young generation of buffers above all, is not what a large body costs.
 */
async function warm(proxy: RunningProxy, streams = false): Promise<void> {
  const cold = proxy.rssBytes()
  for (let at = 0; at < 100; at++) await readAll(await get(proxy, '/v1/auth/blocked'))
  if (!streams) return
  await readAll(await get(proxy, `/v1/reports/report_1/download?size=${4 * MIB}`))
  const body = Buffer.alloc(4 * MIB)
  await send(Number(new URL(proxy.origin).port), {
    method: 'PUT',
    path: '/v1/simulator/upload',
    body,
  })
  process.stdout.write(`figure: RSS ${mib(cold)} after the start, ${mib(proxy.rssBytes())} warm\n`)
}

function get(proxy: RunningProxy, path: string): Promise<IncomingMessage> {
  const request = httpRequest(`${proxy.origin}${path}`, { agent: false })
  request.end()
  return headOf(request)
}

/** Resolves when `value` has begun and then not changed for half a second. */
async function standsStill(value: () => number): Promise<void> {
  let last = -1
  let since = performance.now()
  await eventually(
    () => {
      if (value() !== last) {
        last = value()
        since = performance.now()
      }
      return last > 0 && performance.now() - since > 500
    },
    { within: 15_000 },
  )
}
