// What is replaced while 500 requests a second come in, as operators replace it: the new one becomes
// valid, the proxy gets it, and the old one is revoked. No request may fail, and each sends a GET of its
// own, so that nothing is hidden by retries of a client.

import { X509Certificate } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'

import { afterAll, describe, expect, test } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator, SimulatorOptions } from '../opusdns/simulator.ts'
import { metricsText, sumOf } from '../support/admin-pages.ts'
import { authority } from '../support/certificates.ts'
import type { Certificate } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient } from '../support/http-client.ts'
import type { Answer, Ask, HttpClient } from '../support/http-client.ts'
import { steadyLoad } from '../support/load.ts'
import { startRunningProxy } from '../support/running-proxy.ts'
import type { RunningProxy } from '../support/running-proxy.ts'

const RATE = 500
/** Seconds of load at least. */
const SECONDS = 4
const KEYS = ['opk_key-1', 'opk_key-2', 'opk_key-3', 'opk_key-4'] as const
const BUSY = { within: 20_000, every: 50 }

// Tests run at once, so that none is the present one whose end could be waited for.
const ends: (() => unknown)[] = []
afterAll(() => Promise.all(ends.map((end) => end())))

/** An upstream of its own, and a folder of secrets. */
async function place(options: SimulatorOptions) {
  const simulator = await startSimulator(options)
  const folder = mkdtempSync(join(tmpdir(), 'opusdns-rotation-'))
  ends.push(() => simulator.close())
  ends.push(() => rmSync(folder, { recursive: true, force: true }))
  const path = (name: string) => join(folder, name)
  return {
    simulator,
    path,
    put(name: string, text: string) {
      writeFileSync(path(`${name}.new`), text, { mode: 0o600 })
      renameSync(path(`${name}.new`), path(name))
    },
    start: (config: string, env: Record<string, string> = {}) =>
      startRunningProxy({
        env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_PROXY_LOG_LEVEL: 'info', ...env },
        config: `log: { access: false }\n${config}`,
        keep: true,
      }),
  }
}

/** Holds the load for as long as `rotate` takes, and for 4 s at least; none of it may fail. */
async function underLoad(client: HttpClient, what: string, rotate: () => Promise<void>) {
  const began = performance.now()
  let over = false
  const rotation = rotate().finally(() => (over = true))
  // Told below; until then nobody waits for it.
  rotation.catch(() => {})
  const counts: Record<string, number> = {}
  const errors = new Set<string>()
  let sent = 0
  while (!over || sent < RATE * SECONDS) {
    const second = await steadyLoad(client, { rate: RATE, seconds: 1, ask: () => ASK })
    sent += second.samples.length
    for (const [status, count] of Object.entries(second.counts)) {
      counts[status] = (counts[status] ?? 0) + count
    }
    for (const error of second.errors) errors.add(error)
  }
  const seconds = (performance.now() - began) / 1000
  client.close()
  await rotation
  expect({ counts, errors: [...errors] }).toEqual({ counts: { 200: sent }, errors: [] })
  expect(sent).toBeGreaterThanOrEqual(RATE * SECONDS)
  const rate = (sent / seconds).toFixed(0)
  process.stdout.write(`  measured: ${what}: ${sent} requests at ${rate}/s, 0 failed\n`)
}

const ASK: Ask = { path: '/v1/dns' }

/** Values of a header of the requests that arrived, each once, in order. */
function arrived(simulator: Simulator, name: 'x-api-key' | 'authorization'): string[] {
  const api = simulator.requests.filter(({ target }) => target === ASK.path)
  return [...new Set(api.flatMap(({ rawHeaders }) => headerValues(rawHeaders, name)))]
}

/** What the newest request came with. */
function inUse(simulator: Simulator, name: 'x-api-key' | 'authorization'): string | undefined {
  const newest = simulator.requests.findLast(({ target }) => target === ASK.path)
  return headerValues(newest?.rawHeaders ?? [], name)[0]
}

async function statusAt(simulator: Simulator, key: string): Promise<number> {
  const reply = await fetch(`${simulator.origin}/v1/dns/`, { headers: { 'X-Api-Key': key } })
  await reply.arrayBuffer()
  return reply.status
}

/** Revokes a key, and proves that it is good for nothing any more. */
async function revoke(simulator: Simulator, key: string): Promise<void> {
  const at = simulator.apiKeys.findIndex((it) => it.key === key)
  expect(at).toBeGreaterThanOrEqual(0)
  simulator.apiKeys.splice(at, 1)
  expect(await statusAt(simulator, key)).toBe(401)
}

const serving = async (proxy: RunningProxy, secret: string) =>
  sumOf(await metricsText(proxy), 'credential_serving', { secret }) === 1

describe(`at ${RATE} requests a second, none fails while an API key`, () => {
  test.concurrent('is replaced in its file three times, and each old one revoked once the new one is in use', async () => {
    const { simulator, path, put, start } = await place({ apiKeys: [{ key: KEYS[0] }] })
    put('key', KEYS[0])
    const proxy = await start('', { OPUSDNS_API_KEY_FILE: path('key') })
    await underLoad(httpClient(proxy.origin), 'API key in its file', async () => {
      for (const [at, next] of KEYS.slice(1).entries()) {
        simulator.apiKeys.push({ key: next })
        put('key', next)
        await eventually(() => inUse(simulator, 'x-api-key') === next, BUSY)
        await revoke(simulator, KEYS[at] ?? '')
      }
    })
    expect(arrived(simulator, 'x-api-key')).toEqual(KEYS)
    const changed = { source: 'file', result: 'changed' }
    expect(sumOf(await metricsText(proxy), 'secret_reloads_total', changed)).toBe(3)
  })

  test.concurrent('is revoked with no warning, the previous one takes over, and a new one comes', async () => {
    const [previous, current, next] = KEYS
    const apiKeys = [{ key: previous }, { key: current }]
    const { simulator, path, put, start } = await place({ apiKeys })
    put('current', current)
    put('previous', previous)
    const proxy = await start(
      `credential: { api_key: 'file:${path('current')}', previous_api_key: 'file:${path('previous')}' }`,
    )
    await underLoad(httpClient(proxy.origin), 'API key revoked', async () => {
      await eventually(() => inUse(simulator, 'x-api-key') === current, BUSY)
      await revoke(simulator, current)
      await eventually(() => serving(proxy, 'previous'), BUSY)
      simulator.apiKeys.push({ key: next })
      put('current', next)
      await eventually(() => inUse(simulator, 'x-api-key') === next, BUSY)
      await eventually(() => serving(proxy, 'current'), BUSY)
      await revoke(simulator, previous)
    })
    expect(arrived(simulator, 'x-api-key')).toEqual([current, previous, next])
  })

  test.concurrent('is exchanged for another by a reload, three times', async () => {
    const [first, second] = KEYS
    const apiKeys = [{ key: first }, { key: second }]
    const { simulator, path, put, start } = await place({ apiKeys })
    put('first', first)
    put('second', second)
    const config = (name: string) =>
      `log: { access: false }\ncredential: { api_key: 'file:${path(name)}' }\n`
    const proxy = await start(config('first').split('\n')[1] ?? '')
    await underLoad(httpClient(proxy.origin), 'key by reload', async () => {
      for (const [at, name] of ['second', 'first', 'second'].entries()) {
        await eventually(() => simulator.requests.length > (at + 1) * RATE, BUSY)
        writeFileSync(join(proxy.cwd, 'proxy.yaml'), config(name))
        const { status } = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
        expect(status).toBe(200)
      }
    })
    const last = simulator.requests.at(-1)?.rawHeaders ?? []
    expect(headerValues(last, 'x-api-key')).toEqual([second])
    expect(sumOf(await metricsText(proxy), 'config_reloads_total', { result: 'taken' })).toBe(3)
  })
})

describe(`at ${RATE} requests a second, none fails while`, () => {
  test.concurrent('a client secret is replaced, the old token serves until the new one is there, and the old secret is revoked', async () => {
    const { simulator, path, put, start } = await place({})
    put('secret', SEED_CLIENT.secret)
    const proxy = await start('', {
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET_FILE: path('secret'),
    })
    let meanwhile = 0
    await underLoad(httpClient(proxy.origin), 'client secret', async () => {
      await eventually(() => inUse(simulator, 'authorization') !== undefined, BUSY)
      const old = inUse(simulator, 'authorization')
      simulator.clients.push({ id: SEED_CLIENT.id, secret: 'next-secret' })
      // So long that many requests come while the new token is under way.
      simulator.faults.tokenDelay = 600
      put('secret', 'next-secret')
      await eventually(() => simulator.tokenRequests === 2, BUSY)
      const before = simulator.requests.length
      await eventually(() => inUse(simulator, 'authorization') !== old, BUSY)
      meanwhile = simulator.requests.length - before
      simulator.clients.shift()
      const sent = simulator.requests.findLast(({ target }) => target === '/v1/auth/token')
      expect(sent?.body.toString()).toContain('next-secret')
    })
    expect(simulator.clients).toEqual([{ id: SEED_CLIENT.id, secret: 'next-secret' }])
    expect(meanwhile).toBeGreaterThan(100)
    // One token for each secret, and no storm.
    expect(simulator.tokenRequests).toBe(2)
    expect(arrived(simulator, 'authorization')).toHaveLength(2)
  })

  test.concurrent('the certificate of its listener is replaced three times, once in two halves', async () => {
    const ca = authority('rotation CA')
    const pairs = Array.from({ length: 4 }, () => ca.issue()) as [Certificate, ...Certificate[]]
    const { path, put, start } = await place({ apiKeys: [{ key: KEYS[0] }] })
    put('cert.pem', pairs[0].cert)
    put('key.pem', pairs[0].key)
    const tls = `{ certificate_file: ${path('cert.pem')}, key_file: ${path('key.pem')} }`
    const proxy = await start(`listen: [{ address: '127.0.0.1:0', tls: ${tls} }]`, {
      OPUSDNS_API_KEY: KEYS[0],
      OPUSDNS_PROXY_LISTEN: '',
    })
    const { client, shown } = tlsClient(proxy.origin.replace('http:', 'https:'), ca.cert)
    const changes = () => proxy.logLines('certificate changed').length
    await underLoad(client, 'TLS certificate', async () => {
      await eventually(() => shown.size === 1, BUSY)
      for (const [at, { cert, key }] of pairs.slice(1).entries()) {
        put('cert.pem', cert)
        if (at === 1) {
          proxy.kill('SIGHUP')
          await eventually(() => proxy.stdout().includes('certificate not taken'), BUSY)
          expect(changes()).toBe(at)
        }
        put('key.pem', key)
        proxy.kill('SIGHUP')
        await eventually(() => changes() === at + 1 && shown.size === at + 2, BUSY)
      }
    })
    expect([...shown]).toEqual(pairs.map(({ cert }) => new X509Certificate(cert).fingerprint256))
  })
})

/**
 * A client over verified TLS: most requests go over connections that stay, every tenth over one of its
 * own. `shown` has the fingerprints of the certificates that those met, in order.
 */
function tlsClient(origin: string, ca: string): { client: HttpClient; shown: Set<string> } {
  const shown = new Set<string>()
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 4096 })
  const { hostname, port } = new URL(origin)
  let count = 0
  function send({ path, method = 'GET' }: Ask): Promise<Answer> {
    const fresh = count++ % 10 === 0
    const began = performance.now()
    return new Promise((resolve, reject) => {
      const call = httpsRequest({
        agent: fresh ? false : agent,
        host: hostname,
        port,
        path,
        method,
        ca,
        servername: 'localhost',
        headers: { Host: `localhost:${port}` },
      })
      call.once('error', reject)
      call.once('response', (reply) => {
        const socket = reply.socket as TLSSocket
        if (fresh) shown.add(socket.getPeerCertificate().fingerprint256)
        const pieces: Buffer[] = []
        reply.on('data', (piece: Buffer) => pieces.push(piece))
        reply.once('error', reject)
        reply.once('end', () =>
          resolve({
            status: reply.statusCode ?? 0,
            headers: reply.headers,
            rawHeaders: reply.rawHeaders,
            body: Buffer.concat(pieces),
            ms: performance.now() - began,
            reused: call.reusedSocket,
          }),
        )
      })
      call.end()
    })
  }
  const client = { send, get: (path: string) => send({ path }), close: () => agent.destroy() }
  return { client, shown }
}
