// A consumer of some zones asks for lists: it sees its own, in correct pages, and nothing of the others.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { page as pageOf } from '../opusdns/pages.ts'
import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { httpClient } from '../support/http-client.ts'
import type { HttpClient } from '../support/http-client.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'

const OTHERS = 2200

let simulator: Simulator
let proxy: Gateway
let client: HttpClient

beforeAll(async () => {
  simulator = await startSimulator()
  const direct = httpClient(simulator.origin, { connections: 8 })
  const create = (name: string) =>
    direct.send({
      method: 'POST',
      path: '/v1/dns',
      headers: { 'X-Api-Key': SEED_KEY.key, 'Content-Type': 'application/json' },
      body: JSON.stringify({ name }),
    })
  const names = Array.from({ length: OTHERS }, (_, at) => `other-${at}.example`)
  await Promise.all([...names, 'a.mine.example', 'm.mine.example', 'z.mine.example'].map(create))
  direct.close()
  proxy = await gateway({
    base: simulator.origin,
    consumers: {
      some: 'grants: [dns: { zones: ["*.mine.example", Example.COM] }]',
      none: 'grants: [acme: [nowhere.example]]',
      all: 'grants: [dns: { zones: ["*"] }]',
      domains: 'grants: [{"domains:read": [example.net]}]',
      trial: 'mode: report, grants: [acme: [example.com]]',
    },
  })
  client = httpClient(`http://127.0.0.1:${proxy.port}`)
})
afterAll(async () => {
  client.close()
  await proxy.stop()
  await simulator.close()
})

interface List {
  readonly results: readonly { readonly name: string }[]
  readonly pagination: Readonly<Record<string, number | boolean>>
}

async function list(consumer: string, path: string) {
  const { status, headers, body } = await client.get(path, {
    'X-Api-Key': proxy.keys[consumer] ?? '',
    'Accept-Encoding': 'gzip',
  })
  const text = body.toString()
  const parsed = JSON.parse(text) as List
  return { status, headers, text, ...parsed, names: parsed.results?.map(({ name }) => name) }
}

describe('a list of zones', () => {
  const MINE = ['a.mine.example.', 'example.com.', 'm.mine.example.', 'z.mine.example.']

  test('shows the zones of a consumer, in the order of OpusDNS', async () => {
    const { status, names, pagination, text, headers } = await list('some', '/v1/dns')
    expect([status, names]).toEqual([200, MINE])
    expect(pagination).toEqual({
      total_pages: 1,
      total_items: 4,
      current_page: 1,
      page_size: 10,
      has_next_page: false,
      has_previous_page: false,
    })
    expect(text).not.toContain('other-')
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)))
    expect(headers['cache-control']).toBe('no-store')
  })

  test.each([1, 2, 3, 4, 1000])('is paged anew, %i a page', async (size) => {
    const all: string[] = []
    for (let page = 1; ; page++) {
      const shown = await list('some', `/v1/dns?page_size=${size}&page=${page}`)
      expect(shown.pagination).toMatchObject({
        total_items: 4,
        total_pages: Math.ceil(4 / size),
        current_page: page,
        has_previous_page: page > 1,
      })
      all.push(...shown.names)
      if (shown.pagination['has_next_page'] === false) break
    }
    expect(all).toEqual(MINE)
  })

  test('keeps what the client filters by', async () => {
    const { names } = await list('some', '/v1/dns?search=mine&page_size=2&page=2')
    expect(names).toEqual(['z.mine.example.'])
  })

  test('is empty for who has none of them, and says nothing of the others', async () => {
    const { names, pagination, text } = await list('none', '/v1/dns?page_size=1000')
    expect([names, pagination['total_items'], pagination['total_pages']]).toEqual([[], 0, 0])
    expect(text).not.toContain('example')
  })

  test('goes through as it is for who may see all', async () => {
    const before = simulator.requests.length
    const { pagination } = await list('all', '/v1/dns?page_size=7')
    expect(pagination).toMatchObject({ page_size: 7, total_items: OTHERS + 7 })
    expect(simulator.requests.slice(before).map(({ target }) => target)).toEqual([
      '/v1/dns?page_size=7',
    ])
  })

  test('goes through in a trial, which is told', async () => {
    const { pagination } = await list('trial', '/v1/dns')
    expect(pagination['total_items']).toBe(OTHERS + 7)
  })

  test.each([
    'page_size=0',
    'page_size=1001',
    'page=0',
    'page=x',
    'page_size=1e1',
    'page_size=%2B5',
  ])('shows nothing for a bad page: %s', async (query) => {
    const { status, text } = await list('some', `/v1/dns?${query}`)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(text).not.toContain('other-')
  })

  test.each([
    'page=1&page=2&page_size=2',
    'p%61ge=2&page_size=2',
    'page_size=1000&page_size=2&page=2',
  ])('takes the last of several pages, however its name is written: %s', async (query) => {
    const { names } = await list('some', `/v1/dns?${query}`)
    expect(names).toEqual(MINE.slice(2))
  })
})

test('a list of domains shows those that are granted', async () => {
  const { names, pagination } = await list('domains', '/v1/domains')
  expect([names, pagination['total_items']]).toEqual([['example.net'], 1])
})

describe.each(['/v1/domain-forwards', '/v1/email-forwards'])('the list %s', (path) => {
  const HOSTS = ['a.other.example', 'Example.com', 'www.example.com.', '*.app.example.com'].concat(
    Array.from({ length: 1500 }, (_, at) => `h${at}.other.example`),
    ['deep.app.example.com', 'app.example.com', 'example.com.evil.example'],
  )
  const elements = HOSTS.map((hostname) => ({ hostname, target: `${hostname.slice(0, 5)}-target` }))

  let upstream: RawUpstream
  let other: Gateway
  let there: HttpClient
  beforeAll(async () => {
    upstream = await rawUpstream()
    upstream.script = ({ target, socket }) => {
      const { body = Buffer.alloc(0) } = pageOf(
        elements,
        new URL(target, upstream.origin).searchParams,
      )
      socket.write(plainReply(Buffer.isBuffer(body) ? body.toString() : ''))
    }
    other = await gateway({
      base: upstream.origin,
      consumers: {
        forwards: 'grants: [forwards: [example.com, "*.example.com"]]',
        two: 'grants: [{ forwards: [example.com] }, { forwards: [app.example.com] }]',
        zones: 'grants: [dns: { zones: [example.com] }]',
      },
    })
    there = httpClient(`http://127.0.0.1:${other.port}`)
  })
  afterAll(async () => {
    there.close()
    await other.stop()
    await upstream.close()
  })

  async function shown(consumer: string, query: string) {
    const headers = { 'X-Api-Key': other.keys[consumer] ?? '' }
    const { status, body } = await there.get(`${path}${query}`, headers)
    const text = body.toString()
    if (status !== 200) return { status, text, hosts: [], total: undefined }
    const { results, pagination } = JSON.parse(text) as {
      results: { hostname: string }[]
      pagination: Record<string, unknown>
    }
    const hosts = results.map(({ hostname }) => hostname)
    return { status, text, hosts, total: pagination['total_items'] }
  }
  const OWN = [...HOSTS.slice(1, 4), 'deep.app.example.com', 'app.example.com']

  test('shows the hosts of a consumer, in pages of its own', async () => {
    const first = await shown('forwards', '?page_size=3')
    expect([first.hosts, first.total]).toEqual([OWN.slice(0, 3), 5])
    const second = await shown('forwards', '?page_size=3&page=2')
    expect([second.hosts, second.total]).toEqual([OWN.slice(3), 5])
    expect(first.text + second.text).not.toContain('other')
    expect((await shown('two', '')).hosts).toEqual(['Example.com', 'app.example.com'])
  })

  test('is searched by the proxy, in hosts and in where they lead', async () => {
    expect((await shown('forwards', '?search=WWW')).hosts).toEqual(['www.example.com.'])
    expect((await shown('forwards', '?search=deep.-target')).hosts).toEqual([OWN[3]])
    expect((await shown('forwards', '?search=other')).hosts).toEqual([])
    expect(upstream.requests.filter(({ target }) => target.includes('search'))).toEqual([])
  })

  test('is nothing for who has zones alone', async () => {
    expect((await shown('zones', '')).status).toBe(403)
  })
})

describe('an upstream that answers otherwise', () => {
  const PAGE = (results: string, more = '') =>
    `{"results":${results},"pagination":{"total_items":1,"total_pages":1,"current_page":1,"page_size":1000,"has_next_page":false,"has_previous_page":false}${more}}`

  test.each([
    ['no JSON', '<html>foreign.example</html>'],
    ['no list', '{"items":[{"name":"foreign.example"}]}'],
    ['two lists', PAGE('[]', ',"results":[{"name":"foreign.example"}]')],
    ['a name that stands there twice', PAGE('[{"name":"example.com","name":"foreign.example"}]')],
    ['a name that is none', PAGE('[{"name":["foreign.example"]}]')],
    [
      'another page',
      PAGE('[{"name":"foreign.example"}]').replace('"current_page":1', '"current_page":2'),
    ],
  ])('shows nothing foreign: %s', async (_what, body) => {
    const upstream = await rawUpstream()
    upstream.script = ({ socket }) =>
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      )
    const other = await gateway({
      base: upstream.origin,
      consumers: { acme: 'grants: [acme: [example.com]]' },
    })
    const there = httpClient(`http://127.0.0.1:${other.port}`)
    const reply = await there.get('/v1/dns', { 'X-Api-Key': other.keys['acme'] ?? '' })
    there.close()
    await other.stop()
    await upstream.close()
    expect(reply.body.toString()).not.toContain('foreign')
    expect([200, 502]).toContain(reply.status)
  })
})
