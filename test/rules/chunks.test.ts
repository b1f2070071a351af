// INTERMEDIARY rules 4 and 5: bodies in chunks, and what may stand behind the last one.

import { describe, expect, test } from 'vitest'

import { BEHIND, drip, get, post, rulesKit } from './support.ts'
import type { Part } from './support.ts'

// Small enough that a body of some kilobytes is streamed, not held.
const kit = rulesKit('limits: { replay_body_size: 4KiB }')
const HEAD = post('Transfer-Encoding: chunked')
const END = '0\r\n\r\n'

describe('rule 4: sizes and extensions', () => {
  test.each([
    ['plain', '5\r\nhello\r\n0\r\n\r\n'],
    ['in two chunks', '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'],
    ['with zeros in front', '0005\r\nhello\r\n0\r\n\r\n'],
    ['with zeros for the last', '5\r\nhello\r\n000\r\n\r\n'],
    ['with an extension', '5;a\r\nhello\r\n0\r\n\r\n'],
    ['with an extension and value', '5;a=b\r\nhello\r\n0;c=d\r\n\r\n'],
    ['with a quoted value', '5;a="b;c"\r\nhello\r\n0\r\n\r\n'],
    ['with a quoted request', '5;a="GET /v1/smuggled HTTP/1.1"\r\nhello\r\n0\r\n\r\n'],
    ['with several extensions', '5;a=b;c;d="e"\r\nhello\r\n0\r\n\r\n'],
  ])('rule 4: %s: forwarded without a trace of its framing', async (_what, chunks) => {
    expect((await kit.served(HEAD + chunks)).body).toBe('hello')
    expect((await kit.served(drip(HEAD + chunks, 3))).body).toBe('hello')
  })

  test('rule 4: sizes in either case of hex', async () => {
    const body = 'x'.repeat(0xab)
    expect((await kit.served(`${HEAD}aB\r\n${body}\r\n${END}`)).body).toBe(body)
  })

  test.each([
    '0x5',
    '0X5',
    '+5',
    '-5',
    '-1',
    ' 5',
    '5 ',
    '\t5',
    '5\t',
    '5 5',
    '',
    ' ',
    'g',
    '5g',
    'x',
    '5,5',
    '5.0',
    '"5"',
    '\x0b5',
    '5\x0b',
    '5\x00',
    '\x005',
    '5\xa0',
    '\xb2',
    '5\x7f',
    '5=a',
    '5:',
    '5 a',
    '10000000000000005',
    'fffffffffffffffff',
    'f'.repeat(40),
    '5\r',
    '5\rX',
    '\r5',
    '5\n',
    '\n5',
    '5\r\n ',
  ])('rule 4: the size %j is refused, and the connection ends', async (size) => {
    await kit.refused(`${HEAD}${size}\r\nhello\r\n${END}${BEHIND}`, 400)
  })

  test.each([
    ['LF behind a size', '5\nhello\r\n0\r\n\r\n'],
    ['LF behind the last size', '5\r\nhello\r\n0\n\r\n'],
    ['LF for the empty line', '5\r\nhello\r\n0\r\n\n'],
    ['LF behind data', '5\r\nhello\n0\r\n\r\n'],
    ['LF everywhere', '5\nhello\n0\n\n'],
    ['LF in an extension', '5;a=b\nX\r\nhello\r\n0\r\n\r\n'],
    ['LF that ends an extension', '5;a\nhello\r\n0\r\n\r\n'],
    ['LF behind the sign', '5;\nhello\r\n0\r\n\r\n'],
    ['LF in a quoted value', '5;a="\n"\r\nhello\r\n0\r\n\r\n'],
    ['LF in the last extension', '5\r\nhello\r\n0;a\n\r\n\r\n'],
    ['CR in an extension', '5;a\rX\r\nhello\r\n0\r\n\r\n'],
    ['CR in a quoted value', '5;a="\r"\r\nhello\r\n0\r\n\r\n'],
    ['CR CR LF behind a size', '5\r\r\nhello\r\n0\r\n\r\n'],
    ['NUL in an extension', '5;a=\x00\r\nhello\r\n0\r\n\r\n'],
    ['NUL in a quoted value', '5;a="\x00"\r\nhello\r\n0\r\n\r\n'],
    ['a control byte in an extension', '5;a=\x01\r\nhello\r\n0\r\n\r\n'],
    ['DEL in an extension', '5;a=\x7f\r\nhello\r\n0\r\n\r\n'],
    ['an open quote', '5;a="b\r\nhello\r\n0\r\n\r\n'],
    ['no line end behind data', '5\r\nhello0\r\n\r\n'],
    ['other bytes behind data', '5\r\nhelloXX0\r\n\r\n'],
    ['more data than the size', '5\r\nhello!\r\n0\r\n\r\n'],
    ['less data than the size', '5\r\nhell\r\n0\r\n\r\n'],
    ['CR behind data', '5\r\nhello\r0\r\n\r\n'],
    ['CR CR LF behind data', '5\r\nhello\r\r\n0\r\n\r\n'],
    ['an empty line between chunks', '5\r\nhello\r\n\r\n0\r\n\r\n'],
    ['a line end before the first', '\r\n5\r\nhello\r\n0\r\n\r\n'],
    ['no chunks at all', 'hello\r\n\r\n'],
  ])('rule 4: %s: refused, and the connection ends', async (_what, chunks) => {
    await kit.refused(HEAD + chunks + BEHIND, 400)
  })

  test('rule 4: the extensions of one chunk are bounded', async () => {
    await kit.refused(`${HEAD}5;${'a'.repeat(100_000)}\r\nhello\r\n${END}${BEHIND}`, [400, 413])
  })

  test('rule 4: the extensions of all chunks together are bounded', async () => {
    const chunk = `1;${'a'.repeat(1000)}\r\nx\r\n`
    await kit.refused(`${HEAD}${chunk.repeat(2000)}${END}${BEHIND}`, [400, 413])
  })
})

describe('rule 4: a body cut short never becomes a whole request', () => {
  const cut = (bytes: string): Part[] => [bytes, { wait: 30 }, { fin: true }]

  test.each([
    ['before a length is reached', `${post('Content-Length: 50')}hello`],
    ['before any of it', post('Content-Length: 5')],
    ['one byte before its end', `${post('Content-Length: 5')}hell`],
    ['before the first chunk', HEAD],
    ['in a size', `${HEAD}5`],
    ['behind a size', `${HEAD}5\r\n`],
    ['in a chunk', `${HEAD}5\r\nhel`],
    ['behind a chunk', `${HEAD}5\r\nhello`],
    ['between chunks', `${HEAD}5\r\nhello\r\n`],
    ['in the last size', `${HEAD}5\r\nhello\r\n0`],
    ['before the empty line', `${HEAD}5\r\nhello\r\n0\r\n`],
    ['in the empty line', `${HEAD}5\r\nhello\r\n0\r\n\r`],
    ['in a trailer', `${HEAD}5\r\nhello\r\n0\r\nX-T: v`],
    ['in a chunk of nearly endless size', `${HEAD}ffffffffffffffff\r\nhello`],
  ])('rule 4: %s', async (_what, bytes) => {
    const { statuses, end, requests } = await kit.exchange(cut(bytes))
    expect(end).not.toBe('quiet')
    expect(statuses.filter((status) => status < 400)).toEqual([])
    expect(requests.filter(({ complete }) => complete)).toEqual([])
    await kit.served(get('/v1/x'))
  })

  test.each([
    ['a length', `${post('Content-Length: 20000')}${'x'.repeat(10_000)}`],
    ['chunks', `${HEAD}2710\r\n${'x'.repeat(10_000)}\r\n`],
  ])(
    'rule 4: of %s, already streamed: the upstream request is broken off',
    async (_what, bytes) => {
      const { statuses, requests } = await kit.exchange([bytes, { wait: 100 }, { fin: true }])
      expect(statuses.filter((status) => status < 400)).toEqual([])
      expect(requests.filter(({ complete }) => complete)).toEqual([])
      await expect.poll(() => requests.every(({ socket }) => socket.destroyed)).toBe(true)
    },
  )

  test.each(['zz\r\n', '\nGET', '5\r\nhello!!\r\n', '0\n\n'])(
    'rule 4: a streamed body that goes wrong (%j) is broken off too',
    async (wrong) => {
      const bytes = `${HEAD}2710\r\n${'x'.repeat(10_000)}\r\n`
      const outcome = await kit.exchange([bytes, { wait: 100 }, wrong + BEHIND])
      expect(outcome.end).not.toBe('quiet')
      expect(outcome.statuses.filter((status) => status < 400)).toEqual([])
      expect(outcome.requests.filter(({ complete }) => complete)).toEqual([])
      await expect.poll(() => outcome.requests.every(({ socket }) => socket.destroyed)).toBe(true)
      await kit.served(get('/v1/x'))
    },
  )
})

describe('rule 5: trailers', () => {
  test.each([
    ['any', 'X-T: v'],
    ['several', 'X-T: v\r\nX-U: w\r\nX-T: v2'],
    ['empty', 'X-T:'],
    ['a credential', 'X-Api-Key: stolen\r\nAuthorization: Bearer stolen\r\nCookie: stolen=1'],
    ['a Host', 'Host: evil.example'],
    ['an override', 'X-HTTP-Method-Override: DELETE\r\nForwarded: for=evil.example'],
    ['a Connection', 'Connection: x-api-key, host'],
    ['an Expect', 'Expect: 100-continue'],
  ])('rule 5: (%s) are read and dropped, never merged into the head', async (_what, trailers) => {
    const names = [...trailers.matchAll(/^([^:\r\n]+):/gm)].map(([, name]) => name)
    const bytes = `${post('Transfer-Encoding: chunked', `Trailer: ${names.join(', ')}`, 'TE: trailers')}5\r\nhello\r\n0\r\n${trailers}\r\n\r\n`
    const { statuses, requests } = await kit.exchange(bytes + get('/v1/y'), { replies: 2 })
    expect(statuses).toEqual([200, 200])
    const [first] = requests
    expect(first).toMatchObject({ body: 'hello', trailers: '', complete: true })
    expect(first?.head).not.toMatch(/X-T|X-U|stolen|evil|DELETE/)
  })

  test.each([
    ['a length', 'Content-Length: 100'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6'],
    ['a coding', 'Transfer-Encoding: chunked'],
    ['another coding', 'Transfer-Encoding: identity'],
  ])('rule 5: with %s reframe nothing: refused, or dropped', async (_what, trailers) => {
    const bytes = `${HEAD}5\r\nhello\r\n0\r\n${trailers}\r\n\r\n`
    const { statuses, requests, end } = await kit.exchange(bytes + get('/v1/y'), {
      replies: 2,
      patience: 700,
    })
    if (statuses[0] === 200) {
      expect(statuses).toEqual([200, 200])
      expect(requests.map(({ body }) => body)).toEqual(['hello', ''])
      expect(requests[0]?.trailers).toBe('')
    } else {
      expect([statuses, requests.length]).toEqual([[400], 0])
      expect(end).not.toBe('quiet')
    }
  })

  test.each([
    ['without a colon', 'GET /v1/smuggled HTTP/1.1'],
    ['with an empty name', ': 1'],
    ['folded', 'X-T: 1\r\n 2'],
    ['with white space first', ' X-T: 1'],
    ['with a space before the colon', 'X-T : 1'],
    ['with LF', 'X-T: 1\nX-U: 2'],
    ['with LF at their end', 'X-T: 1\n'],
    ['with CR', 'X-T: 1\rX-U: 2'],
    ['with NUL', 'X-T: a\x00b'],
    ['with a control byte', 'X-T: a\x01b'],
    ['with an odd name', 'X(T): 1'],
    ['of 64 KiB', `X-T: ${'v'.repeat(65_536)}`],
    ['by the thousand', 'X-T: vvvvvvvv\r\n'.repeat(5000).slice(0, -2)],
  ])('rule 5: %s: refused, and the connection ends', async (_what, trailers) => {
    await kit.refused(`${HEAD}5\r\nhello\r\n0\r\n${trailers}\r\n\r\n${BEHIND}`, [400, 431])
  })
})
