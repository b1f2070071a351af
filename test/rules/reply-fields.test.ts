// Rules 13, 14 and 21 on the way back: what of a reply's head reaches the client, and what becomes of
// redirects. Nothing is followed.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { oddUpstream } from './odd-upstream.ts'
import type { OddUpstream } from './odd-upstream.ts'
import { values } from './reply-reader.ts'
import type { Seen } from './reply-reader.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const FIVE = 'Content-Length: 5\r\n\r\nhello'

let odd: OddUpstream
let elsewhere: RawUpstream

beforeAll(async () => {
  odd = await oddUpstream()
  elsewhere = await rawUpstream()
})
afterEach(() => odd.next())
afterAll(async () => {
  await odd.close()
  await elsewhere.close()
})

/** What the client sees of a good reply with `lines` in its head. */
async function withFields(...lines: readonly string[]): Promise<Seen> {
  const seen = await odd.ask([`${OK}${lines.map((line) => `${line}\r\n`).join('')}${FIVE}`])
  expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true, garbage: '' })
  return seen
}

describe('a field of one hop ends here:', () => {
  test.each([
    'Keep-Alive: timeout=9',
    'Proxy-Connection: keep-alive',
    'Proxy-Authenticate: Basic',
    'TE: trailers',
    'Upgrade: h2c',
    'Trailer: X-Late',
  ])('%s', async (line) => {
    const seen = await withFields(line, 'X-Kept: 1')
    const name = (line.split(':')[0] ?? '').toLowerCase()
    expect(values(seen.fields, name)).not.toContain(line.slice(name.length + 2))
    expect(values(seen.fields, 'x-kept')).toEqual(['1'])
  })

  test.each([
    ['Connection: X-Hop', 'X-Hop: 1'],
    ['Connection: close, X-Hop', 'X-Hop: 1'],
    ['connection: x-hop , close', 'X-HOP: 1'],
    ['Connection: "X-Hop", X-Hop', 'X-Hop: 1'],
    ['X-Hop: 1', 'Connection: X-Hop'],
  ])('what %s names, beside %s', async (one, other) => {
    const seen = await withFields(one, other, 'X-Kept: 1')
    expect(values(seen.fields, 'x-hop')).toEqual([])
    expect(values(seen.fields, 'x-kept')).toEqual(['1'])
  })

  test('a second Connection counts as well', async () => {
    const seen = await withFields(
      'Connection: X-A',
      'Connection: X-B',
      'X-A: 1',
      'X-B: 1',
      'X-C: 1',
    )
    expect(values(seen.fields, 'x-a')).toEqual([])
    expect(values(seen.fields, 'x-b')).toEqual([])
    expect(values(seen.fields, 'x-c')).toEqual(['1'])
  })

  test.each(['via', 'x-request-id', 'date', 'content-length', 'transfer-encoding'])(
    'but Connection: %s takes nothing that we write',
    async (name) => {
      const seen = await withFields(`Connection: ${name}`)
      expect(values(seen.fields, 'via')).toHaveLength(1)
      expect(values(seen.fields, 'x-request-id')).toHaveLength(1)
      expect(values(seen.fields, 'date')).toHaveLength(1)
    },
  )

  test.each(['Connection: close', 'Connection: CLOSE', 'Connection: keep-alive, close'])(
    "the end of the upstream's connection is not the end of the client's: %s",
    async (line) => {
      const seen = await withFields(line)
      expect(seen.end).toBe('open')
      expect(values(seen.fields, 'connection')).not.toContain('close')
    },
  )
})

describe('a field that speaks for the upstream alone is dropped:', () => {
  test.each([
    'Set-Cookie: session=1; HttpOnly',
    'set-cookie2: a=b',
    'Alt-Svc: h3=":443"; ma=86400',
    'Access-Control-Allow-Origin: *',
    'Access-Control-Allow-Origin: http://localhost',
    'Access-Control-Allow-Credentials: true',
    'ACCESS-CONTROL-ALLOW-METHODS: DELETE',
    'Access-Control-Allow-Headers: x-api-key',
    'Access-Control-Expose-Headers: x-any',
    'Access-Control-Max-Age: 600',
    'Access-Control-Allow-Private-Network: true',
    'Authentication-Info: nextnonce="x"',
    'Proxy-Authentication-Info: x',
    'Authorization: Bearer x',
    'X-Api-Key: x',
  ])('%s', async (line) => {
    const seen = await withFields(line, line, 'X-Kept: 1')
    expect(values(seen.fields, (line.split(':')[0] ?? '').toLowerCase())).toEqual([])
    expect(values(seen.fields, 'x-kept')).toEqual(['1'])
  })
})

describe('a field that speaks of the reply is kept:', () => {
  test.each([
    'Content-Type: application/json',
    'Content-Encoding: gzip',
    'ETag: W/"x"',
    'Cache-Control: no-store',
    'Vary: Accept-Encoding, Origin',
    'Retry-After: 7',
    'X-RateLimit-Remaining: 3',
    'Link: </v1/x?page=2>; rel="next"',
    'WWW-Authenticate: Bearer error="invalid_token"',
    'Age: 3',
    'Server: uvicorn',
    'Content-Disposition: attachment; filename="caf\xe9.zip"',
    'Strict-Transport-Security: max-age=1',
    'x-server-request-id: 7f',
    'X_Under: 1',
  ])('%s', async (line) => {
    const seen = await withFields(line)
    const [name = '', ...rest] = line.split(': ')
    expect(seen.fields).toContain(name)
    expect(values(seen.fields, name.toLowerCase())).toEqual([rest.join(': ')])
  })

  test('with its doubles, in their order', async () => {
    const seen = await withFields('X-A: 1', 'Warning: 199 - "a"', 'x-a: 2', 'Warning: 199 - "b"')
    expect(values(seen.fields, 'x-a')).toEqual(['1', '2'])
    expect(values(seen.fields, 'warning')).toEqual(['199 - "a"', '199 - "b"'])
  })

  test('Via, with our name behind those before us', async () => {
    const [via = '', ...more] = values((await withFields('Via: 1.0 a', 'Via: 1.1 b')).fields, 'via')
    expect(more).toEqual([])
    expect(via).toMatch(/^1\.0 a, 1\.1 b, 1\.1 opusdns-auth-proxy-\w+$/)
  })
})

describe('a redirect', () => {
  const own = [
    ['to a path of its own', (it: string) => `${it}/v1/tlds/?page=2#x`, '/v1/tlds/?page=2#x'],
    ['with another scheme', (it: string) => `${it.replace('http', 'https')}/v1/a`, '/v1/a'],
    ['without a scheme', (it: string) => `${it.replace('http:', '')}/v1/a`, '/v1/a'],
    ['in capitals', (it: string) => `${it.replace('http', 'HTTP')}/v1/a`, '/v1/a'],
    ['to its root', (it: string) => it, '/'],
    ['to its root with a query', (it: string) => `${it}?a=b`, '/?a=b'],
    ['to two slashes', (it: string) => `${it}//evil.example/v1`, '/evil.example/v1'],
    ['to many slashes', (it: string) => `${it}////evil.example/v1`, '/evil.example/v1'],
    ['to a backslash', (it: string) => `${it}/\\evil.example/v1`, '/evil.example/v1'],
    ['with a user name', (it: string) => `${it.replace('//', '//user:pw@')}/v1/a`, '/v1/a'],
  ] as const
  test.each(own)('of the upstream %s stays with us', async (_what, target, path) => {
    const location = target(odd.upstream.origin)
    for (const name of ['Location', 'Content-Location']) {
      const head = `HTTP/1.1 307 Temporary Redirect\r\n${name}: ${location}\r\n`
      const seen = await odd.ask([`${head}Content-Length: 0\r\n\r\n`])
      expect(seen.status).toBe(307)
      expect(values(seen.fields, name.toLowerCase())).toEqual([path])
      expect(seen.text).not.toContain(String(odd.upstream.port))
      expect(odd.times).toBe(1)
    }
  })

  test.each([301, 302, 303, 307, 308])(
    '%i elsewhere passes, and is not followed',
    async (status) => {
      for (const method of ['GET', 'HEAD', 'POST']) {
        const location = `${elsewhere.origin}/steal`
        const head = `HTTP/1.1 ${status} Elsewhere\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
        const seen = await odd.ask([head], { method })
        expect(seen.status).toBe(status)
        expect(values(seen.fields, 'location')).toEqual([location])
        expect(odd.times).toBe(1)
      }
      expect(elsewhere.connections).toBe(0)
    },
  )

  test.each(['/v1/after', 'after', '?page=2', '#x', '', '../x', 'mailto:x@y', 'https://[broken'])(
    'that names no host (%j) passes as it is',
    async (location) => {
      const head = `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
      const seen = await odd.ask([head])
      expect(values(seen.fields, 'location')).toEqual([location])
      expect(odd.times).toBe(1)
    },
  )

  test.each(['127.0.0.1.evil.example', 'evil.example', 'localhost', '127.0.0.2'])(
    'to another host (%s) passes as it is',
    async (host) => {
      const location = `http://${host}:${odd.upstream.port}/v1/a`
      const head = `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
      expect(values((await odd.ask([head])).fields, 'location')).toEqual([location])
    },
  )
})
