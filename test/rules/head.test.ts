// INTERMEDIARY rules 3, 7 (the number of fields) and 8: the head of a request, byte for byte.

import { describe, expect, test } from 'vitest'

import { values } from './recorder.ts'
import { BEHIND, get, head, post, rulesKit } from './support.ts'

const kit = rulesKit()
const CONTROLS = [...Array(32).keys(), 0x7f].filter((code) => ![0x09, 0x0a, 0x0d].includes(code))

describe('rule 3: line ends and control bytes', () => {
  test.each([
    ['LF only', 'GET /v1/x HTTP/1.1\nHost: localhost\n\n'],
    ['LF behind the request line', 'GET /v1/x HTTP/1.1\nHost: localhost\r\n\r\n'],
    ['LF behind a field', 'GET /v1/x HTTP/1.1\r\nHost: localhost\nX-A: 1\r\n\r\n'],
    ['LF behind the last field', 'GET /v1/x HTTP/1.1\r\nHost: localhost\n\r\n'],
    ['LF for the empty line', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\n'],
    ['LF LF for the end', 'GET /v1/x HTTP/1.1\r\nHost: localhost\n\n'],
    ['LF that hides a length', post('X-A: 1\nContent-Length: 45')],
    ['LF in front of a folded field', get('/v1/x', 'X-A: 1\n X-B: 2')],
    ['CR only', 'GET /v1/x HTTP/1.1\rHost: localhost\r\r'],
    ['CR behind the request line', 'GET /v1/x HTTP/1.1\rHost: localhost\r\n\r\n'],
    ['CR behind a field', get('/v1/x', 'X-A: 1\rX-B: 2')],
    ['CR in a value', get('/v1/x', 'X-A: a\rb')],
    ['CR at the end of a value', get('/v1/x', 'X-A: a\r')],
    ['CR in front of a value', get('/v1/x', 'X-A:\ra')],
    ['CR in a name', get('/v1/x', 'X\r-A: 1')],
    ['CR in the request line', 'GET /v1/x\r HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['CR CR LF behind the request line', 'GET /v1/x HTTP/1.1\r\r\nHost: localhost\r\n\r\n'],
    ['CR CR LF for the end', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\r\r\n'],
    ['CR and another byte for the end', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\rX'],
    ['CR and a field for the end', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\rX-A: 1\r\n\r\n'],
    ['a space in the empty line', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n \r\n\r\n'],
    ['a tab in the empty line', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n\t\r\n\r\n'],
    ['LF CR', 'GET /v1/x HTTP/1.1\n\rHost: localhost\n\r\n\r'],
  ])('rule 3: %s: refused, and the connection ends', async (_what, bytes) => {
    await kit.refused(bytes + BEHIND, 400)
  })

  test.each(CONTROLS)(
    'rule 3: the byte %i in a value, a name or the target: refused',
    async (code) => {
      const byte = String.fromCharCode(code)
      await kit.refused(get('/v1/x', `X-A: a${byte}b`) + BEHIND, 400)
      await kit.refused(get('/v1/x', `X-A: ${byte}`) + BEHIND, 400)
      await kit.refused(get('/v1/x', `X${byte}A: 1`) + BEHIND, 400)
      await kit.refused(get(`/v1/${byte}x`) + BEHIND, 400)
      await kit.refused(get('/v1/x', `X-A: 1`).replace('GET', `GET${byte}`) + BEHIND, 400)
    },
  )
})

describe('rule 3: fields', () => {
  test.each([
    ['folded, the first', 'GET /v1/x HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n'],
    ['folded behind Host', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n Host: evil.example\r\n\r\n'],
    ['folded with a space', get('/v1/x', 'X-A: 1\r\n 2')],
    ['folded with a tab', get('/v1/x', 'X-A: 1\r\n\t2')],
    ['folded to an empty line', get('/v1/x', 'X-A: 1\r\n ')],
    ['folded twice', get('/v1/x', 'X-A: 1\r\n 2\r\n 3')],
    ['a space before the first field', 'GET /v1/x HTTP/1.1\r\n Host: localhost\r\n\r\n'],
    ['a tab before the first field', 'GET /v1/x HTTP/1.1\r\n\tHost: localhost\r\n\r\n'],
    [
      'a length behind white space',
      `POST /v1/x HTTP/1.1\r\n Content-Length: 5\r\nHost: localhost\r\n\r\nhello`,
    ],
    ['an odd first line', 'GET /v1/x HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n'],
    ['no colon', get('/v1/x', 'X-A')],
    ['no colon in the first', 'GET /v1/x HTTP/1.1\r\nX-A\r\nHost: localhost\r\n\r\n'],
    ['another request line', get('/v1/x', 'GET /v1/smuggled HTTP/1.1')],
    ['an empty name', get('/v1/x', ': 1')],
    ['an empty name and value', get('/v1/x', ':')],
    ['an empty name before all', 'GET /v1/x HTTP/1.1\r\n: 1\r\nHost: localhost\r\n\r\n'],
    ['a space for a name', get('/v1/x', ' : 1')],
    ['a space before the colon', get('/v1/x', 'X-A : 1')],
    ['a tab before the colon', get('/v1/x', 'X-A\t: 1')],
    ['a space in the name', get('/v1/x', 'X A: 1')],
    ['a space before the colon of Host', head('GET /v1/x', 'Host : localhost')],
  ])('rule 3: %s: refused, and the connection ends', async (_what, bytes) => {
    await kit.refused(bytes + BEHIND, 400)
  })

  test.each([...'()<>@,;\\"/[]?={}\x80\xff\xe9'])(
    'rule 3: %j in a name: refused, and the connection ends',
    async (sign) => {
      await kit.refused(get('/v1/x', `X${sign}A: 1`) + BEHIND, 400)
      await kit.refused(get('/v1/x', `${sign}: 1`) + BEHIND, 400)
    },
  )

  test('rule 3: what HTTP allows in a name or value passes as it is', async () => {
    const fields = [
      "!#$%&'*+-.^`|~09azAZ: odd but good",
      'X-Empty:',
      'X-Signs: (),/:;<=>?@[\\]{}"',
      'X-Tab: a\tb',
      `X-Long: ${'v'.repeat(20_000)}`,
      '1: one',
    ]
    const request = await kit.served(get('/v1/x', ...fields))
    const lines = request.head.split('\r\n').map((line) => line.replace(/: ?/, ':'))
    for (const field of fields) expect(lines).toContain(field.replace(/: ?/, ':'))
  })
})

describe('rule 7: more fields than Node keeps', () => {
  const many = Array<string>(2100).fill('a:')
  test('rule 7: a length behind 2100 fields still frames the body', async () => {
    const bytes = `${post(...many, 'Content-Length: 5')}hello`
    const { statuses, requests } = await kit.exchange(bytes + get('/v1/y'), { replies: 2 })
    expect(statuses).toEqual([200, 200])
    expect(requests.map(({ target, body }) => [target, body])).toEqual([
      ['/v1/x', 'hello'],
      ['/v1/y', ''],
    ])
  })

  test.each(['GET', 'DELETE', 'HEAD', 'PATCH'])(
    'rule 7: a body behind 2100 fields of %s is no request of its own',
    async (method) => {
      const bytes = head(
        `${method} /v1/x`,
        'Host: localhost',
        ...many,
        `Content-Length: ${BEHIND.length}`,
      )
      const { requests } = await kit.exchange(bytes + BEHIND, { replies: 1 })
      expect(requests.map(({ target, body }) => [target, body])).toEqual([['/v1/x', BEHIND]])
    },
  )

  test('rule 7: chunks behind 2100 fields still frame the body', async () => {
    const bytes = `${post(...many, 'Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`
    expect((await kit.served(bytes)).body).toBe('hello')
  })

  test.each([
    ['a second length', 'Content-Length: 5', 'Content-Length: 5'],
    ['a second Host', 'Host: localhost'],
    ['both framings', 'Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['another coding', 'Transfer-Encoding: gzip, chunked'],
    ['a second Content-Type', 'Content-Type: a/b', 'Content-Type: a/b'],
  ])('rule 7: %s behind 2100 fields is refused as if it came first', async (_what, ...fields) => {
    await kit.refused(`${post(...many, ...fields)}hello${BEHIND}`, [400, 501])
  })

  test("rule 7: the caller's credentials behind 2100 fields go no further", async () => {
    const request = await kit.served(
      get('/v1/x', ...many, 'X-Api-Key: other', 'Authorization: Bearer other', 'Cookie: other=1'),
    )
    expect(request.head).not.toContain('other')
  })

  test('rule 7: their number is bounded by the size of the head', async () => {
    await kit.refused(get('/v1/x', ...Array<string>(20_000).fill('ab:')) + BEHIND, 431)
  })
})

describe('rule 8: fields that may occur once', () => {
  const LENGTH = 'Content-Length: 0'
  test.each([
    ['Host', head('GET /v1/x', 'Host: localhost', 'Host: localhost')],
    ['Host, the other foreign', head('GET /v1/x', 'Host: localhost', 'Host: evil.example')],
    ['Host, the first foreign', head('GET /v1/x', 'Host: evil.example', 'Host: localhost')],
    ['Host, the other empty', head('GET /v1/x', 'Host: localhost', 'Host:')],
    ['Host, the first empty', head('GET /v1/x', 'Host:', 'Host: localhost')],
    ['Host, spelled otherwise', head('GET /v1/x', 'Host: localhost', 'A: b', 'hOST: localhost')],
    ['Content-Length', post(LENGTH, LENGTH)],
    ['Content-Type', post('Content-Type: a/b', 'Content-Type: a/b', LENGTH)],
    ['Content-Type, different', post('Content-Type: a/b', 'content-type: c/d', LENGTH)],
    ['Content-Type, one empty', post('Content-Type:', 'Content-Type: c/d', LENGTH)],
    ['Authorization', get('/v1/x', 'Authorization: Bearer a', 'Authorization: Bearer a')],
    ['Authorization, different', get('/v1/x', 'Authorization: Bearer a', 'authorization: Basic b')],
    ['Authorization, one empty', get('/v1/x', 'Authorization:', 'Authorization: Bearer a')],
    ['X-Api-Key', get('/v1/x', 'X-Api-Key: a', 'x-api-key: b')],
  ])('rule 8: two of %s: refused, and the connection ends', async (_what, bytes) => {
    await kit.refused(bytes + BEHIND, 400)
  })

  test('rule 8: names of object members are ordinary names', async () => {
    const names = ['constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then']
    const fields = names.flatMap((name) => [`${name}: 1`, `${name}: 2`])
    const request = await kit.served(get('/v1/x', ...fields))
    for (const name of names) expect(values(request.fields, name.toLowerCase())).toEqual(['1', '2'])
  })

  test('rule 8: __proto__ harms nobody, in a name, in Connection, or in Trailer', async () => {
    const fields = ['__proto__: 1', '__proto__: 2', '__defineGetter__: 3', 'Trailer: __proto__']
    const request = await kit.served(get('/v1/x', ...fields, 'Connection: __proto__, constructor'))
    expect(request.head).not.toContain('__')
    expect(Object.hasOwn(Object.prototype, '1')).toBe(false)
  })

  test('rule 8: the same names in a trailer harm nobody', async () => {
    const chunks = '5\r\nhello\r\n0\r\n__proto__: 1\r\nconstructor: 2\r\n\r\n'
    expect((await kit.served(post('Transfer-Encoding: chunked') + chunks)).trailers).toBe('')
  })
})
