// INTERMEDIARY rules 13 to 16: what is taken out of a head, what is added, and what passes as it is.

import { describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { localProxy } from '../support/local-proxy.ts'
import { reply, values } from './recorder.ts'
import { BEHIND, get, head, post, rulesKit } from './support.ts'
import type { Outcome } from './support.ts'

const kit = rulesKit()
const BYTES = Array.from({ length: 128 }, (_, at) => String.fromCharCode(0x80 + at)).join('')

/** What the client gets when the upstream answers with these bytes. */
async function answered(bytes: string, request = get('/v1/x')): Promise<Outcome> {
  const usual = kit.upstream.respond
  kit.upstream.respond = () => bytes
  try {
    return await kit.exchange(request, { replies: 1 })
  } finally {
    kit.upstream.respond = usual
  }
}

describe('rule 13: fields of one hop, in requests', () => {
  test.each([
    ['Keep-Alive: timeout=5', 'keep-alive'],
    ['Proxy-Connection: keep-alive', 'proxy-connection'],
    ['Proxy-Authorization: Basic Zm9vOmJhcg==', 'proxy-authorization'],
    ['Proxy-Authenticate: Basic', 'proxy-authenticate'],
    ['TE: gzip;q=0.5', 'te'],
    ['TE: trailers', 'te'],
    ['Trailer: X-T', 'trailer'],
    ['Upgrade: h2c', 'upgrade'],
    ['HTTP2-Settings: AAMAAABk', 'http2-settings'],
    ['pRoXy-CoNnEcTiOn: x', 'proxy-connection'],
  ])('rule 13: %s goes no further, named or not', async (field, name) => {
    for (const fields of [[field], [field, `Connection: ${name}`]]) {
      const request = await kit.served(get('/v1/x', ...fields))
      expect(values(request.fields, name)).toEqual([])
    }
  })

  test.each([
    'X-Foo',
    'close, X-Foo',
    'X-Foo, close',
    'keep-alive, X-Foo',
    'x-foo',
    ' X-FOO ',
    ',X-Foo,',
    ', , X-Foo',
    'X-Bar,X-Foo\t,X-Baz',
    'X-Foo, X-Foo',
  ])('rule 13: what Connection names (%j) goes no further', async (value) => {
    const request = await kit.served(get('/v1/x', 'X-Foo: 1', `Connection: ${value}`, 'x-foo: 2'))
    expect(values(request.fields, 'x-foo')).toEqual([])
  })

  test('rule 13: also in several lines of it, before and behind', async () => {
    const fields = [
      'Connection: X-A',
      'X-A: 1',
      'X-B: 2',
      'X-C: 3',
      'Connection: close',
      'Connection: X-B',
    ]
    const request = await kit.served(get('/v1/x', ...fields))
    expect(request.head).not.toMatch(/^x-[ab]:/im)
    expect(values(request.fields, 'x-c')).toEqual(['3'])
  })

  test.each([
    'close',
    'close, close',
    'Close',
    'close\r\nConnection: close',
    ',',
    '',
    '"x"',
    'x y',
    '@',
    'a;b',
  ])('rule 13: odd values of Connection (%j) harm nobody', async (value) => {
    expect((await kit.served(get('/v1/x', `Connection: ${value}`))).target).toBe('/v1/x')
  })

  test.each([
    'x-api-key',
    'X-API-KEY, host',
    'host',
    'authorization',
    'content-length',
    'content-type',
    'via',
    'x-request-id',
    'transfer-encoding',
    'connection',
    'date',
    'x-api-key, authorization, host, via, x-request-id, content-length, content-type, user-agent',
  ])('rule 13: Connection: %s removes nothing that we set', async (value) => {
    const bytes = `${post('Content-Length: 5', `Connection: ${value}`, 'X-Api-Key: mine')}hello`
    const request = await kit.served(bytes)
    expect(request.body).toBe('hello')
    expect(values(request.fields, 'x-api-key')).toEqual([SEED_KEY.key])
    expect(values(request.fields, 'host')).toHaveLength(1)
    expect(values(request.fields, 'via')).toHaveLength(1)
    expect(values(request.fields, 'x-request-id')).toHaveLength(1)
  })

  test.each([
    'X-Api-Key: other',
    'X_Api_Key: other',
    'x_api-key: other',
    'X-Api_Key: other',
    'Authorization: Bearer other',
    'Cookie: session=other',
    'X-Organization-Context: other',
    'Forwarded: for=other',
    'X-Forwarded-For: other',
    'X-Forwarded-Proto: other',
    'X-Forwarded-Prefix: other',
    'X-Forwarded: other',
    'X-Real-IP: other',
    'Client-IP: other',
    'True-Client-IP: other',
    'X-Original-URL: /other',
    'X-Rewrite-URL: /other',
    'X-Original-URI: /other',
    'X-HTTP-Method-Override: other',
    'X-HTTP-Method: other',
    'X-Method-Override: other',
    'X_HTTP_Method_Override: other',
    'Proxy: http://other',
    'Host_: other',
    '_: other',
  ])('rule 13: (%s) claims what the upstream must not believe, and is dropped', async (field) => {
    const request = await kit.served(get('/v1/x', field))
    expect(request.head).not.toContain('other')
  })
})

describe('rule 13: fields of one hop, in replies', () => {
  test('rule 13: they and what Connection names reach no client', async () => {
    const { replies } = await answered(
      reply(
        '{}',
        'Connection: keep-alive, X-Foo',
        'Connection: X-Bar',
        'X-Foo: 1',
        'x-bar: 2',
        'X-Baz: 3',
        'Keep-Alive: timeout=99',
        'Proxy-Authenticate: Basic',
        'Proxy-Authorization: Basic a',
        'Proxy-Connection: close',
        'TE: trailers',
        'Trailer: X-T',
        'Upgrade: h2c',
      ),
    )
    const [one] = replies
    for (const name of [
      'X-Foo',
      'X-Bar',
      'Proxy-Authenticate',
      'Proxy-Authorization',
      'Proxy-Connection',
      'TE',
      'Trailer',
      'Upgrade',
    ]) {
      expect(one?.value(name), name).toBeUndefined()
    }
    expect(one?.value('Keep-Alive') ?? '').not.toContain('99')
    expect(one?.value('X-Baz')).toBe('3')
  })

  test('rule 13: Connection of the upstream removes nothing that frames or marks the reply', async () => {
    const named = 'Connection: content-length, via, x-request-id, content-type, date'
    const { replies } = await answered(reply('{"a":1}', named, 'Content-Type: application/json'))
    expect(replies[0]).toMatchObject({ status: 200, body: '{"a":1}', complete: true })
    for (const name of ['Via', 'X-Request-Id', 'Date'])
      expect(replies[0]?.value(name)).toBeDefined()
  })
})

describe('rule 14: Via, X-Request-Id, traceparent', () => {
  test('rule 14: Via is added both ways, behind those of others', async () => {
    const request = await kit.served(get('/v1/x', 'Via: 1.0 a, 1.1 b (comment)', 'Via: 2 c'))
    expect(values(request.fields, 'via').join(', ')).toMatch(
      /^1\.0 a, 1\.1 b \(comment\), 2 c, 1\.1 opusdns-auth-proxy-\w+$/,
    )
    const { replies } = await answered(reply('{}', 'Via: 1.1 cdn'))
    expect(replies[0]?.value('Via')).toMatch(/^1\.1 cdn, 1\.1 opusdns-auth-proxy-\w+$/)
  })

  test('rule 14: our own name in it, wherever, is a loop: 508', async () => {
    const request = await kit.served(get('/v1/x'))
    const [via = ''] = values(request.fields, 'via')
    const name = via.replace('1.1 ', '')
    for (const fields of [
      [`Via: ${via}`],
      [`Via: 1.1 a, ${via}, 1.1 b`],
      ['Via: 1.1 a', `via: ${via}`],
      [`Via: HTTP/2 ${name}`],
      [`Via: 1.0 ${name} (comment)`],
      ['Connection: via', `Via: ${via}`],
    ]) {
      await kit.denied(get('/v1/x', ...fields), 508)
    }
  })

  test.each(['a', 'A-b_c.9', 'x'.repeat(128), '01890a5d-ac96-774b-bcce-b302099a8057'])(
    'rule 14: X-Request-Id %s is kept, upstream and back',
    async (id) => {
      const { requests, replies } = await kit.exchange(get('/v1/x', `X-Request-Id: ${id}`), {
        replies: 1,
      })
      expect(values(requests[0]?.fields ?? [], 'x-request-id')).toEqual([id])
      expect(replies[0]?.value('X-Request-Id')).toBe(id)
    },
  )

  test.each([
    [[]],
    [['']],
    [['a b']],
    [['a,b']],
    [['x'.repeat(129)]],
    [['\xe9']],
    [['a/b']],
    [['"a"']],
    [['a', 'b']],
    [['a', 'a']],
  ])('rule 14: X-Request-Id %j is replaced by one of ours', async (ids) => {
    const fields = ids.map((id) => `X-Request-Id: ${id}`)
    const { requests, replies } = await kit.exchange(get('/v1/x', ...fields), { replies: 1 })
    const [id = '', ...more] = values(requests[0]?.fields ?? [], 'x-request-id')
    expect(more).toEqual([])
    expect(id).toMatch(/^[\w.-]{1,128}$/)
    expect(ids).not.toContain(id)
    expect(replies[0]?.value('X-Request-Id')).toBe(id)
  })

  test('rule 14: traceparent and tracestate pass as they are', async () => {
    const fields = [
      'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      'tracestate: a=b,c=d',
    ]
    const request = await kit.served(get('/v1/x', ...fields))
    for (const field of fields) expect(request.head).toContain(field)
  })
})

describe('rule 15: codings', () => {
  test.each(['gzip, deflate, br, zstd', 'identity', '*;q=0', ''])(
    'rule 15: Accept-Encoding: %s passes as it is',
    async (value) => {
      const request = await kit.served(get('/v1/x', `Accept-Encoding: ${value}`))
      expect(values(request.fields, 'accept-encoding')).toEqual([value])
    },
  )

  test('rule 15: a coded body passes byte for byte, both ways, even one that is no gzip at all', async () => {
    const noise = `\x1f\x8b\x08\0\r\n\r\n${BYTES}\0GET / HTTP/1.1\r\n\r\n`
    const bytes = `${post('Content-Encoding: gzip', `Content-Length: ${noise.length}`)}${noise}`
    const { requests, replies } = await answered(reply(noise, 'Content-Encoding: gzip'), bytes)
    expect(requests[0]?.body).toBe(noise)
    expect(values(requests[0]?.fields ?? [], 'content-encoding')).toEqual(['gzip'])
    expect(replies[0]?.body).toBe(noise)
    expect(replies[0]?.value('Content-Encoding')).toBe('gzip')
    expect(replies[0]?.value('Content-Length')).toBe(String(noise.length))
  })
})

describe('rule 16: values are bytes', () => {
  test('rule 16: every byte from 0x80 on passes in a value, both ways', async () => {
    const { requests, replies } = await answered(
      reply('{}', `X-Bytes: ${BYTES}`),
      get('/v1/x', `X-Bytes: ${BYTES}`),
    )
    expect(values(requests[0]?.fields ?? [], 'x-bytes')).toEqual([BYTES])
    expect(replies[0]?.value('X-Bytes')).toBe(BYTES)
  })

  test('rule 16: order, spelling and doubles pass as they are', async () => {
    const fields = ['x-ONE: 1', 'X-Two: a', 'X-Two: b', 'x-one: 3', 'Accept: a/b', 'Accept: c/d']
    const request = await kit.served(get('/v1/x', ...fields))
    expect(request.head).toContain(fields.join('\r\n'))
  })

  test('rule 16: a body passes byte for byte', async () => {
    const body = Array.from({ length: 256 }, (_, at) => String.fromCharCode(at)).join('') + BEHIND
    expect((await kit.served(`${post(`Content-Length: ${body.length}`)}${body}`)).body).toBe(body)
    expect((await answered(reply(body))).replies[0]?.body).toBe(body)
  })

  test.each(['opk_\u00e9', 'opk_a b', 'opk_\u4f60', 'opk_a\x7fb', 'opk_a\tb'])(
    'rule 16: a credential such as %j is refused at load',
    async (key) => {
      const start = localProxy({ base: kit.upstream.origin, credential: { OPUSDNS_API_KEY: key } })
      const failed = start.then((proxy) => proxy.stop())
      const problem = { place: expect.stringMatching(/OPUSDNS_API_KEY|api_key/) }
      await expect(failed).rejects.toMatchObject({ problems: [problem] })
    },
  )

  test('rule 16: HEAD keeps the fields of its reply', async () => {
    const { replies } = await answered(
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Bytes: \xe9\r\n\r\n',
      head('HEAD /v1/x', 'Host: localhost'),
    )
    expect(replies[0]?.value('X-Bytes')).toBe('\xe9')
    expect(replies[0]?.value('Content-Length')).toBe('9')
  })
})
