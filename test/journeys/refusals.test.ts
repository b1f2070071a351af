// What the proxy refuses, byte for byte over bare sockets: with a problem that real clients can read,
// and without a byte of it reaching the upstream.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { wire } from '../opusdns/wire.ts'
import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { firstReply, send } from '../support/wire-client.ts'

let upstream: RawUpstream
let proxy: LocalProxy

beforeAll(async () => {
  upstream = await rawUpstream()
  proxy = await localProxy({ base: upstream.origin })
})
afterAll(async () => {
  await proxy.stop()
  await upstream.close()
})

interface Refusal {
  readonly status: number
  readonly fields: Readonly<Record<string, string>>
  readonly problem: Readonly<Record<string, unknown>>
  readonly text: string
}

/** Sends `bytes`, and holds the one reply to everything that is true of every refusal. */
async function refused(bytes: string, port = proxy.port): Promise<Refusal> {
  const before = upstream.requests.length
  const text = await firstReply(port, bytes)
  expect(upstream.requests.length, 'requests that reached the upstream').toBe(before)
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1])
  const fields = Object.fromEntries(
    lines.map((it) => [it.slice(0, it.indexOf(':')).toLowerCase(), it.slice(it.indexOf(':') + 2)]),
  )
  expect(fields).toMatchObject({
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'content-length': String(body.length),
    'x-request-id': expect.stringMatching(/^[\w.-]{1,128}$/),
  })
  const problem = JSON.parse(body) as Record<string, unknown>
  const { code, detail } = problem
  expect(problem).toMatchObject({
    type: `urn:opusdns-auth-proxy:problem:${String(code)}`,
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/./),
    message: detail,
    error_code: code,
  })
  expect(fields['proxy-status']).toMatch(
    new RegExp(`^opusdns-auth-proxy; error=[a-z_]+; details="${String(code)}"$`),
  )
  // Clients grep for this text to tell a zone from an error.
  expect(text).not.toContain('dnssec_status')
  expect(text).not.toContain(SEED_KEY.key)
  return { status, fields, problem, text }
}

const head = (line: string, ...fields: string[]) =>
  [`${line} HTTP/1.1`, ...fields, '', ''].join('\r\n')
const get = (target: string) => head(`GET ${target}`, 'Host: localhost')

describe('a path that is not canonical', () => {
  test.each([
    '/v1/dns/example.com%2Frrsets',
    '/v1/dns/example.com%2frrsets',
    '/v1/dns/example.com%5Crrsets',
    '/v1/dns/a%00b',
    '/v1/dns/a%0d%0ab',
    '/v1/dns/a%7f',
    '/v1/dns/../auth/client_credentials',
    '/v1/dns/./example.com',
    '/v1/dns/%2e%2e/auth',
    '/v1/dns/.%2e/auth',
    '/v1/dns/%252e%252e/auth',
    '/v1/dns/%c0%ae%c0%ae/auth',
    '/v1/dns/%ef%bc%8e%ef%bc%8e/auth',
    '/v1/dns/a%ef%bc%8fb',
    '/v1/dns/a%e2%88%95b',
    '//evil.example/v1/dns',
    '/v1//dns',
    '/v1/dns;x=1',
    '/v1/dns%3bx',
    '/v1\\dns',
    '/v1/dns#part',
    '/v1/dns?x#part',
    '/v1/dns/%zz',
    '/v1/dns/%2',
    '/v1/dns/caf\u00e9',
    '/v1/%61uth/client_credentials',
    '/v1/dns/%65xample.com',
    '/v1/dns/a%20/..',
    '/v1/dns/a|b',
  ])('%s: 400', async (target) => {
    const { status, problem, fields } = await refused(get(target))
    // Node's own parser may be the one that refuses.
    expect(['path_not_canonical', 'bad_request']).toContain(problem['code'])
    expect(status).toBe(400)
    expect(fields['connection']).toBe('close')
  })

  test('is refused before anything behind it on the connection is read', async () => {
    const before = upstream.requests.length
    const { text, end } = await wire(proxy.port, get('/v1/dns/%2e%2e/auth') + get('/v1/dns'), 3000)
    expect(end).not.toBe('quiet')
    expect(upstream.requests.length).toBe(before)
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })
})

describe('what is not under /v1/', () => {
  test.each([
    '/',
    '/v1',
    '/V1/dns',
    '/v2/dns',
    '/livez',
    '/readyz',
    '/metrics',
    '/v1x/dns',
    '/__log',
  ])('%s: 404', async (target) => {
    expect(await refused(get(target))).toMatchObject({
      status: 404,
      problem: { code: 'not_found' },
    })
  })
})

describe('a Host that is not ours', () => {
  test.each([
    'evil.example',
    'api.opusdns.com',
    'localhost.evil.example',
    'localhost:0',
    'localhost:99999',
    'localhost:80:80',
    'user@localhost',
    '127.0.0.1.evil.example',
    '[::2]',
    '0.0.0.0',
  ])('%s: 421', async (host) => {
    const reply = await refused(head('GET /v1/dns', `Host: ${host}`))
    expect(reply).toMatchObject({ status: 421, problem: { code: 'host_not_allowed' } })
  })

  test('in an absolute target: 421, whatever the Host field says', async () => {
    const reply = await refused(head('GET http://evil.example/v1/dns', 'Host: localhost'))
    expect(reply.status).toBe(421)
  })

  test.each([
    ['missing', head('GET /v1/dns', 'X-A: 1')],
    ['empty', head('GET /v1/dns', 'Host: ')],
    ['doubled', head('GET /v1/dns', 'Host: localhost', 'Host: localhost')],
    ['doubled with another', head('GET /v1/dns', 'Host: localhost', 'host: evil.example')],
  ])('%s: 400', async (_what, bytes) => {
    expect(await refused(bytes)).toMatchObject({ status: 400, problem: { code: 'bad_request' } })
  })

  test.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:1', '[::1]:9'])(
    '%s is ours, and is served',
    async (host) => {
      const reply = await wire(
        proxy.port,
        head('GET /v1/dns', `Host: ${host}`, 'Connection: close'),
        2000,
      )
      expect(reply.text).toMatch(/^HTTP\/1\.1 200 /)
    },
  )
})

describe('a browser on the page of another site', () => {
  test.each([
    ['Origin: https://evil.example'],
    ['Origin: null'],
    ['Origin: http://localhost:1'],
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: same-site'],
    ['Sec-Fetch-Site: nonsense'],
  ])('%s: 403, and no permission to read', async (field) => {
    const reply = await refused(head('GET /v1/dns', 'Host: localhost', field))
    expect(reply).toMatchObject({ status: 403, problem: { code: 'cross_origin_refused' } })
    expect(reply.text.toLowerCase()).not.toContain('access-control-')
  })

  test('asks in vain for permission first', async () => {
    const asking = ['Origin: https://evil.example', 'Access-Control-Request-Method: DELETE']
    const reply = await refused(head('OPTIONS /v1/dns', 'Host: localhost', ...asking))
    expect(reply.status).toBe(403)
    expect(reply.text.toLowerCase()).not.toContain('access-control-allow')
  })

  test.each([
    'Origin: http://localhost:8080',
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Site: none',
  ])('but not of another site (%s) is served', async (field) => {
    const bytes = head('GET /v1/dns', 'Host: localhost:8080', field, 'Connection: close')
    expect((await wire(proxy.port, bytes, 2000)).text).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('a method that the API does not have', () => {
  test.each(['TRACE', 'PROPFIND', 'LOCK', 'SEARCH', 'QUERY', 'M-SEARCH'])(
    '%s: 405',
    async (method) => {
      const reply = await refused(head(`${method} /v1/dns`, 'Host: localhost', 'Max-Forwards: 0'))
      expect(reply).toMatchObject({ status: 405, problem: { code: 'method_not_allowed' } })
      expect(reply.fields['allow']).toBe('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
    },
  )

  test('CONNECT opens no tunnel: 405', async () => {
    const reply = await refused(head('CONNECT 127.0.0.1:1', 'Host: 127.0.0.1:1'))
    expect(reply).toMatchObject({ status: 405, problem: { code: 'method_not_allowed' } })
  })

  test('OPTIONS * is about this proxy, and is not forwarded', async () => {
    expect((await refused(head('OPTIONS *', 'Host: localhost'))).status).toBe(405)
  })

  test.each(['get', 'FOO'])('%s is no HTTP to the parser: 400', async (method) => {
    expect((await refused(head(`${method} /v1/dns`, 'Host: localhost'))).status).toBe(400)
  })
})

describe('a head that two readers could understand differently', () => {
  const post = (...fields: string[]) => head('POST /v1/dns', 'Host: localhost', ...fields)
  test.each([
    ['a length and chunks', `${post('Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
    ['two lengths', `${post('Content-Length: 1', 'Content-Length: 1')}x`],
    ['a list of lengths', `${post('Content-Length: 1, 1')}x`],
    ['a signed length', `${post('Content-Length: +1')}x`],
    ['another coding', `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`],
    [
      'chunked twice',
      `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    ],
    [
      'chunked in HTTP/1.0',
      'POST /v1/dns HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a bare line feed', 'GET /v1/dns HTTP/1.1\nHost: localhost\n\n'],
    ['a NUL', head('GET /v1/dns', 'Host: localhost', 'X-A: a\0b')],
    ['a folded field', 'GET /v1/dns HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n  2\r\n\r\n'],
    ['a space before the colon', head('GET /v1/dns', 'Host: localhost', 'Content-Length : 0')],
    ['two content types', post('Content-Type: a/b', 'Content-Type: a/c', 'Content-Length: 0')],
    ['two keys', head('GET /v1/dns', 'Host: localhost', 'X-Api-Key: a', 'X-Api-Key: b')],
  ])('%s: 400, and the connection ends', async (_what, bytes) => {
    const reply = await refused(bytes)
    expect(reply).toMatchObject({ status: 400, problem: { code: 'bad_request' } })
    expect(reply.fields['connection']).toBe('close')
  })

  test('an expectation that is unknown: 417', async () => {
    const reply = await refused(head('GET /v1/dns', 'Host: localhost', 'Expect: the-unexpected'))
    expect(reply).toMatchObject({ status: 417, problem: { code: 'expectation_failed' } })
  })

  test('a head over limits.header_size: 431', async () => {
    const reply = await refused(
      head('GET /v1/dns', 'Host: localhost', `X-A: ${'x'.repeat(40_000)}`),
    )
    expect(reply).toMatchObject({ status: 431, problem: { code: 'header_too_large' } })
  })

  test('its own name in Via: 508, for the request goes in a circle', async () => {
    await send(proxy.port)
    const fields = upstream.requests.at(-1)?.fields ?? []
    const via = fields[fields.indexOf('Via') + 1] ?? ''
    expect(via).toMatch(/^1\.1 opusdns-auth-proxy-/)
    const reply = await refused(head('GET /v1/dns', 'Host: localhost', `Via: ${via}`))
    expect(reply).toMatchObject({ status: 508, problem: { code: 'loop_detected' } })
  })
})

describe('an operation that is blocked by default', () => {
  const BLOCKED = [
    ['auth', 'GET /v1/auth/client_credentials'],
    ['auth', 'POST /v1/auth/client_credentials'],
    ['auth', 'POST /v1/auth/signup'],
    ['auth', 'DELETE /v1/auth/client_credentials/opk_1'],
    ['identity', 'POST /v1/users'],
    ['identity', 'PUT /v1/users/user_1/role'],
    ['identity', 'PATCH /v1/organizations/organization_1'],
    ['identity', 'POST /v1/organizations/ip-restrictions'],
    ['transfer_codes', 'POST /v1/domains/tld-specific/eu/example.eu/auth_code/request'],
    ['request_history', 'GET /v1/archive/request-history?page=1'],
  ] as const

  test.each(BLOCKED)('(%s) %s: 403 that tells how to allow it', async (group, line) => {
    const reply = await refused(head(line, 'Host: localhost', 'Content-Length: 0'))
    expect(reply).toMatchObject({ status: 403, problem: { code: 'blocked_by_default' } })
    expect(reply.problem['detail']).toContain(`list ${group} under policy.allow`)
  })

  test('passes when its group is allowed, and no other group does', async () => {
    const open = await localProxy({
      base: upstream.origin,
      config: 'policy: { allow: [auth, request_history] }',
    })
    try {
      for (const [group, line] of BLOCKED) {
        const bytes = head(line, 'Host: localhost', 'Content-Length: 0')
        if (group === 'auth' || group === 'request_history') {
          const before = upstream.requests.length
          const reply = await wire(
            open.port,
            bytes.replace(/\r\n$/, 'Connection: close\r\n\r\n'),
            2000,
          )
          expect(reply.text, line).toMatch(/^HTTP\/1\.1 200 /)
          expect(upstream.requests.length).toBe(before + 1)
        } else {
          expect((await refused(bytes, open.port)).status, line).toBe(403)
        }
      }
    } finally {
      await open.stop()
    }
  })

  test('is answered here for POST /v1/auth/token, also when auth is allowed', async () => {
    const open = await localProxy({ base: upstream.origin, config: 'policy: { allow: [auth] }' })
    const before = upstream.requests.length
    try {
      for (const { port } of [proxy, open]) {
        const reply = await send(port, {
          method: 'POST',
          path: '/v1/auth/token',
          headers: ['Content-Type', 'application/x-www-form-urlencoded'],
          body: 'grant_type=client_credentials&client_id=any&client_secret=any',
        })
        expect(reply.status).toBe(200)
        expect(JSON.parse(reply.text)).toEqual({
          access_token: expect.stringMatching(/^opxt_[\w-]{32}$/),
          token_type: 'Bearer',
          expires_in: 3600,
        })
      }
      expect(upstream.requests.length).toBe(before)
    } finally {
      await open.stop()
    }
  })
})

describe('a token that this proxy issued', () => {
  test('serves until it is unknown; then 401 says so, and placeholders never matter', async () => {
    const login = await send(proxy.port, {
      method: 'POST',
      path: '/v1/auth/token',
      headers: ['Content-Type', 'application/json'],
      body: '{"grant_type":"client_credentials","client_id":"a","client_secret":"b"}',
    })
    const { access_token: token } = JSON.parse(login.text) as { access_token: string }
    for (const value of [`Bearer ${token}`, 'Bearer placeholder', 'Basic YTpi']) {
      expect((await send(proxy.port, { headers: ['Authorization', value] })).status).toBe(200)
      expect(upstream.requests.at(-1)?.fields.join()).not.toContain(value)
    }
    const reply = await refused(
      head('GET /v1/dns', 'Host: localhost', 'Authorization: Bearer opxt_expired'),
    )
    expect(reply).toMatchObject({ status: 401, problem: { code: 'invalid_token' } })
    expect(reply.fields['www-authenticate']).toBe('Bearer error="invalid_token"')
  })
})

describe('log and metrics', () => {
  test('say which part answered: policy, proxy, token, upstream', async () => {
    await refused(head('GET /v1/auth/x', 'Host: localhost', 'X-Request-Id: by-policy'))
    await refused(head('GET /nowhere', 'Host: localhost', 'X-Request-Id: by-proxy'))
    await send(proxy.port, { headers: ['X-Request-Id', 'by-upstream'] })
    const sources = { policy: '403', proxy: '404', upstream: '200' }
    for (const [source, code] of Object.entries(sources)) {
      const line = await proxy.accessLine((it) => it['id'] === `by-${source}`)
      expect(line).toMatchObject({ source, status: Number(code), consumer: expect.any(String) })
      await eventually(async () => (await proxy.metric('requests_total', { source, code })) >= 1)
    }
    expect(await proxy.metric('policy_decisions_total', { decision: 'deny' })).toBeGreaterThan(5)
  })

  test('say token where none can be had, and nothing is forwarded bare', async () => {
    const before = upstream.requests.length
    upstream.script = ({ socket }) => socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n')
    const tokenless = await localProxy({ base: upstream.origin, credential: 'oauth' })
    try {
      const reply = await send(tokenless.port, { headers: ['X-Request-Id', 'by-token'] })
      expect(reply.status).toBe(503)
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'token_unavailable' })
      expect(reply.rawHeaders).toContain('Retry-After')
      expect(await tokenless.accessLine((it) => it['id'] === 'by-token')).toMatchObject({
        source: 'token',
        status: 503,
      })
      const seen = upstream.requests.slice(before).map(({ target }) => target)
      expect(new Set(seen)).toEqual(new Set(['/v1/auth/token']))
    } finally {
      await tokenless.stop()
    }
  })

  test('never hold a query, and name an unknown path by no label of its own', async () => {
    upstream.script = ({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    const path = '/v1/contacts/verify?token=visible-secret'
    await send(proxy.port, { path, headers: ['X-Request-Id', 'with-token'] })
    await send(proxy.port, { path: '/v1/some/unknown/path', headers: ['X-Request-Id', 'unknown'] })
    expect(await proxy.accessLine((it) => it['id'] === 'with-token')).toMatchObject({
      operation: '/v1/contacts/verify',
    })
    expect(await proxy.accessLine((it) => it['id'] === 'unknown')).toMatchObject({
      operation: 'unknown',
    })
    expect(JSON.stringify(proxy.lines)).not.toContain('visible-secret')
    const page = await (await fetch(`${proxy.adminOrigin}/metrics`)).text()
    expect(page).not.toContain('visible-secret')
    expect(page).not.toContain('some/unknown')
  })
})
