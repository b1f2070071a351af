// Rule 19: informational replies, replies without a body, and Date.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { FIN, RST, oddUpstream } from './odd-upstream.ts'
import type { Asking, OddUpstream, Step } from './odd-upstream.ts'
import { values } from './reply-reader.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const FIVE = 'Content-Length: 5\r\n\r\nhello'
const LAST = `${OK}${FIVE}`
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const PROCESSING = 'HTTP/1.1 102 Processing\r\n\r\n'
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n'
const LINK = '</style.css>; rel=preload; as=style'
const PAUSE = { wait: 30 }

let odd: OddUpstream

beforeAll(async () => {
  odd = await oddUpstream()
})
afterEach(() => odd.next())
afterAll(() => odd.close())

describe('an informational reply', () => {
  test.each([
    ['100, unsolicited', [CONTINUE]],
    ['100, twice', [CONTINUE, CONTINUE]],
    ['100 without a reason', ['HTTP/1.1 100\r\n\r\n']],
    ['100 from HTTP/1.0', ['HTTP/1.0 100 Continue\r\n\r\n']],
    ['100 with fields', ['HTTP/1.1 100 Continue\r\nX-A: 1\r\nConnection: close\r\n\r\n']],
    ['102', [PROCESSING]],
    ['102, five times', [PROCESSING.repeat(5)]],
    ['104', ['HTTP/1.1 104 Upload Resumption Supported\r\n\r\n']],
    ['199', ['HTTP/1.1 199 Odd\r\n\r\n']],
    ['102 that claims a length', ['HTTP/1.1 102 Processing\r\nContent-Length: 50\r\n\r\n']],
    ['102 that claims chunks', ['HTTP/1.1 102 Processing\r\nTransfer-Encoding: chunked\r\n\r\n']],
    ['103 without a link', ['HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n']],
  ] as const)('(%s) is not forwarded, and the reply behind it is', async (_what, before) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      for (const steps of [[[...before, LAST].join('')], [...before, PAUSE, LAST]]) {
        const seen = await odd.ask(steps, { method, linger: 5 })
        expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true, garbage: '' })
        expect(seen.interims).toEqual([])
        expect(odd.times).toBe(1)
      }
    }
  })

  test.each([
    ['at once', [`${HINTS}${LAST}`]],
    ['before it', [HINTS, PAUSE, LAST]],
    ['among others', [`${CONTINUE}${PROCESSING}${HINTS}${PROCESSING}`, PAUSE, CONTINUE, LAST]],
    ['byte by byte', [...HINTS, LAST].flatMap((bytes): Step[] => [bytes, { wait: 1 }])],
  ] as const)('103 is forwarded, %s', async (_how, steps) => {
    const seen = await odd.ask(steps)
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true, garbage: '' })
    expect(seen.interims).toEqual([{ status: 103, fields: ['Link', LINK] }])
  })

  test('103 reaches the client before the reply does', async () => {
    const seen = await odd.ask([HINTS, { wait: 300 }, RST], { method: 'POST' })
    expect(seen.interims.map(({ status }) => status)).toEqual([103])
    expect(seen).toMatchObject({ status: 502, whole: true })
  })

  test('103 may come more than once', async () => {
    const seen = await odd.ask([HINTS, PAUSE, HINTS.replace('style', 'other'), PAUSE, LAST])
    expect(seen.interims.map(({ status }) => status)).toEqual([103, 103])
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true })
  })

  test('103 brings nothing but links', async () => {
    const fields = [
      'Connection: X-Hop, close',
      'X-Hop: 1',
      'Keep-Alive: timeout=9',
      'Set-Cookie: evil=1',
      'Transfer-Encoding: chunked',
      'Content-Length: 9',
      'Access-Control-Allow-Origin: *',
      `X-Key: ${SEED_KEY.key}`,
      'Link: </a>; rel=preload',
    ]
    const seen = await odd.ask([`HTTP/1.1 103 Early Hints\r\n${fields.join('\r\n')}\r\n\r\n`, LAST])
    expect(seen.interims).toEqual([{ status: 103, fields: ['Link', '</a>; rel=preload'] }])
    expect(seen.text).not.toContain('evil')
    expect(seen.text).not.toContain(SEED_KEY.key)
  })

  test('103 with the credential in its link does not bring it', async () => {
    const link = `Link: </${SEED_KEY.key}>; rel=preload`
    const seen = await odd.ask([`HTTP/1.1 103 Early Hints\r\n${link}\r\n\r\n${LAST}`])
    expect(seen).toMatchObject({ status: 200, body: 'hello' })
    expect(seen.text).not.toContain(SEED_KEY.key)
  })

  test('never reaches a client of HTTP/1.0', async () => {
    const seen = await odd.ask([`${CONTINUE}${HINTS}`, PAUSE, LAST], { version: '1.0' })
    expect(seen).toMatchObject({ status: 200, body: 'hello', interims: [] })
    expect(seen.text.startsWith('HTTP/1.1 200')).toBe(true)
  })

  test.each([
    [CONTINUE, []],
    [PROCESSING, []],
    [HINTS, [{ status: 103, fields: ['Link', LINK] }]],
  ])('before the reply to HEAD: %j', async (bytes, interims) => {
    const seen = await odd.ask([bytes, PAUSE, `${OK}Content-Length: 5\r\n\r\n`], { method: 'HEAD' })
    expect(seen).toMatchObject({ status: 200, whole: true, garbage: '', interims })
    expect(values(seen.fields, 'content-length')).toEqual(['5'])
  })

  test.each([
    ['LF line ends', 'HTTP/1.1 103 Early Hints\nLink: </a>\n\n'],
    ['a folded field', 'HTTP/1.1 103 Early Hints\r\nLink: </a>;\r\n rel=preload\r\n\r\n'],
    ['a bare CR', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\rX: 1\r\n\r\n'],
    ['a NUL', 'HTTP/1.1 103 Early Hints\r\nLink: </a\0>\r\n\r\n'],
    ['no colon', 'HTTP/1.1 103 Early Hints\r\nLink\r\n\r\n'],
    ['an empty name', 'HTTP/1.1 103 Early Hints\r\n: 1\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 1030 Early Hints\r\n\r\n'],
    ['HTTP/2.0', 'HTTP/2.0 103 Early Hints\r\n\r\n'],
    ['a head over the limit', `HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(40_000)}>\r\n\r\n`],
    ['a head without an end', `HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(200_000)}`],
  ])('with %s is a bad gateway', async (_what, bytes) => {
    const seen = await odd.ask([bytes, PAUSE, LAST])
    expect(seen).toMatchObject({ status: 502, whole: true, garbage: '' })
    expect(seen.interims).toEqual([])
  })

  test.each([
    ['100', CONTINUE],
    ['102', PROCESSING],
    ['103', HINTS],
  ])('10,000 times (%s) is a bad gateway', async (_status, bytes) => {
    const seen = await odd.ask([...Array.from({ length: 100 }, () => bytes.repeat(100)), LAST])
    expect(seen).toMatchObject({ status: 502, whole: true, garbage: '' })
    expect(seen.interims.length).toBeLessThan(100)
    expect(odd.times, 'it was asked').toBe(1)
  })

  test.each([
    ['101', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: evil\r\n\r\n'],
    [
      '101 to h2c',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
    ['101 without an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['101 behind 103', `${HINTS}HTTP/1.1 101 Switching Protocols\r\nUpgrade: evil\r\n\r\n`],
  ])('%s is a bad gateway', async (_what, bytes) => {
    const offers: Asking[] = [{}, { lines: ['Connection: upgrade', 'Upgrade: evil'] }]
    for (const asking of offers) {
      const seen = await odd.ask([bytes, 'GARBAGE'], asking)
      expect(seen).toMatchObject({ status: 502, whole: true })
      expect(seen.text).not.toContain('GARBAGE')
      expect(seen.text).not.toContain('evil')
    }
  })

  test('100 that was asked for comes once, and the body is sent', async () => {
    const seen = await odd.ask([`${CONTINUE}${LAST}`], {
      method: 'POST',
      lines: ['Expect: 100-continue'],
      body: '{}',
    })
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true })
    expect(seen.interims).toEqual([{ status: 100, fields: [] }])
  })
})

describe('a reply without a body', () => {
  const BODIES = [
    '',
    'Content-Length: 0\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
  ]

  test.each(BODIES)('204 has neither body nor length: %j', async (field) => {
    const seen = await odd.ask([`HTTP/1.1 204 No Content\r\n${field}\r\n`])
    expect(seen).toMatchObject({ status: 204, whole: true, garbage: '' })
    // RFC 9110 section 8.6 and RFC 9112 section 6.1.
    expect(values(seen.fields, 'content-length')).toEqual([])
    expect(values(seen.fields, 'transfer-encoding')).toEqual([])
  })

  test.each(BODIES)('304 has no body, and keeps its length: %j', async (field) => {
    const seen = await odd.ask([`HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n${field}\r\n`])
    expect(seen).toMatchObject({ status: 304, whole: true, garbage: '' })
    const length = /Length: (\d)/.exec(field)?.[1]
    expect(values(seen.fields, 'content-length')).toEqual(length === undefined ? [] : [length])
    expect(values(seen.fields, 'transfer-encoding')).toEqual([])
    expect(values(seen.fields, 'etag')).toEqual(['"x"'])
  })

  test.each([
    'Content-Length: 0\r\n\r\n',
    'Content-Length: 5\r\n\r\nhello',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'Connection: close\r\n\r\nhello',
  ])('205 says that it is empty: %j', async (rest) => {
    const seen = await odd.ask([`HTTP/1.1 205 Reset Content\r\n${rest}`, PAUSE, FIN])
    expect(seen).toMatchObject({ status: 205, body: '', whole: true, garbage: '' })
    expect(values(seen.fields, 'content-length')).toEqual(['0'])
    expect(values(seen.fields, 'transfer-encoding')).toEqual([])
  })

  test.each([
    ['a length', `${OK}Content-Length: 12345\r\n\r\n`, ['12345']],
    ['a length of 0', `${OK}Content-Length: 0\r\n\r\n`, ['0']],
    ['chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n`, []],
    ['neither', `${OK}\r\n`, []],
    ['an error with a length', 'HTTP/1.1 404 Not Found\r\nContent-Length: 77\r\n\r\n', ['77']],
    ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n', ['77']],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', []],
  ])('to HEAD, with %s, keeps what it says of its length', async (_what, head, lengths) => {
    const seen = await odd.ask([head], { method: 'HEAD' })
    expect(seen).toMatchObject({ body: '', whole: true, garbage: '' })
    expect(values(seen.fields, 'content-length')).toEqual(lengths)
  })

  test('leaves the connection of the client usable', async () => {
    const seen = await odd.ask(['HTTP/1.1 204 No Content\r\n\r\n'])
    expect(seen.end).toBe('open')
    expect(values(seen.fields, 'connection')).not.toContain('close')
  })
})

describe('the date of a reply', () => {
  test('is added where it is missing', async () => {
    const seen = await odd.ask([LAST])
    const [date = '', ...more] = values(seen.fields, 'date')
    expect(more).toEqual([])
    expect(Math.abs(Date.parse(date) - Date.now())).toBeLessThan(60_000)
  })

  test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT'])(
    'is kept where there is one: %s',
    async (date) => {
      const seen = await odd.ask([`${OK}date: ${date}\r\n${FIVE}`])
      expect(values(seen.fields, 'date')).toEqual([date])
    },
  )
})
