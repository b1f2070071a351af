// Rules 17 and 18: a reply that is cut never looks whole, and what comes behind a complete one never
// reaches another request.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { FIN, RST, oddUpstream } from './odd-upstream.ts'
import type { OddUpstream, Step } from './odd-upstream.ts'
import type { Seen } from './reply-reader.ts'

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

/** The code of a problem of ours. */
const codeOf = ({ body }: Seen) => (JSON.parse(body) as { code: string }).code

/** How the client notices that something is wrong; what it saw, if it cannot. */
async function noticed(steps: readonly Step[]): Promise<string> {
  const { status, whole, framing, end, body, garbage, text } = await odd.ask(steps)
  if (status === 502 && whole && garbage === '') return 'refused or broken off'
  // Where the connection is the end, a client may take any end for it.
  const broken = !whole && framing !== 'close' && end === 'reset'
  return broken && 'hello'.includes(body.slice(0, 4)) ? 'refused or broken off' : text
}

describe('chunks that are not chunks never look like a whole reply:', () => {
  test.each([
    ['a size of no digits', `zz\r\nhello\r\n0\r\n\r\n`],
    ['a negative size', `-5\r\nhello\r\n0\r\n\r\n`],
    ['a size with a sign', `+5\r\nhello\r\n0\r\n\r\n`],
    ['a size with 0x', `0x5\r\nhello\r\n0\r\n\r\n`],
    ['an empty size', `\r\nhello\r\n0\r\n\r\n`],
    ['an underscore', `5_\r\nhello\r\n0\r\n\r\n`],
    ['a space before the size', ` 5\r\nhello\r\n0\r\n\r\n`],
    ['a space behind the size', `5 \r\nhello\r\n0\r\n\r\n`],
    ['a size beyond 64 bits', `10000000000000005\r\nhello\r\n0\r\n\r\n`],
    ['a size of 63 bits', `7fffffffffffffff\r\nhello`],
    ['LF everywhere', `5\nhello\n0\n\n`],
    ['a LF behind the size', `5\nhello\r\n0\r\n\r\n`],
    ['a CR behind the size', `5\rhello\r\n0\r\n\r\n`],
    ['a LF behind the data', `5\r\nhello\n0\r\n\r\n`],
    ['data that is longer', `5\r\nhelloXX\r\n0\r\n\r\n`],
    ['data that is shorter', `5\r\nhell\r\n0\r\n\r\n`],
    ['a LF in an extension', `5;a\nb\r\nhello\r\n0\r\n\r\n`],
    ['a CR in an extension', `5;a\rb\r\nhello\r\n0\r\n\r\n`],
    ['a quoted line end in an extension', `5;a="x\r\n"\r\nhello\r\n0\r\n\r\n`],
    ['a bad trailer', `5\r\nhello\r\n0\r\nX T: 1\r\n\r\n`],
    ['a trailer with LF', `5\r\nhello\r\n0\r\nX-T: 1\n\n`],
    ['no last chunk', `5\r\nhello\r\n`],
    ['no empty line at the end', `5\r\nhello\r\n0\r\n`],
    ['half of an empty line', `5\r\nhello\r\n0\r\n\r`],
    ['half of a trailer', `5\r\nhello\r\n0\r\nX-T: 1\r\n`],
  ])('%s', async (_what, chunks) => {
    expect(await noticed([`${CHUNKED}${chunks}`, PAUSE, FIN])).toBe('refused or broken off')
    expect(await noticed([CHUNKED, PAUSE, chunks, PAUSE, FIN])).toBe('refused or broken off')
  })

  test('trailers are dropped, and merged into nothing', async () => {
    const steps = [`${CHUNKED}5\r\nhello\r\n0\r\nX-Late: evil=1\r\nSet-Cookie: evil=1\r\n\r\n`]
    const seen = await odd.ask(steps)
    expect(seen).toMatchObject({ status: 200, body: 'hello', trailers: '', whole: true })
    expect(seen.text).not.toContain('evil')
  })

  test.each(['Content-Length: 99', 'Transfer-Encoding: chunked', 'Host: evil=1'])(
    'a trailer that speaks of framing (%s) changes nothing',
    async (trailer) => {
      const seen = await odd.ask([`${CHUNKED}5\r\nhello\r\n0\r\nX: evil=1\r\n${trailer}\r\n\r\n`])
      expect(seen.text).not.toContain('evil')
      if (seen.whole) expect(seen).toMatchObject({ status: 200, body: 'hello', trailers: '' })
      else expect(seen.end).toBe('reset')
    },
  )

  test('extensions are dropped', async () => {
    const seen = await odd.ask([`${CHUNKED}5;a=b;c="d"\r\nhello\r\n0;last\r\n\r\n`])
    expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true })
    expect(seen.text).not.toContain('a=b')
  })
})

describe('a reply that is cut never looks whole:', () => {
  const phases: readonly [string, string, string][] = [
    ['with a length', `${OK}Content-Length: 50\r\n\r\n`, 'hello'],
    ['with a length, before its body', `${OK}Content-Length: 50\r\n\r\n`, ''],
    ['with a length, one byte short', `${OK}Content-Length: 6\r\n\r\n`, 'hello'],
    ['from HTTP/1.0, with a length', 'HTTP/1.0 200 OK\r\nContent-Length: 50\r\n\r\n', 'hello'],
    ['of an error', 'HTTP/1.1 500 Oh\r\nContent-Length: 50\r\n\r\n', 'hello'],
    ['in a chunk', CHUNKED, '32\r\nhello'],
    ['behind a chunk', CHUNKED, '5\r\nhello\r\n'],
    ['in the line end of a chunk', CHUNKED, '5\r\nhello\r'],
    ['in a size', CHUNKED, '5\r\nhello\r\n1'],
    ['before the first chunk', CHUNKED, ''],
    ['with a length near 2^50', `${OK}Content-Length: 999999999999999\r\n\r\n`, 'hello'],
  ]
  const ends = [FIN, RST] as const
  test.each(phases.flatMap((phase) => ends.map((end) => [...phase, end] as const)))(
    '%s',
    async (_where, head, body, end) => {
      const seen = await odd.ask([head, PAUSE, body, PAUSE, end])
      expect(seen.whole, seen.text).toBe(false)
      expect(seen.framing).not.toBe('close')
      expect(seen.end).toBe('reset')
      expect(odd.times, 'a reply that began is not asked for again').toBe(1)
    },
  )

  test.each([
    'HTTP/1.1 200 OK\r\nConnection: close\r\n',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 200 OK\r\n',
  ])('by a reset, where the connection is the end: %j', async (head) => {
    const whole = await odd.ask([`${head}\r\n`, PAUSE, 'hello', PAUSE, FIN])
    expect(whole).toMatchObject({ status: 200, body: 'hello', framing: 'chunked', whole: true })
    const cut = await odd.ask([`${head}\r\nhello`, PAUSE, RST])
    expect(cut).toMatchObject({ status: 200, framing: 'chunked', whole: false, end: 'reset' })
  })

  test.each([
    ['nothing', [PAUSE]],
    ['a part of the status line', ['HTT', PAUSE]],
    ['a part of a field', ['HTTP/1.1 200 OK\r\nContent-Le', PAUSE]],
    ['all but the empty line', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', PAUSE]],
    ['half of the empty line', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r', PAUSE]],
    ['a 103 alone', ['HTTP/1.1 103 Early Hints\r\n\r\n', PAUSE]],
  ] as const)('after %s: 502', async (_what, steps) => {
    for (const end of ends) {
      const seen = await odd.ask([...steps, end])
      expect(seen).toMatchObject({ status: 502, whole: true })
      expect(codeOf(seen)).toBe('upstream_terminated')
      expect(odd.times, 'safe, so once again').toBe(2)
      const unsafe = await odd.ask([...steps, end], { method: 'DELETE' })
      expect(unsafe.status).toBe(502)
      expect(odd.times).toBe(1)
    }
  })
})

describe('bytes behind a complete reply reach nobody:', () => {
  const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON'
  test.each([
    ['a body longer than its length', `${OK}${FIVE}XXXXXXXX`],
    ['a second reply', `${OK}${FIVE}${POISON}`],
    ['a second reply behind chunks', `${CHUNKED}${GOOD_CHUNKS}${POISON}`],
    ['a second reply behind an empty line', `${OK}${FIVE}\r\n${POISON}`],
    ['a 1xx', `${OK}${FIVE}HTTP/1.1 103 Early Hints\r\nLink: </POISON>\r\n\r\n`],
    ['half of a reply', `${OK}${FIVE}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOI`],
    ['chunks behind no length', `${OK}Content-Length: 0\r\n\r\n6\r\nPOISON\r\n0\r\n\r\n`],
    ['a second reply behind 204', `HTTP/1.1 204 No\r\n\r\n${POISON}`],
    ['a second reply behind 304', `HTTP/1.1 304 No\r\nContent-Length: 45\r\n\r\n${POISON}`],
    ['a second reply as body of 204', `HTTP/1.1 204 No\r\nContent-Length: 45\r\n\r\n${POISON}`],
    ['chunks behind 304', `HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n${GOOD_CHUNKS}`],
    ['a second reply as body of 205', `HTTP/1.1 205 No\r\nContent-Length: 45\r\n\r\n${POISON}`],
  ])('%s', async (_what, bytes) => {
    for (const steps of [[bytes], [bytes.slice(0, -20), PAUSE, bytes.slice(-20)]]) {
      const seen = await odd.ask(steps, { linger: 60 })
      expect(seen.garbage).toBe('')
      expect(seen.text).not.toContain('POI')
      await odd.next()
    }
  })

  test.each([
    ['to HEAD, with a body', `${OK}${FIVE}`],
    ['to HEAD, with a second reply', `${OK}Content-Length: 45\r\n\r\n${POISON}`],
    ['to HEAD, in chunks', `${CHUNKED}${GOOD_CHUNKS}`],
    ['to HEAD, that ends with the connection', `${OK}\r\nhello`],
  ])('%s', async (_what, bytes) => {
    const seen = await odd.ask([bytes, PAUSE, FIN], { method: 'HEAD' })
    expect(seen).toMatchObject({ status: 200, whole: true, garbage: '', body: '' })
    await odd.next()
  })

  test.each([
    ['a reply', POISON],
    ['a 408', 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'],
    ['a 400', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\nPOISON'],
    ['a 100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['an empty line', '\r\n'],
    ['noise', '\0\xff\0'],
    ['a part of a reply', 'HTTP/1.1 2'],
  ])('%s on an idle connection', async (_what, bytes) => {
    for (const end of [[], [FIN], [RST]] as const) {
      const seen = await odd.ask([`${OK}${FIVE}`, PAUSE, bytes, PAUSE, ...end], { linger: 100 })
      expect(seen).toMatchObject({ status: 200, body: 'hello', whole: true, garbage: '' })
      await odd.next()
      const unsafe = await odd.ask([`${OK}${FIVE}`], { method: 'POST', body: '{}' })
      expect(unsafe).toMatchObject({ status: 200, body: 'hello' })
    }
  })

  test('a reply before any request is no reply to the first one', async () => {
    const seen = await odd.ask([`${OK}Connection: close\r\n${FIVE}`, FIN])
    expect(seen.body).toBe('hello')
    const used = odd.upstream.requests.at(-1)?.connection
    await odd.next()
    expect(odd.upstream.requests.at(-1)?.connection).not.toBe(used)
  })
})
