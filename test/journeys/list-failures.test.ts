// What a consumer gets whose list is filtered when OpusDNS fails, or the list is like no other: its own
// elements, or an error; never a part that looks whole, and never anything foreign.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { SEED_CLIENT, SEED_KEY } from '../opusdns/seed.ts'
import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawRequest, RawUpstream } from '../support/raw-upstream.ts'
import { open, send, valuesOf } from '../support/wire-client.ts'

let upstream: RawUpstream
let proxy: Gateway

beforeEach(async () => {
  upstream = await rawUpstream()
  proxy = await gateway({
    base: upstream.origin,
    consumers: {
      acme: 'grants: [acme: [mine.example, xn--bcher-kva.example]]',
      domains: 'grants: [{ "domains:read": [mine.example] }]',
    },
  })
})
afterEach(async () => {
  await proxy.stop()
  await upstream.close()
})

const pageOf = ({ target }: RawRequest) => Number(/[?&]page=(\d+)/.exec(target)?.[1])
const targets = () => upstream.requests.map(({ target }) => target)

interface Shown {
  readonly elements: readonly string[]
  readonly total?: number
  readonly pages?: number
}

/** Bytes of page `page` of a list. */
function listed(page: number, { elements, total = 3, pages = 3 }: Shown): string {
  const more = page < pages
  const body = `{"results": [${elements.join(' , ')}], "pagination": {"total_pages":${pages},"total_items":${total},"current_page":${page},"page_size":1000,"has_next_page":${more},"has_previous_page":${page > 1}}}`
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "x"\r\nX-Server-Request-Id: up-${page}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

const FOREIGN = '{"name":"foreign.example."}'
const MINE = '{"name": "mine.example.", "n": 1.50, "t": "\\u00e9é"}'

/** Three pages: a foreign zone, ours, a foreign one. `at` may answer a page otherwise. */
function threePages(at: (page: number, request: RawRequest) => string | undefined): void {
  upstream.script = (request) => {
    const page = pageOf(request)
    const bytes = at(page, request) ?? listed(page, { elements: [page === 2 ? MINE : FOREIGN] })
    if (bytes !== '') request.socket.write(bytes)
  }
}

const ask = (path = '/v1/dns', headers: readonly string[] = [], method = 'GET') =>
  send(proxy.port, {
    method,
    path,
    headers: [
      'X-Api-Key',
      proxy.keys[path.startsWith('/v1/domains') ? 'domains' : 'acme'] ?? '',
      ...headers,
    ],
  })

describe('a list on several pages', () => {
  test('is read page by page, and answered with the bytes of its elements', async () => {
    threePages(() => undefined)
    const reply = await ask('/v1/dns?sort_by=name&search=%6Dine&page_size=5&tag_ids=a&tag_ids=b', [
      'If-None-Match',
      '"x"',
      'Accept-Encoding',
      'gzip',
      'Range',
      'bytes=0-9',
    ])
    expect(reply.status).toBe(200)
    expect(reply.text).toBe(
      `{"results":[${MINE}],"pagination":{"total_pages":1,"total_items":1,"current_page":1,"page_size":5,"has_next_page":false,"has_previous_page":false}}`,
    )
    expect(targets()).toEqual(
      [1, 2, 3].map(
        (page) => `/v1/dns?sort_by=name&tag_ids=a&tag_ids=b&page=${page}&page_size=1000`,
      ),
    )
    for (const { fields } of upstream.requests) {
      expect(valuesOf(fields, 'accept-encoding')).toEqual(['identity'])
      expect(valuesOf(fields, 'if-none-match')).toEqual([])
      expect(valuesOf(fields, 'range')).toEqual([])
      expect(valuesOf(fields, 'x-api-key')).toEqual([SEED_KEY.key])
    }
    expect(valuesOf(reply.rawHeaders, 'x-server-request-id')).toEqual(['up-3'])
    expect(valuesOf(reply.rawHeaders, 'etag')).toEqual([])
    expect(valuesOf(reply.rawHeaders, 'content-length')).toEqual([String(reply.body.length)])
    const line = await proxy.accessLine(({ path }) => path === '/v1/dns')
    expect(line).toMatchObject({ status: 200, source: 'upstream', attempts: 3, consumer: 'acme' })
  })

  test('is asked for without the names that the client looks for, but its own', async () => {
    threePages(() => undefined)
    const looked = await ask(
      '/v1/dns?search=foreign&n%61me=foreign.example&suffix=foreign.example.&sort_by=name&sld=foreign&tld=example&tld=org',
    )
    expect([looked.status, JSON.parse(looked.text)['results']]).toEqual([200, []])
    expect(targets()[0]).toBe('/v1/dns?sort_by=name&page=1&page_size=1000')
    await ask('/v1/dns?name=B%C3%BCcher.example&search=foreign')
    expect(targets()[3]).toBe('/v1/dns?name=B%C3%BCcher.example&page=1&page_size=1000')
  })

  test.each([
    ['name=mine', 1],
    ['name=MINE.example.', 1],
    ['name=mine.example.org', 0],
    ['search=mine.ex', 1],
    ['search=ine&suffix=.example.', 1],
    ['search=ine&suffix=mine', 0],
    ['search=x&search=', 1],
    ['sld=Mine', 1],
    ['sld=min', 0],
    ['tld=EXAMPLE', 1],
    ['tld=org&tld=.example&tld=com', 1],
    ['tld=org&tld=com', 0],
    ['tld=xample', 0],
    ['t%6Cd=example&sld=mine', 1],
    ['tld=', 0],
  ])('is searched by the proxy: %s', async (query, found) => {
    threePages(() => undefined)
    const reply = await ask(`/v1/dns?${query}`)
    expect(JSON.parse(reply.text)['pagination']['total_items']).toBe(found)
  })

  test.each(['search=%ff', 'page=0', 'page_size=1001'])(
    'is not asked for with %s',
    async (query) => {
      const reply = await ask(`/v1/dns?${query}`)
      expect([reply.status, JSON.parse(reply.text)['code']]).toEqual([400, 'bad_request'])
      expect(targets()).toEqual([])
    },
  )

  test('HEAD tells nothing of it, and does not reach OpusDNS', async () => {
    const reply = await ask('/v1/dns', [], 'HEAD')
    expect(reply.status).toBe(404)
    expect(targets()).toEqual([])
  })

  test.each([
    ['429', 'HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}', 503, '7'],
    ['500', 'HTTP/1.1 500 No\r\nContent-Length: 7\r\n\r\nforeign', 503, '1'],
    ['304', 'HTTP/1.1 304 Same\r\n\r\n', 503, '1'],
    ['another page', listed(1, { elements: [FOREIGN] }), 502, undefined],
    [
      'a compressed page',
      listed(2, { elements: [MINE] }).replace('ETag: "x"', 'Content-Encoding: gzip'),
      502,
      undefined,
    ],
  ])('is not shown when its second page is %s', async (_what, bytes, status, retryAfter) => {
    threePages((page) => (page === 2 ? bytes : undefined))
    const reply = await ask()
    expect(reply.status).toBe(status)
    expect(reply.text).not.toContain('foreign')
    expect(reply.text).not.toContain('mine')
    expect(valuesOf(reply.rawHeaders, 'retry-after')).toEqual(retryAfter ? [retryAfter] : [])
    expect(valuesOf(reply.rawHeaders, 'proxy-status')).toHaveLength(1)
  })

  test.each([
    ['hours', '20000', 20_000, 20_000],
    ['a date', new Date(Date.now() + 600_000).toUTCString(), 540, 600],
    ['a date that is over', new Date(0).toUTCString(), 1, 1],
    ['for ever', '9'.repeat(400), 86_400, 86_400],
    ['nothing that is understood', 'soon', 1, 1],
  ])('tells what its second page says of waiting: %s', async (_what, wait, least, most) => {
    const refusal = `HTTP/1.1 429 Slow\r\nRetry-After: ${wait}\r\nContent-Length: 2\r\n\r\n{}`
    threePages((page) => (page === 2 ? refusal : undefined))
    const reply = await ask()
    expect([reply.status, JSON.parse(reply.text)['code']]).toEqual([503, 'list_incomplete'])
    const told = Number(valuesOf(reply.rawHeaders, 'retry-after')[0])
    expect(told).toBeGreaterThanOrEqual(least)
    expect(told).toBeLessThanOrEqual(most)
  })

  test('whose second page is cut off is not shown', async () => {
    threePages((page, { socket }) => {
      if (page !== 2) return undefined
      socket.end(listed(2, { elements: [MINE] }).slice(0, -10))
      return ''
    })
    const reply = await ask()
    expect([reply.status, JSON.parse(reply.text)['code']]).toEqual([502, 'upstream_terminated'])
  })

  test('that is answered with an error at once passes that on', async () => {
    upstream.script = ({ socket }) =>
      socket.write(
        'HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nX-Server-Request-Id: up\r\nContent-Length: 5\r\n\r\nwords',
      )
    const reply = await ask()
    expect([reply.status, reply.text]).toEqual([429, 'words'])
    expect(valuesOf(reply.rawHeaders, 'retry-after')).toEqual(['7'])
    expect(valuesOf(reply.rawHeaders, 'proxy-status')).toEqual([])
  })

  test('that never ends is refused after 200 pages', async () => {
    threePages((page) => listed(page, { elements: [MINE], pages: 1e6, total: 1e6 }))
    const reply = await ask()
    expect([reply.status, JSON.parse(reply.text)['code']]).toEqual([422, 'list_too_large'])
    expect(targets()).toHaveLength(200)
  })

  test('is not read on when the client leaves', async () => {
    const held: RawRequest[] = []
    threePages((page, request) => {
      if (page !== 2) return undefined
      held.push(request)
      return ''
    })
    const call = open(proxy.port, { headers: ['X-Api-Key', proxy.keys['acme'] ?? ''] })
    call.on('error', () => undefined)
    call.end()
    await eventually(() => held.length === 1)
    call.destroy()
    await held[0]?.gone
    const line = await proxy.accessLine(({ path }) => path === '/v1/dns')
    expect(line).toMatchObject({ status: 499, complete: false })
    expect(targets()).toHaveLength(2)
    // Its place among the lists that are read at once is free again.
    threePages(() => undefined)
    for (let at = 0; at < 5; at += 1) {
      expect((await ask()).status).toBe(200)
    }
  })

  test('is read for many at once, a few at a time', async () => {
    threePages(() => undefined)
    const replies = await Promise.all(Array.from({ length: 20 }, () => ask()))
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(new Set(replies.map(({ text }) => text)).size).toBe(1)
  })
})

describe('an element', () => {
  test.each([
    ['{"name":"mine.example.","name":"foreign.example."}', 0],
    ['{"name":"foreign.example.","name":"mine.example."}', 0],
    ['{"name":"foreign.example.","n\\u0061me":"mine.example."}', 0],
    ['{"name":["mine.example."]}', 0],
    ['{"zone_name":"mine.example."}', 0],
    ['["mine.example."]', 0],
    ['"mine.example."', 0],
    ['null', 0],
    ['{"name":"sub.mine.example."}', 0],
    ['{"name":"mine.example.\\u0000"}', 0],
    ['{"name":"mine.example.."}', 0],
    ['{"name":"MINE.example"}', 1],
    ['{"name":"bücher.example"}', 1],
    ['{"name":"xn--bcher-kva.example."}', 1],
    ['{"name":"mine.example.","x":"],{\\"name\\":\\"y\\"}"}', 1],
  ])('is shown only if its name is ours beyond doubt: %s', async (element, shown) => {
    upstream.script = ({ socket }) =>
      socket.write(listed(1, { elements: [FOREIGN, element, FOREIGN], pages: 1 }))
    const reply = await ask()
    expect(reply.status).toBe(200)
    expect(JSON.parse(reply.text)['pagination']['total_items']).toBe(shown)
    expect(reply.text).not.toContain('foreign')
    if (shown === 1) expect(reply.text).toContain(`[${element}]`)
  })

  test('of the list of domains shows no transfer code', async () => {
    const element = '{"auth_code":"Xy-17","name":"mine.example"}'
    upstream.script = ({ socket }) => socket.write(listed(1, { elements: [element], pages: 1 }))
    const reply = await ask('/v1/domains')
    expect(reply.text).toContain('[{"auth_code":"*****","name":"mine.example"}]')
  })

  test('that shows the credential of the proxy does not', async () => {
    const element = `{"name":"mine.example","note":"${SEED_KEY.key}"}`
    upstream.script = ({ socket }) => socket.write(listed(1, { elements: [element], pages: 1 }))
    const reply = await ask()
    expect(reply.status).toBe(200)
    expect(reply.text).not.toContain(SEED_KEY.key.slice(8, 40))
  })
})

test.each(['/v1/dns/domain-forwards', '/v1/dns/email-forwards'])(
  'the forwards of zones are shown by the name of their zone: %s',
  async (path) => {
    const element = '{"zone_name":"mine.example","name":"foreign.example"}'
    const foreign = '{"zone_name":"foreign.example","name":"mine.example"}'
    const dns = await gateway({
      base: upstream.origin,
      consumers: { zones: 'grants: [dns: { zones: [mine.example] }]' },
    })
    upstream.script = ({ socket }) =>
      socket.write(listed(1, { elements: [foreign, element], pages: 1 }))
    const reply = await send(dns.port, { path, headers: ['X-Api-Key', dns.keys['zones'] ?? ''] })
    await dns.stop()
    expect(reply.text).toContain(`"results":[${element}]`)
  },
)

test('a token that was revoked in the middle of a list costs one more request', async () => {
  const front = await rawUpstream()
  let revoked = false
  let answered401 = 0
  front.script = ({ socket, target, fields }) => {
    if (target === '/v1/auth/token') {
      const body = `{"access_token":"token-${revoked ? 'two' : 'one'}-0123456789","token_type":"Bearer","expires_in":3600}`
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      return
    }
    const page = Number(/[?&]page=(\d+)/.exec(target)?.[1])
    if (page === 2) revoked = true
    if (revoked && valuesOf(fields, 'authorization')[0]?.includes('one')) {
      answered401 += 1
      socket.write('HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}')
      return
    }
    socket.write(listed(page, { elements: [page === 2 ? MINE : FOREIGN] }))
  }
  const mine = await localProxy({
    base: front.origin,
    credential: {
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
    },
    config: 'consumers: { zones: { anonymous: true, grants: [acme: [mine.example]] } }',
  })
  const reply = await send(mine.port, { path: '/v1/dns' })
  await mine.stop()
  await front.close()
  expect(reply.status).toBe(200)
  expect(reply.text).toContain(`"results":[${MINE}]`)
  expect(answered401).toBe(1)
})
