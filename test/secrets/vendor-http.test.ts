// One question to a vendor, over real sockets.

import { createServer as createTlsServer } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import {
  askVendor,
  isPrivateWay,
  MAX_REPLY_BYTES,
  VendorFailure,
} from '../../src/secrets/vendor-http.ts'
import type { VendorQuestion } from '../../src/secrets/vendor-http.ts'
import { authority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { manualClock } from '../support/manual-clock.ts'

const CANARY = 'said-by-the-server-canary'
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

async function port(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  ends.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A server that answers each connection's first bytes with `text`, and keeps what it got. */
async function raw(text: string, then: (socket: Socket) => void = (socket) => socket.end()) {
  const got: string[] = []
  const server = createServer((socket) => {
    ends.push(() => socket.destroy())
    socket.on('error', () => {})
    socket.once('data', (chunk) => {
      got.push(chunk.toString())
      socket.write(text)
      then(socket)
    })
  })
  return { url: `http://127.0.0.1:${await port(server)}/v1/a?b=c`, got }
}

const ask = (url: string, more: Partial<VendorQuestion> = {}, clock = systemClock) =>
  askVendor({ url, method: 'GET', timeout: 5000, ...more }, clock)

/** The code of a failure that shows nothing else. */
async function failure(asked: Promise<unknown>): Promise<string> {
  const error: unknown = await asked.catch((thrown: unknown) => thrown)
  if (!(error instanceof VendorFailure)) throw new Error(`no failure: ${inspect(error)}`)
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary')
  expect(error.cause).toBeUndefined()
  return error.code
}

describe('a question to a vendor', () => {
  test('sends what it is given on a connection of its own, and yields the whole reply', async () => {
    const { url, got } = await raw('HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok')
    const reply = await ask(url, { method: 'POST', headers: { 'X-Key': 'k' }, body: '{}' })
    expect(reply).toMatchObject({ status: 201, headers: { 'x-a': 'b' } })
    expect(reply.body.toString()).toBe('ok')
    expect(got[0]).toMatch(/^POST \/v1\/a\?b=c HTTP\/1\.1\r\n/)
    expect(got[0]?.toLowerCase()).toMatch(/x-key: k\r\n[^]*connection: close\r\n/)
  })

  test('does not follow a redirect', async () => {
    const { url } = await raw(
      'HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n',
    )
    expect((await ask(url)).status).toBe(307)
  })

  test.each([
    ['that is no HTTP', `${CANARY}\r\n\r\n`],
    ['that ends before its length', `HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${CANARY}`],
    ['with an endless head', `HTTP/1.1 200 OK\r\nX: ${CANARY}${'x'.repeat(90_000)}`],
    ['of nothing', ''],
  ])('fails on a reply %s, and says none of it', async (_, text) => {
    const { url } = await raw(text)
    expect(await failure(ask(url))).toMatch(/^[A-Z][A-Z0-9_]+$/)
  })

  test('takes a reply of 256 KiB, and none that is longer', async () => {
    const head = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'
    const most = await raw(head + 'x'.repeat(MAX_REPLY_BYTES))
    expect((await ask(most.url)).body).toHaveLength(MAX_REPLY_BYTES)
    const more = await raw(head + 'x'.repeat(MAX_REPLY_BYTES + 1), () => {})
    expect(await failure(ask(more.url))).toBe('REPLY_TOO_LARGE')
  })

  test.each([
    ['no reply', ''],
    ['half a head', 'HTTP/1.1 200 OK\r\nX-A'],
    ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal'],
  ])('ends at its deadline, and not before, with %s', async (_, text) => {
    const { url, got } = await raw(text, () => {})
    const clock = manualClock()
    let over = false
    const outcome = failure(ask(url, {}, clock)).finally(() => (over = true))
    await eventually(() => got.length > 0)
    await clock.advance(4999)
    expect(over).toBe(false)
    await clock.advance(1)
    expect(await outcome).toBe('TIMEOUT')
  })

  test('fails when nobody is there', async () => {
    expect(await failure(ask('http://127.0.0.1:1/'))).toBe('ECONNREFUSED')
  })

  test('goes nowhere in the open but to this machine', async () => {
    expect(await failure(ask('http://vault.example/'))).toBe('PLAIN_HTTP')
    const ways = ['https://a.example', 'http://localhost:1', 'http://127.9.9.9', 'http://[::1]:1']
    expect(ways.map((way) => isPrivateWay(new URL(way)))).toEqual([true, true, true, true])
    const open = [
      'http://a.example',
      'http://10.0.0.1',
      'http://127.0.0.1.example',
      'ftp://localhost',
    ]
    expect(open.map((way) => isPrivateWay(new URL(way)))).toEqual([false, false, false, false])
  })

  test('says nothing of a header that cannot be sent', async () => {
    expect(await failure(ask('http://127.0.0.1:1/', { headers: { a: `${CANARY}\n` } }))).toBe(
      'ERR_INVALID_CHAR',
    )
  })

  test('trusts a given authority, for the right name, and no other server', async () => {
    const ours = authority('ours')
    const server = createTlsServer(ours.issue(), (_, reply) => reply.end('ok'))
    const at = await port(server)
    const url = `https://localhost:${at}/`
    expect((await ask(url, { ca: ours.cert })).body.toString()).toBe('ok')
    expect(await failure(ask(url))).toMatch(/CERT|LEAF|ISSUER/)
    expect(await failure(ask(url, { ca: authority('other').cert }))).toMatch(/CERT|LEAF|ISSUER/)
    expect(await failure(ask(`https://127.0.0.1:${at}/`, { ca: ours.cert }))).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
  })
})
