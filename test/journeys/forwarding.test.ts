// What the upstream receives and what the client gets back, for requests that go well.

import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { wire } from '../opusdns/wire.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream, wellBehaved } from '../support/raw-upstream.ts'
import type { RawRequest, RawUpstream } from '../support/raw-upstream.ts'
import { send, valuesOf } from '../support/wire-client.ts'

let upstream: RawUpstream
let proxy: LocalProxy
let simulator: Simulator
let simulated: LocalProxy

beforeAll(async () => {
  upstream = await rawUpstream()
  simulator = await startSimulator()
  proxy = await localProxy({ base: upstream.origin })
  simulated = await localProxy({ base: simulator.origin, credential: 'oauth' })
})
afterEach(() => {
  upstream.script = wellBehaved
  simulator.faults.clear()
})
afterAll(async () => {
  await Promise.all([proxy.stop(), simulated.stop()])
  await Promise.all([upstream.close(), simulator.close()])
})

function last(): RawRequest {
  const request = upstream.requests.at(-1)
  if (request === undefined) throw new Error('nothing arrived')
  return request
}

const names = (fields: readonly string[]) =>
  fields.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())

/** Answers every request with these bytes. */
const answering =
  (bytes: string) =>
  async ({ socket, whole }: RawRequest) => {
    await whole
    socket.write(bytes, 'latin1')
  }

describe('the request', () => {
  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s arrives with the same bytes of target, query and body',
    async (method) => {
      const body = method === 'GET' || method === 'HEAD' ? undefined : randomBytes(3000)
      const path = `/v1/dns/${method.toLowerCase()}.example/rrsets?a=%2F..%2f&b=x+y&c=%zz&&d=[]'"{}`
      const sent = await send(proxy.port, { method, path, ...(body ? { body } : {}) })
      expect(sent.status).toBe(200)
      expect(last().method).toBe(method)
      expect(last().target).toBe(path)
      expect(last().body).toEqual(body ?? Buffer.alloc(0))
      expect(valuesOf(last().fields, 'content-length')).toEqual(body ? ['3000'] : [])
      expect(valuesOf(last().fields, 'transfer-encoding')).toEqual([])
    },
  )

  test('carries the key and no other credential', async () => {
    await send(proxy.port, {
      headers: [
        'Authorization',
        'Bearer placeholder',
        'x-api-KEY',
        'placeholder',
        'Cookie',
        'session=placeholder',
        'Proxy-Authorization',
        'Basic placeholder',
        'X_Api_Key',
        'placeholder',
      ],
    })
    expect(valuesOf(last().fields, 'x-api-key')).toEqual([SEED_KEY.key])
    expect(last().fields.join('\n')).not.toContain('placeholder')
    expect(names(last().fields)).not.toContain('authorization')
  })

  test('carries one bearer token where OAuth is configured, and no key', async () => {
    const sent = await send(simulated.port, {
      headers: ['Authorization', 'Bearer placeholder', 'X-Api-Key', 'placeholder'],
    })
    expect(sent.status).toBe(200)
    const { rawHeaders } = simulator.requests.at(-1) ?? { rawHeaders: [] }
    expect(valuesOf(rawHeaders, 'authorization')).toEqual([expect.stringMatching(/^Bearer ey/)])
    expect(names(rawHeaders)).not.toContain('x-api-key')
    expect(rawHeaders.join('\n')).not.toContain('placeholder')
  })

  test.each([
    // Hop-by-hop, RFC 9110 section 7.6.1.
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Proxy-Authenticate',
    'HTTP2-Settings',
    // Credentials, and the switch to another organisation.
    'Authorization',
    'Cookie',
    'Cookie2',
    'Proxy-Authorization',
    'X-Organization-Context',
    // Claims about where the request came from.
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Any',
    'X-Real-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'Fastly-Client-IP',
    // Another method or path than the one that was judged.
    'X-HTTP-Method',
    'X-HTTP-Method-Override',
    'X-Method-Override',
    'X-Original-URL',
    'X-Original-URI',
    'X-Original-Method',
    'X-Rewrite-URL',
    // Read as another name by servers that fold `_` into `-`.
    'X_Forwarded_For',
    'X_Organization_Context',
    'Max-Forwards',
  ])('does not carry %s', async (name) => {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      await send(proxy.port, { headers: [spelling, '7', 'X-Kept', 'yes'] })
      expect(names(last().fields)).not.toContain(name.toLowerCase())
      expect(valuesOf(last().fields, 'x-kept')).toEqual(['yes'])
    }
  })

  test('carries no trailers, and does not announce any', async () => {
    const head = `POST /v1/dns HTTP/1.1\r\nHost: localhost\r\nTrailer: X-Api-Key\r\nTE: trailers\r\n`
    const reply = await wire(
      proxy.port,
      `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nbody\r\n0\r\nX-Api-Key: trailed\r\n\r\n`,
      3000,
    )
    expect(reply.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(last().body.toString()).toBe('body')
    expect(names(last().fields)).not.toContain('trailer')
    expect(names(last().fields)).not.toContain('te')
    expect(last().fields.join()).not.toContain('trailed')
  })

  test('carries no upgrade, and none of what Connection names', async () => {
    await send(proxy.port, {
      headers: ['Connection', 'Upgrade, X-Hop , HTTP2-Settings', 'Upgrade', 'h2c', 'X-Hop', '1'],
    })
    const arrived = names(last().fields)
    for (const name of ['upgrade', 'x-hop', 'http2-settings']) expect(arrived).not.toContain(name)
    expect(valuesOf(last().fields, 'connection').join()).not.toMatch(/upgrade|hop/i)
  })

  test('keeps the credential and the Host that Connection asks to remove', async () => {
    await send(proxy.port, {
      headers: ['Connection', 'x-api-key, host, via, x-request-id, content-length'],
      method: 'POST',
      body: 'text',
    })
    expect(valuesOf(last().fields, 'x-api-key')).toEqual([SEED_KEY.key])
    expect(valuesOf(last().fields, 'host')).toEqual([`127.0.0.1:${upstream.port}`])
    expect(valuesOf(last().fields, 'via')).toHaveLength(1)
    expect(valuesOf(last().fields, 'x-request-id')).toHaveLength(1)
    expect(last().body.toString()).toBe('text')
  })

  test('carries every unknown field as it is: order, spelling, doubles and Latin-1 bytes', async () => {
    const fields = [
      'x-ODD-Name',
      'one',
      'Accept',
      'a/b',
      'X-odd-name',
      'two',
      '__proto__',
      'x',
      'constructor',
      'y',
      'Accept-Encoding',
      'gzip, br',
      'User-Agent',
      'certbot',
      'traceparent',
      '00-1-2-01',
      'X-Datetime-Format',
      'rfc3339',
      'If-Match',
      '"3"',
      'X-Latin',
      'caf\u00e9',
    ]
    await send(proxy.port, { headers: fields })
    const kept = fields.filter((_, at) => {
      const name = fields[at - (at % 2)] ?? ''
      return !name.includes('_')
    })
    const arrived = last().fields.join('\n')
    expect(arrived).toContain(kept.join('\n'))
  })

  test("names the upstream in Host, and the proxy in Via behind the client's own", async () => {
    await send(proxy.port, { headers: ['Via', '1.0 fred', 'via', '1.1 other (Apache)'] })
    expect(valuesOf(last().fields, 'host')).toEqual([`127.0.0.1:${upstream.port}`])
    expect(valuesOf(last().fields, 'via')).toEqual([
      expect.stringMatching(
        /^1\.0 fred, 1\.1 other \(Apache\), 1\.1 opusdns-auth-proxy-[0-9a-f]{8}$/,
      ),
    ])
  })

  test('keeps a good X-Request-Id, and makes one in place of a missing or odd one', async () => {
    const given = 'client_id-1.2'
    const kept = await send(proxy.port, { headers: ['X-Request-Id', given] })
    expect(valuesOf(last().fields, 'x-request-id')).toEqual([given])
    expect(valuesOf(kept.rawHeaders, 'x-request-id')).toEqual([given])
    for (const headers of [[], ['X-Request-Id', 'a b'], ['X-Request-Id', 'x'.repeat(129)]]) {
      const made = await send(proxy.port, { headers })
      const id = valuesOf(last().fields, 'x-request-id')
      expect(id).toEqual([expect.stringMatching(/^[0-9a-f]{12}-[0-9a-z]+$/)])
      expect(valuesOf(made.rawHeaders, 'x-request-id')).toEqual(id)
    }
  })

  test('has no body where the client said Content-Length: 0', async () => {
    const sent = await send(proxy.port, { method: 'POST', body: '' })
    expect(sent.status).toBe(200)
    expect(valuesOf(last().fields, 'content-length')).toEqual(['0'])
    expect(last().body).toHaveLength(0)
  })

  test('in chunks arrives whole, small or large', async () => {
    const small = await send(proxy.port, { method: 'POST', body: ['one ', 'two'] })
    expect(small.status).toBe(200)
    expect(last().body.toString()).toBe('one two')
    const pieces = Array.from({ length: 40 }, () => randomBytes(10_000))
    const large = await send(proxy.port, { method: 'PUT', body: pieces })
    expect(large.status).toBe(200)
    expect(last().body.equals(Buffer.concat(pieces))).toBe(true)
  })

  test('of 500 names in a query of 20 KB passes', async () => {
    const query = Array.from(
      { length: 500 },
      (_, at) => `domains=name-${at}-${'x'.repeat(20)}.example`,
    )
    const path = `/v1/domains/check?${query.join('&')}`
    expect(path.length).toBeGreaterThan(20_000)
    const sent = await send(simulated.port, { path })
    expect(sent.status).toBe(200)
    expect((JSON.parse(sent.text) as { results: unknown[] }).results).toHaveLength(500)
    expect(simulator.requests.at(-1)?.target).toBe(path)
  })

  test('is sent to /v1/tlds/ where the client wrote /v1/tlds, so that no redirect comes back', async () => {
    for (const path of ['/v1/tlds', '/v1/tlds/', '/v1/tlds?page=1']) {
      const sent = await send(simulated.port, { path })
      expect(sent.status).toBe(200)
    }
    expect(simulator.requests.slice(-3).map(({ target }) => target)).toEqual([
      '/v1/tlds/',
      '/v1/tlds/',
      '/v1/tlds/?page=1',
    ])
  })

  test('that expects 100-continue is told to continue, and its body arrives', async () => {
    const head = `POST /v1/dns HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nExpect: 100-continue\r\n`
    const reply = await wire(
      proxy.port,
      `${head}Content-Length: 4\r\nConnection: close\r\n\r\nbody`,
      3000,
    )
    expect(reply.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
    expect(last().body.toString()).toBe('body')
    expect(names(last().fields)).not.toContain('expect')
  })

  test('in HTTP/1.0 is served, and its reply ends with the connection', async () => {
    const reply = await wire(proxy.port, `GET /v1/dns HTTP/1.0\r\nHost: localhost\r\n\r\n`, 3000)
    expect(reply).toMatchObject({
      end: 'fin',
      text: expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n/),
    })
    expect(reply.text.endsWith('\r\n\r\n{}')).toBe(true)
    expect(valuesOf(last().fields, 'via')[0]).toMatch(/^1\.0 opusdns-auth-proxy-/)
  })

  test('in absolute form under our own name is served as its path', async () => {
    const target = `http://127.0.0.1:${proxy.port}/v1/dns?x=1`
    const reply = await wire(
      proxy.port,
      `GET ${target} HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n`,
      3000,
    )
    expect(reply.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(last().target).toBe('/v1/dns?x=1')
    expect(valuesOf(last().fields, 'host')).toEqual([`127.0.0.1:${upstream.port}`])
  })

  test('pipelined behind another one gets its own answer, in order', async () => {
    upstream.script = async ({ socket, target, whole }) => {
      await whole
      socket.write(plainReply(`{"for":"${target}"}`))
    }
    const one = (path: string, more = '') =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`
    const reply = await wire(
      proxy.port,
      one('/v1/dns/a') + one('/v1/dns/b') + one('/v1/dns/c', 'Connection: close\r\n'),
      3000,
    )
    expect([...reply.text.matchAll(/"for":"([^"]+)"/g)].map(([, path]) => path)).toEqual([
      '/v1/dns/a',
      '/v1/dns/b',
      '/v1/dns/c',
    ])
  })
})

describe('the reply', () => {
  test.each([
    [404, 'application/problem+json', '{"type":"dns","title":"DNS Error","status":404}'],
    [
      422,
      'application/problem+json',
      '{"status":422,"errors":[{"loc":["body"],"input":"\u00e9"}]}',
    ],
    [500, 'text/plain; charset=utf-8', 'Internal Server Error'],
    [429, 'application/problem+json', '{"status":429}'],
    [403, 'application/problem+json', '{"code":"ERROR_PERMISSION_DENIED"}'],
    [299, 'x/odd', 'an odd status'],
    [599, 'x/odd', 'another odd status'],
  ])(
    '%i of the upstream passes byte for byte, but for its reason phrase',
    async (status, type, body) => {
      const bytes = Buffer.from(body)
      // After a 429 the tests that follow would have to wait.
      const wait = status === 429 ? '0' : '17'
      upstream.script = answering(
        `HTTP/1.1 ${status} Its Own Words\r\nContent-Type: ${type}\r\nX-Server-Request-Id: abc\r\nRetry-After: ${wait}\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`,
      )
      const reply = await send(proxy.port)
      expect(reply).toMatchObject({ status, complete: true })
      expect(reply.body.equals(bytes)).toBe(true)
      expect(valuesOf(reply.rawHeaders, 'content-type')).toEqual([type])
      expect(valuesOf(reply.rawHeaders, 'retry-after')).toEqual([wait])
      expect(valuesOf(reply.rawHeaders, 'proxy-status')).toEqual([])
      const line = await proxy.accessLine((it) => it['status'] === status)
      expect(line).toMatchObject({ source: 'upstream', upstream_id: 'abc' })
    },
  )

  test('keeps the fields of the upstream but for the hop-by-hop ones and cookies', async () => {
    upstream.script = answering(
      'HTTP/1.1 200 OK\r\nX-One: 1\r\nx-one: 2\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTrailer: X\r\nAlt-Svc: h3=":443"\r\nSet-Cookie: a=b\r\nX-Latin: caf\u00e9\r\n' +
        'Via: 1.1 edge\r\nDate: Mon, 02 Jan 2023 00:00:00 GMT\r\nContent-Length: 2\r\n\r\n{}',
    )
    const { rawHeaders } = await send(proxy.port)
    expect(valuesOf(rawHeaders, 'x-one')).toEqual(['1', '2'])
    expect(valuesOf(rawHeaders, 'x-latin')).toEqual(['caf\u00e9'])
    expect(valuesOf(rawHeaders, 'date')).toEqual(['Mon, 02 Jan 2023 00:00:00 GMT'])
    for (const gone of [
      'x-hop',
      'proxy-authenticate',
      'upgrade',
      'trailer',
      'alt-svc',
      'set-cookie',
    ]) {
      expect(valuesOf(rawHeaders, gone)).toEqual([])
    }
    expect(valuesOf(rawHeaders, 'via')).toEqual([
      expect.stringMatching(/^1\.1 edge, 1\.1 opusdns-auth-proxy-[0-9a-f]{8}$/),
    ])
  })

  test('that redirects a slash points to the proxy, and was not followed', async () => {
    const before = simulator.requests.length
    const reply = await send(simulated.port, { path: '/v1/dns/example.com/?x=1' })
    expect(reply.status).toBe(307)
    expect(valuesOf(reply.rawHeaders, 'location')).toEqual(['/v1/dns/example.com?x=1'])
    expect(simulator.requests.length).toBe(before + 1)
  })

  test('that redirects elsewhere passes as it is, and is not followed', async () => {
    upstream.script = answering(
      'HTTP/1.1 302 Found\r\nLocation: https://storage.example/file?sig=1\r\nContent-Length: 0\r\n\r\n',
    )
    const before = upstream.requests.length
    const reply = await send(proxy.port)
    expect(valuesOf(reply.rawHeaders, 'location')).toEqual(['https://storage.example/file?sig=1'])
    expect(upstream.requests.length).toBe(before + 1)
  })

  test('to HEAD keeps its Content-Length and has no body', async () => {
    upstream.script = answering('HTTP/1.1 200 OK\r\nContent-Length: 4321\r\n\r\n')
    const reply = await send(proxy.port, { method: 'HEAD' })
    expect(reply).toMatchObject({ status: 200, complete: true, text: '' })
    expect(valuesOf(reply.rawHeaders, 'content-length')).toEqual(['4321'])
  })

  test.each([
    [204, 'HTTP/1.1 204 No Content\r\n\r\n'],
    [204, 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'],
    [304, 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'],
    [205, 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'],
  ])('%i has no body, and the connection serves the next request', async (status, bytes) => {
    upstream.script = answering(bytes)
    const ask = 'GET /v1/dns HTTP/1.1\r\nHost: localhost\r\n'
    const { text } = await wire(proxy.port, `${ask}\r\n${ask}Connection: close\r\n\r\n`, 3000)
    const heads = text.split('\r\n\r\n')
    expect(heads).toHaveLength(3)
    expect(heads.slice(0, 2).every((head) => head.startsWith(`HTTP/1.1 ${status}`))).toBe(true)
    expect(heads[2]).toBe('')
    if (status === 204) expect(text.toLowerCase()).not.toContain('content-length')
  })

  test('that ends with the connection is framed anew, and complete', async () => {
    upstream.script = async ({ socket, whole }) => {
      await whole
      socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end')
    }
    const reply = await send(proxy.port)
    expect(reply).toMatchObject({ status: 200, text: 'until the end', complete: true })
    expect(valuesOf(reply.rawHeaders, 'transfer-encoding')).toEqual(['chunked'])
  })

  test('is still coded when the client asked for a coding', async () => {
    upstream.script = answering(
      'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\u001f\u008bzip',
    )
    const reply = await send(proxy.port, { headers: ['Accept-Encoding', 'gzip'] })
    expect(valuesOf(reply.rawHeaders, 'content-encoding')).toEqual(['gzip'])
    expect(reply.body.toString('latin1')).toBe('\u001f\u008bzip')
    expect(valuesOf(last().fields, 'accept-encoding')).toEqual(['gzip'])
  })

  test('to an early refusal of a large body reaches the client, and closes the connection', async () => {
    upstream.script = ({ socket }) => socket.end(plainReply('{"no":1}', 'HTTP/1.1 413 Too Large'))
    const reply = await send(proxy.port, { method: 'POST', body: Buffer.alloc(3_000_000) })
    expect(reply).toMatchObject({ status: 413, text: '{"no":1}', complete: true })
    expect(valuesOf(reply.rawHeaders, 'connection')).toEqual(['close'])
  })
})
