// Rule 22: the credential that was sent, should a reply show it, is masked before a client sees it:
// in every form, wherever the pieces end, and without changing the length of anything.

import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib'

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { KEY, leaks } from '../support/canary.ts'
import { FIN, RST, oddUpstream } from './odd-upstream.ts'
import type { OddUpstream, Step } from './odd-upstream.ts'
import { values } from './reply-reader.ts'
import type { Seen } from './reply-reader.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const FIVE = 'Content-Length: 5\r\n\r\nhello'

let odd: OddUpstream

beforeAll(async () => {
  odd = await oddUpstream({ credential: { OPUSDNS_API_KEY: KEY } })
})
afterEach(() => odd.next())
afterAll(() => odd.close())

const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex')
const percentAll = (text: string) => hex(text).replaceAll(/../g, '%$&')
const unicodeAll = (text: string) => hex(text).replaceAll(/../g, String.raw`\u00$&`)

/** Ways to write the key into a text. */
const FORMS: readonly [string, string][] = [
  ['raw', KEY],
  ['base64', Buffer.from(KEY).toString('base64')],
  ['base64url', Buffer.from(KEY).toString('base64url')],
  ['base64 of user and key', Buffer.from(`u:${KEY}`).toString('base64')],
  ['base64 of key and more', Buffer.from(`us:${KEY} and more`).toString('base64')],
  ['hex', hex(KEY)],
  ['HEX', hex(KEY).toUpperCase()],
  ['percent-escaped', encodeURIComponent(KEY)],
  [
    'percent-escaped in small letters',
    encodeURIComponent(KEY).replaceAll(/%../g, (it) => it.toLowerCase()),
  ],
  ['percent-escaped throughout', percentAll(KEY)],
  [
    'JSON-escaped',
    JSON.stringify(KEY)
      .slice(1, -1)
      .replaceAll('/', String.raw`\/`),
  ],
  ['JSON-escaped throughout', unicodeAll(KEY)],
  [
    'JSON-escaped as some do',
    KEY.replaceAll('&', String.raw`\u0026`).replaceAll('=', String.raw`\u003d`),
  ],
]

function expectClean(seen: Seen): void {
  expect(seen).toMatchObject({ whole: true, garbage: '' })
  expect(leaks({ reply: seen.text }, [KEY])).toEqual([])
  // Nor in the ways that `leaks` does not know.
  for (const [form, text] of FORMS) {
    const whole = seen.text.toLowerCase()
    if (!form.includes('more') && !form.includes('user'))
      expect(whole).not.toContain(text.toLowerCase())
  }
}

const measured = (body: string, status = 200) =>
  `HTTP/1.1 ${status} Odd\r\nContent-Length: ${body.length}\r\n\r\n${body}`

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

const chunked = (pieces: readonly string[], status = 200): string[] => [
  `HTTP/1.1 ${status} Odd\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ...pieces.map(chunk),
  '0\r\n\r\n',
]

describe('the credential in a body', () => {
  test.each(FORMS)('is masked: %s', async (_form, text) => {
    for (const status of [200, 400, 401, 404, 422, 500, 503]) {
      const body = `{"you sent":"${text}","length":"the same"}`
      const seen = await odd.ask([measured(body, status)], { linger: 0 })
      expect(seen.status).toBe(status)
      expect(seen.body).toHaveLength(body.length)
      expect(seen.body).toContain('*****')
      expect(seen.body.startsWith('{"you sent":"')).toBe(true)
      expect(seen.body.endsWith('","length":"the same"}')).toBe(true)
      expectClean(seen)
    }
  })

  test.each(FORMS)('is masked wherever a chunk ends: %s', async (_form, text) => {
    const step = Math.max(1, Math.floor(text.length / 12))
    for (let at = 0; at <= text.length; at += step) {
      const pieces = [`before ${text.slice(0, at)}`, `${text.slice(at)} behind`]
      const seen = await odd.ask(chunked(pieces), { linger: 0 })
      expect(seen.body).toHaveLength(pieces.join('').length)
      expect(seen.body).toMatch(/^before .*\*{5}.* behind$/)
      expectClean(seen)
    }
  })

  test.each(FORMS)(
    'is masked when it comes byte by byte, in pieces of time: %s',
    async (_form, text) => {
      const [head = '', ...chunks] = chunked([...`<${text}>`], 500)
      const paced = chunks.flatMap((bytes): Step[] => [bytes, { wait: 1 }])
      const seen = await odd.ask([head, { wait: 20 }, ...paced])
      expect(seen.body).toHaveLength(text.length + 2)
      expect(seen.body).toContain('*****')
      expectClean(seen)
    },
  )

  test('is masked across reads of a body with a length', async () => {
    const body = `${'x'.repeat(70_000)}${KEY}${'y'.repeat(70_000)}`
    const bytes = measured(body)
    for (const cut of [70_010, 70_050, 70_070]) {
      const seen = await odd.ask([bytes.slice(0, cut), { wait: 20 }, bytes.slice(cut)])
      expect(seen.body).toBe(`${'x'.repeat(70_000)}${'*'.repeat(KEY.length)}${'y'.repeat(70_000)}`)
    }
  })

  test('is masked at the very end, also where the connection is the end', async () => {
    for (const steps of [
      [measured(`x${KEY}`)],
      chunked([`x${KEY}`]),
      [`${OK}Connection: close\r\n\r\nx${KEY}`, { wait: 20 }, FIN],
      [`${OK}\r\nx`, { wait: 20 }, KEY.slice(0, 9), { wait: 20 }, KEY.slice(9), FIN],
    ] as const) {
      const seen = await odd.ask(steps)
      expect(seen.body).toBe(`x${'*'.repeat(KEY.length)}`)
      expect(seen.whole).toBe(true)
    }
  })

  test('twice, back to back and overlapping, is masked twice', async () => {
    const seen = await odd.ask([measured(`${KEY}${KEY}${KEY.slice(0, 20)}${KEY}`)])
    expectClean(seen)
    expect(seen.body.replaceAll('*', '')).toBe(KEY.slice(0, 20))
  })

  test('as a beginning alone passes whole, and is not held back for ever', async () => {
    const begun = KEY.slice(0, -1)
    const seen = await odd.ask(chunked([`a ${begun}`, ` ${begun}`, begun]))
    expect(seen.body).toBe(`a ${begun} ${begun}${begun}`)
    expect(seen.whole).toBe(true)
  })

  test('that breaks off within it does not show what was held', async () => {
    const cut = KEY.slice(0, -3)
    const seen = await odd.ask([...chunked([`x${cut}`]).slice(0, 2), { wait: 20 }, RST])
    expect(seen).toMatchObject({ status: 200, whole: false, end: 'reset' })
  })
})

describe('the credential in a head is masked:', () => {
  test.each(FORMS)('%s', async (_form, text) => {
    const seen = await odd.ask([`${OK}X-Echo: <${text}>\r\n${FIVE}`])
    expect(seen).toMatchObject({ status: 200, body: 'hello' })
    expect(values(seen.fields, 'x-echo')[0]).toHaveLength(text.length + 2)
    expectClean(seen)
  })

  test.each([
    ['in Location', (key: string) => `Location: https://elsewhere.example/?key=${key}`],
    ['in Content-Location', (key: string) => `Content-Location: /v1/x?key=${key}`],
    ['in Link', (key: string) => `Link: </x?key=${key}>; rel=next`],
    ['in Via', (key: string) => `Via: 1.1 ${key}`],
    ['in X-Request-Id', (key: string) => `X-Request-Id: ${key}`],
    ['in X-Server-Request-Id', (key: string) => `X-Server-Request-Id: ${key}`],
    ['in WWW-Authenticate', (key: string) => `WWW-Authenticate: Bearer error="${key}"`],
    ['in ETag', (key: string) => `ETag: "${key}"`],
    ['in Server', (key: string) => `Server: ${key}`],
    ['in Content-Type', (key: string) => `Content-Type: text/${key}`],
    ['in Date', (key: string) => `Date: ${key}`],
    ['behind 8 KB', (key: string) => `X-Long: ${'x'.repeat(8000)}${key}`],
  ])('%s', async (_where, line) => {
    for (const status of [200, 302, 401, 500]) {
      const bytes = `HTTP/1.1 ${status} Odd\r\n${line(KEY)}\r\n${FIVE}`
      const seen = await odd.ask([bytes], { linger: 0 })
      expect(seen.status).toBe(status)
      expectClean(seen)
      expectClean(await odd.ask([bytes], { method: 'HEAD', linger: 0 }))
    }
    expect(leaks({ log: JSON.stringify(odd.proxy.lines) }, [KEY])).toEqual([])
  })

  test('in the name of a field', async () => {
    const name = KEY.replaceAll(/[^\w~+]/g, '')
    const seen = await odd.ask([`${OK}X-${name}: 1\r\n${FIVE}`])
    expect(seen.status).toBe(200)
    expectClean(seen)
  })

  test('in the reason', async () => {
    for (const text of [KEY, `No ${KEY}`, encodeURIComponent(KEY)]) {
      const seen = await odd.ask([`HTTP/1.1 403 ${text}\r\n${FIVE}`])
      expect(seen.status).toBe(403)
      expectClean(seen)
    }
  })

  test('in a reason that comes in pieces', async () => {
    for (const at of [1, 5, 20, KEY.length - 1]) {
      const pieces = [`HTTP/1.1 403 ${KEY.slice(0, at)}`, `${KEY.slice(at)}\r\n${FIVE}`]
      const seen = await odd.ask([pieces[0] ?? '', { wait: 30 }, pieces[1] ?? ''])
      expect(seen.status).toBe(403)
      // Nor most of it.
      expect(seen.text).not.toContain(KEY.slice(-12))
      expect(seen.text).not.toContain(KEY.slice(0, 12))
    }
  })

  test('in what is refused', async () => {
    for (const bytes of [
      `${KEY}\r\n\r\n`,
      `HTTP/1.1 200 OK\r\n${KEY}\r\n\r\n`,
      `${OK}Content-Length: ${KEY}\r\n\r\n`,
    ]) {
      const seen = await odd.ask([bytes])
      expect(seen.status).toBe(502)
      expectClean(seen)
    }
    expect(leaks({ log: JSON.stringify(odd.proxy.lines) }, [KEY])).toEqual([])
  })
})

describe('the credential in a compressed error', () => {
  const text = JSON.stringify({ detail: `The key ${KEY} is not known.` })
  const reply = (coding: string, bytes: Buffer, status = 400) =>
    `HTTP/1.1 ${status} Odd\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes.toString('latin1')}`
  const plainText = ({ fields, body }: Seen) =>
    values(fields, 'content-encoding').length === 0
      ? body
      : gunzipSync(Buffer.from(body, 'latin1')).toString('latin1')

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('is masked: %s', async (coding, compress) => {
    for (const status of [400, 401, 404, 500]) {
      const seen = await odd.ask([reply(coding, compress(Buffer.from(text)), status)], {
        lines: ['Accept-Encoding: gzip, deflate, br'],
      })
      expect(seen.status).toBe(status)
      expectClean(seen)
      expect(plainText(seen)).toBe(text.replace(KEY, '*'.repeat(KEY.length)))
    }
  })

  test('is masked in chunks, however they are cut', async () => {
    const bytes = gzipSync(Buffer.from(text)).toString('latin1')
    const head = 'HTTP/1.1 500 Odd\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n'
    const chunks = (bytes.match(/[^]{1,7}/g) ?? []).map(chunk)
    const seen = await odd.ask([head, { wait: 20 }, ...chunks, '0\r\n\r\n'])
    expect(seen.status).toBe(500)
    expectClean(seen)
    expect(plainText(seen)).toBe(text.replace(KEY, '*'.repeat(KEY.length)))
  })

  test('leaves a clean one as it came', async () => {
    const bytes = gzipSync(Buffer.from('{"detail":"all clean"}'))
    const seen = await odd.ask([reply('gzip', bytes, 404)], { lines: ['Accept-Encoding: gzip'] })
    expect(seen).toMatchObject({ status: 404, body: bytes.toString('latin1'), whole: true })
    expect(values(seen.fields, 'content-encoding')).toEqual(['gzip'])
  })

  test.each([
    ['a bomb', gzipSync(Buffer.alloc(64 * 1024 * 1024))],
    ['no gzip', Buffer.from('not compressed at all')],
    ['a cut one', gzipSync(Buffer.from(text)).subarray(0, -12)],
  ])('that is %s does no harm', async (_what, bytes) => {
    const before = process.memoryUsage().rss
    const seen = await odd.ask([reply('gzip', bytes)])
    expect([400, 502]).toContain(seen.status)
    expectClean(seen)
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024)
  })

  test('keeps its length on HEAD, and an empty one passes', async () => {
    const head = 'HTTP/1.1 404 Odd\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n'
    const seen = await odd.ask([head], { method: 'HEAD' })
    expect(values(seen.fields, 'content-length')).toEqual(['99'])
    const empty = await odd.ask([head.replace('99', '0')])
    expect(empty).toMatchObject({ status: 404, body: '', whole: true })
  })
})
