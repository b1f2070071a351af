// What a real client (certbot-dns-opusdns 1.0.0 with httpx) wrote on the wire, sent byte for byte
// through the proxy: the same statuses come back, and OpusDNS sees one real credential and never the
// placeholder of the client.

import { connect, type Socket } from 'node:net'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import type { RecordedRequest } from '../opusdns/requests.ts'
import { SEED_CLIENT, SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

const PLACEHOLDER = 'dummy'
const BODY =
  '{"ops":[{"op":"upsert","record":{"name":"_acme-challenge.www","type":"TXT","ttl":60,"rdata":"\\"v1\\""}}]}'
const RECORDS = '/v1/dns/example.com/records'

// The client walks up the name until a zone is found, then writes; 429 and 403 it tries again.
const WALK: readonly (readonly [path: string, status: number])[] = [
  ['/v1/dns/_acme-challenge.www.example.com', 404],
  ['/v1/dns/www.example.com', 404],
  ['/v1/dns/example.com', 200],
]

/** What the upstream answered to the writes, run by run. */
const RUNS: readonly (readonly number[])[] = [
  [204],
  [403, 403, 403],
  [429, 429, 204],
  [404],
  [401],
  [422, 204],
  [503, 503, 503],
]

function request(method: string, path: string, host: string): string {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Accept: */*',
    'Accept-Encoding: gzip, deflate',
    'Connection: keep-alive',
    'User-Agent: python-httpx/0.28.1',
    `X-Api-Key: ${PLACEHOLDER}`,
  ]
  if (method === 'PATCH') lines.push('Content-Type: application/json', 'Content-Length: 104')
  return `${lines.join('\r\n')}\r\n\r\n${method === 'PATCH' ? BODY : ''}`
}

interface Wire {
  /** Writes the bytes and reads one reply: its status, head and body as they came. */
  exchange(bytes: string): Promise<{ status: number; head: string; body: string }>
  close(): void
}

/** One keep-alive connection. Replies must tell their length, or have no body. */
function openWire(port: number): Wire {
  const socket: Socket = connect(port, '127.0.0.1')
  let pending = ''
  let wake: () => void = () => {}
  let ended = false
  socket.on('data', (piece) => {
    pending += piece.toString('latin1')
    wake()
  })
  const end = () => {
    ended = true
    wake()
  }
  socket.on('error', end)
  socket.on('end', end)
  const more = () => {
    if (ended) throw new Error(`the connection ended after: ${pending}`)
    return new Promise<void>((resolve) => {
      wake = resolve
    })
  }
  return {
    async exchange(bytes) {
      socket.write(bytes, 'latin1')
      while (!pending.includes('\r\n\r\n')) await more()
      const split = pending.indexOf('\r\n\r\n') + 4
      const head = pending.slice(0, split)
      const length = Number(/^content-length: *(\d+)\r$/im.exec(head)?.[1] ?? 0)
      while (pending.length < split + length) await more()
      const body = pending.slice(split, split + length)
      pending = pending.slice(split + length)
      return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]), head, body }
    },
    close: () => socket.destroy(),
  }
}

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())
// Not a reset: that would revoke the proxy's token.
beforeEach(() => simulator.faults.clear())

const CREDENTIALS: readonly (readonly [string, Record<string, string>])[] = [
  ['an API key', { OPUSDNS_API_KEY: SEED_KEY.key }],
  ['OAuth', { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret }],
]

/** What the client sent, as it arrived; without the proxy's own trial. */
function arrived(): RecordedRequest[] {
  return simulator.requests.filter(({ target }) => target.startsWith('/v1/dns/'))
}

/** The one real credential, or what was there instead. */
function credentialOf({ rawHeaders }: RecordedRequest): string {
  const keys = headerValues(rawHeaders, 'x-api-key')
  const bearers = headerValues(rawHeaders, 'authorization')
  return keys.length + bearers.length === 1
    ? (keys[0] ?? bearers[0] ?? '')
    : `${keys.length} keys, ${bearers.length} bearers`
}

describe.each(CREDENTIALS)('a real client, with %s behind the proxy', (kind, credential) => {
  let proxy: RunningProxy
  let client: Wire
  beforeAll(async () => {
    proxy = await startRunningProxy({
      env: { OPUSDNS_API_BASE: simulator.origin, ...credential },
    })
  })

  test.each(RUNS.map((writes) => ({ writes })))(
    'gets the statuses that it got from OpusDNS: $writes',
    async ({ writes }) => {
      const port = Number(new URL(proxy.origin).port)
      const host = `127.0.0.1:${port}`
      client = openWire(port)
      const before = arrived().length
      for (const [path, status] of WALK) {
        expect(await client.exchange(request('GET', path, host)), path).toMatchObject({ status })
      }
      for (const status of writes) {
        if (status === 401) simulator.faults.add({ status }, { path: RECORDS, times: 2 })
        else if (status !== 204) simulator.faults.add({ status }, { path: RECORDS, times: 1 })
        const reply = await client.exchange(request('PATCH', RECORDS, host))
        expect(reply.status).toBe(status)
        expect(reply.head + reply.body).not.toContain(PLACEHOLDER)
        // Error bodies are the upstream's own.
        if (status !== 204) expect(reply.head).not.toMatch(/^proxy-status:/im)
      }
      client.close()

      const seen = arrived().slice(before)
      const replayed = writes.includes(401) ? seen.length - WALK.length - writes.length : 0
      expect(replayed).toBeLessThanOrEqual(1)
      expect(seen).toHaveLength(WALK.length + writes.length + replayed)
      for (const one of seen) {
        expect(credentialOf(one)).toMatch(kind === 'OAuth' ? /^Bearer ey[\w-]+\./ : SEED_KEY.key)
        expect(one.rawHeaders).not.toContain(PLACEHOLDER)
        expect(headerValues(one.rawHeaders, 'host')).toEqual([new URL(simulator.origin).host])
        expect(headerValues(one.rawHeaders, 'user-agent')).toEqual(['python-httpx/0.28.1'])
        if (one.method === 'PATCH') expect(one.body.toString()).toBe(BODY)
      }
    },
  )

  test('has its record in the zone afterwards', async () => {
    const port = Number(new URL(proxy.origin).port)
    client = openWire(port)
    const write = request('PATCH', RECORDS, `127.0.0.1:${port}`)
    expect((await client.exchange(write)).status).toBe(204)
    const { body } = await client.exchange(
      request('GET', '/v1/dns/example.com', `127.0.0.1:${port}`),
    )
    expect(body).toContain('_acme-challenge.www')
    client.close()
  })
})

test('the body is the 104 bytes that the client announced', () => {
  expect(Buffer.byteLength(BODY)).toBe(104)
})
