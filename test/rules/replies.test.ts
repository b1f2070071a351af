// Rules 17, 19 (statuses) and 20: a reply that could be read in two ways, or is no HTTP/1.1, or is too
// large a head, becomes a 502, and its connection brings nothing to the next request.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { FIN, oddUpstream } from './odd-upstream.ts'
import type { OddUpstream, Step } from './odd-upstream.ts'
import { values } from './reply-reader.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const FIVE = 'Content-Length: 5\r\n\r\nhello'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const GOOD_CHUNKS = '5\r\nhello\r\n0\r\n\r\n'
const PAUSE = { wait: 30 }

let odd: OddUpstream

beforeAll(async () => {
  odd = await oddUpstream()
})
// Whatever came back: the connection that brought it poisons nobody.
afterEach(() => odd.next())
afterAll(() => odd.close())

/** What a client of `GET` and one of `POST` see of `steps`. */
async function answers(steps: readonly Step[]) {
  const found = []
  for (const method of ['GET', 'POST']) {
    const { status, body, whole, garbage, end } = await odd.ask(steps, { method, linger: 10 })
    const code = /"code":"(\w+)"/.exec(body)?.[1] ?? body
    found.push({ status, code, whole, garbage, end, times: odd.times })
  }
  return found
}

/** Both get a 502 of ours, whole, and the upstream was asked once for each. */
const refusedAs = (code: string) =>
  ['GET', 'POST'].map(() => ({
    status: 502,
    code,
    whole: true,
    garbage: '',
    end: 'open',
    times: 1,
  }))

describe('a reply whose length can be read in two ways is refused:', () => {
  test.each([
    ['length and chunks', `Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n${GOOD_CHUNKS}`],
    ['chunks and length', `Transfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\n${GOOD_CHUNKS}`],
    [
      'length 0 and chunks',
      `Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n${GOOD_CHUNKS}`,
    ],
    ['length and gzip', 'Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\nhello'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!'],
    ['two lengths, apart', 'Content-Length: 6\r\nX: 1\r\ncontent-length: 5\r\n\r\nhello!'],
    ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a list of lengths', 'Content-Length: 5, 6\r\n\r\nhello'],
    ['a list of one length', 'Content-Length: 5, 5\r\n\r\nhello'],
    ['a negative length', 'Content-Length: -1\r\n\r\nhello'],
    ['a length with a sign', 'Content-Length: +5\r\n\r\nhello'],
    ['a length with letters', 'Content-Length: 5x\r\n\r\nhello'],
    ['a hexadecimal length', 'Content-Length: 0x5\r\n\r\nhello'],
    ['an empty length', 'Content-Length:\r\n\r\nhello'],
    ['a fraction', 'Content-Length: 5.0\r\n\r\nhello'],
    ['a length in quotes', 'Content-Length: "5"\r\n\r\nhello'],
    ['a length with a space', 'Content-Length: 5 5\r\n\r\nhello'],
    ['a length beyond 64 bits', 'Content-Length: 18446744073709551616\r\n\r\nhello'],
    ['a length of 23 digits', 'Content-Length: 99999999999999999999999\r\n\r\nhello'],
    ['a space before the colon', 'Content-Length : 5\r\n\r\nhello'],
    ['a folded length', 'Content-Length:\r\n 5\r\n\r\nhello'],
    ['an unknown coding', 'Transfer-Encoding: foo\r\n\r\nhello'],
    ['gzip', 'Transfer-Encoding: gzip\r\n\r\nhello'],
    ['identity', 'Transfer-Encoding: identity\r\n\r\nhello'],
    ['gzip in chunks', `Transfer-Encoding: gzip, chunked\r\n\r\n${GOOD_CHUNKS}`],
    ['chunks in gzip', `Transfer-Encoding: chunked, gzip\r\n\r\n${GOOD_CHUNKS}`],
    ['chunks twice', `Transfer-Encoding: chunked, chunked\r\n\r\n${GOOD_CHUNKS}`],
    ['chunks and identity', `Transfer-Encoding: chunked, identity\r\n\r\n${GOOD_CHUNKS}`],
    [
      'two lines of chunked',
      `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${GOOD_CHUNKS}`,
    ],
    [
      'identity, then chunked',
      `Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n${GOOD_CHUNKS}`,
    ],
    [
      'chunked, then identity',
      `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${GOOD_CHUNKS}`,
    ],
    ['a quoted coding', `Transfer-Encoding: "chunked"\r\n\r\n${GOOD_CHUNKS}`],
    ['a coding with a parameter', `Transfer-Encoding: chunked;q=1\r\n\r\n${GOOD_CHUNKS}`],
    ['a coding behind a vertical tab', `Transfer-Encoding: \x0bchunked\r\n\r\n${GOOD_CHUNKS}`],
    ['an empty coding', 'Transfer-Encoding:\r\n\r\nhello'],
    ['a coding and a comma', `Transfer-Encoding: chunked,\r\n\r\n${GOOD_CHUNKS}`],
    ['a space before the colon of chunked', `Transfer-Encoding : chunked\r\n\r\n${GOOD_CHUNKS}`],
    ['a folded coding', `Transfer-Encoding:\r\n chunked\r\n\r\n${GOOD_CHUNKS}`],
  ])('%s', async (_what, rest) => {
    expect(await answers([`${OK}${rest}`])).toEqual(refusedAs('upstream_protocol'))
  })

  test('chunks from HTTP/1.0 are refused, or at least end their connection', async () => {
    // RFC 9112 section 6.1: such framing is faulty.
    const steps = [
      `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${GOOD_CHUNKS}`,
    ]
    const seen = await odd.ask(steps)
    expect([200, 502]).toContain(seen.status)
    expect(seen).toMatchObject({ whole: true, garbage: '' })
    const used = odd.upstream.requests.at(-1)
    await odd.next()
    expect(odd.upstream.requests.at(-1)?.connection).not.toBe(used?.connection)
  })
})

describe('a head that is not HTTP/1.1 is refused:', () => {
  test.each([
    ['line ends of LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
    ['one LF behind the status line', `HTTP/1.1 200 OK\n${FIVE}`],
    ['one LF behind a field', `${OK}X-A: a\n${FIVE}`],
    ['a LF before the empty line', `${OK}Content-Length: 5\n\r\nhello`],
    ['a LF as the empty line', `${OK}Content-Length: 5\r\n\nhello`],
    ['a bare CR', `${OK}X-A: a\rX-B: b\r\n${FIVE}`],
    ['CR CR LF', `${OK}X-A: a\r\r\n${FIVE}`],
    ['NUL in a value', `${OK}X-A: a\0b\r\n${FIVE}`],
    ['NUL in a name', `${OK}X\0A: a\r\n${FIVE}`],
    ['a control byte in a value', `${OK}X-A: a\x01b\r\n${FIVE}`],
    ['an escape in a value', `${OK}X-A: \x1b[31m\r\n${FIVE}`],
    ['DEL in a value', `${OK}X-A: a\x7fb\r\n${FIVE}`],
    ['a folded field', `${OK}X-A: a\r\n b\r\n${FIVE}`],
    ['a field folded by a tab', `${OK}X-A: a\r\n\tb\r\n${FIVE}`],
    ['a fold before the first field', `${OK} X-A: a\r\n${FIVE}`],
    ['a space before a colon', `${OK}X-A : a\r\n${FIVE}`],
    ['a tab before a colon', `${OK}X-A\t: a\r\n${FIVE}`],
    ['brackets in a name', `${OK}X(A): a\r\n${FIVE}`],
    ['a space in a name', `${OK}X A: a\r\n${FIVE}`],
    ['a name beyond ASCII', `${OK}X\xe9: a\r\n${FIVE}`],
    ['an empty name', `${OK}: a\r\n${FIVE}`],
    ['a field without a colon', `${OK}XA\r\n${FIVE}`],
    ['two spaces before the status', `HTTP/1.1  200 OK\r\n${FIVE}`],
    ['a tab before the status', `HTTP/1.1\t200 OK\r\n${FIVE}`],
    ['no space before the reason', `HTTP/1.1 200OK\r\n${FIVE}`],
    ['HTTP/0.9', `HTTP/0.9 200 OK\r\n${FIVE}`],
    ['HTTP/1.2', `HTTP/1.2 200 OK\r\n${FIVE}`],
    ['HTTP/1.10', `HTTP/1.10 200 OK\r\n${FIVE}`],
    ['HTTP/01.1', `HTTP/01.1 200 OK\r\n${FIVE}`],
    ['HTTP/2.0 behind an empty line', `\r\nHTTP/2.0 200 OK\r\n${FIVE}`],
    ['HTTP/2.0', `HTTP/2.0 200 OK\r\n${FIVE}`],
    ['HTTP/2', `HTTP/2 200\r\n${FIVE}`],
    ['HTTP/3', `HTTP/3 200\r\n${FIVE}`],
    ['HTTP/3.0', `HTTP/3.0 200 OK\r\n${FIVE}`],
    ['http/1.1', `http/1.1 200 OK\r\n${FIVE}`],
    ['HTTPS/1.1', `HTTPS/1.1 200 OK\r\n${FIVE}`],
    ['ICY', `ICY 200 OK\r\n${FIVE}`],
    ['RTSP/1.0', `RTSP/1.0 200 OK\r\n${FIVE}`],
    ['RTSP/1.1', `RTSP/1.1 200 OK\r\n${FIVE}`],
    ['a request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a space first', ` ${OK}${FIVE}`],
    ['a byte order mark first', `\xef\xbb\xbf${OK}${FIVE}`],
    ['a letter first', `x${OK}${FIVE}`],
    ['status 20', `HTTP/1.1 20 OK\r\n${FIVE}`],
    ['status 2000', `HTTP/1.1 2000 OK\r\n${FIVE}`],
    ['status 2xx', `HTTP/1.1 2xx OK\r\n${FIVE}`],
    ['status -200', `HTTP/1.1 -200 OK\r\n${FIVE}`],
    ['status 000', `HTTP/1.1 000 X\r\n${FIVE}`],
    ['status 099', `HTTP/1.1 099 X\r\n${FIVE}`],
    ['status 99', `HTTP/1.1 99 X\r\n${FIVE}`],
    ['status 600', `HTTP/1.1 600 X\r\n${FIVE}`],
    ['status 700', `HTTP/1.1 700 X\r\n${FIVE}`],
    ['status 999', `HTTP/1.1 999 X\r\n${FIVE}`],
    ['a bare CR in the reason', `HTTP/1.1 200 O\rK\r\n${FIVE}`],
    ['a page of HTTP/0.9', '<html>hello</html>'],
    ['a TLS alert', '\x15\x03\x01\0\x02\x02\x16'],
    ['a TLS handshake', `\x16\x03\x03\0\x7a\x02${'\0'.repeat(120)}`],
    ['SETTINGS of HTTP/2', '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64'],
    ['SSH', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['noise', '\0\x01\x02\xff'.repeat(64)],
  ])('%s', async (_what, bytes) => {
    expect(await answers([bytes, PAUSE, FIN])).toEqual(refusedAs('upstream_protocol'))
  })

  test.each([
    ['LF line ends', ['HTTP/1.1 200 OK\n', PAUSE, 'Content-Length: 5\n\n']],
    ['a version', ['HTTP', PAUSE, '/2.', PAUSE, `0 200 OK\r\n${FIVE}`]],
    ['a status', ['HTTP/1.1 6', PAUSE, `00 OK\r\n${FIVE}`]],
  ] as const)('%s in pieces', async (_what, steps) => {
    expect(await answers(steps)).toEqual(refusedAs('upstream_protocol'))
  })

  test('a reason with a NUL does not reach the client as it is', async () => {
    const seen = await odd.ask([`HTTP/1.1 200 O\0K\r\n${FIVE}`])
    expect([200, 502]).toContain(seen.status)
    expect(seen.text).not.toContain('\0')
  })
})

test('a length before a space is a length, or is refused, but brings no other body', async () => {
  const seen = await odd.ask([`${OK}Content-Length: 5 \r\n\r\nhello`])
  if (seen.whole && seen.status === 200) expect(seen.body).toBe('hello')
  else expect(seen.status === 502 || seen.end === 'reset', seen.text).toBe(true)
})

describe('a head that is unusual but clear passes:', () => {
  test.each([
    ['no reason', `HTTP/1.1 200 \r\n${FIVE}`],
    ['neither reason nor space', `HTTP/1.1 200\r\n${FIVE}`],
    ['a reason of several words', `HTTP/1.1 200 All is well\r\n${FIVE}`],
    ['empty lines before it', `\r\n\r\n${OK}${FIVE}`],
    ['a length with zeros', `${OK}Content-Length: 005\r\n\r\nhello`],
    ['a length behind spaces', `${OK}Content-Length:  \t 5\r\n\r\nhello`],
    ['a coding before a space', `${OK}Transfer-Encoding: chunked \r\n\r\n${GOOD_CHUNKS}`],
    ['a coding in capitals', `${OK}Transfer-Encoding: CHUNKED\r\n\r\n${GOOD_CHUNKS}`],
    ['Latin-1 in a value', `${OK}X-A: caf\xe9\r\n${FIVE}`],
    ['an empty value', `${OK}X-A:\r\n${FIVE}`],
    ['names such as __proto__', `${OK}__proto__: 1\r\nconstructor: 2\r\n${FIVE}`],
  ])('%s', async (_what, bytes) => {
    const seen = await odd.ask([bytes])
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true, garbage: '' })
  })

  test.each([201, 202, 203, 206, 226, 299, 300, 308, 399, 400, 418, 451, 499, 500, 511, 599])(
    'status %i',
    async (status) => {
      const seen = await odd.ask([`HTTP/1.1 ${status} Odd\r\n${FIVE}`])
      expect(seen).toMatchObject({ status, body: 'hello', whole: true })
      // The reason means nothing, and is our own.
      expect(seen.reason).not.toBe('Odd')
      expect(odd.times).toBe(1)
    },
  )

  test('byte by byte', async () => {
    const bytes = [...`${CHUNKED}${GOOD_CHUNKS}`]
    const seen = await odd.ask(bytes.flatMap((byte) => [byte, { wait: 1 }]))
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true, garbage: '' })
  })
})

describe('a reply head over limits.header_size is refused:', () => {
  test.each([
    ['one field of 40 KB', [`${OK}X-A: ${'x'.repeat(40_000)}\r\n${FIVE}`]],
    ['forty fields of 1 KB', [`${OK}${`X-A: ${'x'.repeat(1000)}\r\n`.repeat(40)}${FIVE}`]],
    ['a name of 40 KB', [`${OK}${'x'.repeat(40_000)}: 1\r\n${FIVE}`]],
    [
      'two megabytes in pieces',
      [OK, ...Array.from({ length: 200 }, () => `X-A: ${'x'.repeat(10_000)}\r\n`), FIVE],
    ],
    ['a field without an end', [`${OK}X-A: ${'x'.repeat(200_000)}`]],
    [
      'many 1xx before it',
      [
        'HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n'.repeat(3),
        `${OK}X-A: ${'x'.repeat(40_000)}\r\n${FIVE}`,
      ],
    ],
  ])('%s', async (_what, steps) => {
    expect(await answers(steps)).toEqual(refusedAs('upstream_head_too_large'))
  })

  test.each([
    ['one of 31 KB', `X-A: ${'x'.repeat(31_000)}\r\n`],
    ['two thousand small ones', 'X-A: 1\r\n'.repeat(2500)],
  ])('and below it passes whole: %s', async (_what, fields) => {
    const seen = await odd.ask([`${OK}${fields}X-Last: 1\r\n${FIVE}`])
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true })
    expect(values(seen.fields, 'x-last')).toEqual(['1'])
    expect(values(seen.fields, 'x-a')).toHaveLength(fields.split('\r\n').length - 1)
  })

  test('a framing field behind two thousand others is obeyed', async () => {
    const many = 'X-A: 1\r\n'.repeat(2500)
    const steps = [
      `${OK}Content-Length: 5\r\n${many}Transfer-Encoding: chunked\r\n\r\n${GOOD_CHUNKS}`,
    ]
    expect(await answers(steps)).toEqual(refusedAs('upstream_protocol'))
  })
})
