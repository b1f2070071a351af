// INTERMEDIARY rules 1 and 2: how the end of a request is told, and every way to tell it twice.

import { describe, expect, test } from 'vitest'

import { BEHIND, post, rulesKit } from './support.ts'

const kit = rulesKit()
const CHUNKS = '5\r\nhello\r\n0\r\n\r\n'

describe('rule 1: Transfer-Encoding is one final chunked', () => {
  test.each(['chunked', 'Chunked', 'CHUNKED', '\tchunked ', '   chunked'])(
    'rule 1: (%j) is read as chunks',
    async (coding) => {
      const request = await kit.served(post(`Transfer-Encoding:${coding}`) + CHUNKS)
      expect(request.body).toBe('hello')
    },
  )

  test.each([
    'identity',
    'chunked, identity',
    'identity, chunked',
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'deflate',
    'compress, chunked',
    'chunked, chunked',
    'chunked,chunked',
    'chunked;q=1',
    'chunked; foo=bar',
    'chunked;',
    '"chunked"',
    "'chunked'",
    'xchunked',
    'chunkedx',
    'x chunked',
    'chunked x',
    'chunk',
    'chunked,',
    ',chunked',
    ', chunked',
    'chunked, ,',
    ',',
    '',
    ' ',
    '\x0bchunked',
    'chunked\x0b',
    '\x0cchunked',
    'chunked\x00',
    '\x00chunked',
    '\x08chunked',
    'chunked\x7f',
    'chunked\xa0',
    '\xa0chunked',
    'chun\u006be\xe4',
    'cow',
    'chunked\t, identity',
    'trailers',
    '5',
  ])('rule 1: any other coding (%j) is refused, and the connection ends', async (coding) => {
    const bytes = post(`Transfer-Encoding: ${coding}`) + CHUNKS + BEHIND
    await kit.refused(bytes, [400, 501])
  })

  test.each([
    ['a space before the colon', 'Transfer-Encoding : chunked'],
    ['a tab before the colon', 'Transfer-Encoding\t: chunked'],
    ['a vertical tab before the colon', 'Transfer-Encoding\x0b: chunked'],
    ['a space before the name', ' Transfer-Encoding: chunked'],
    ['a NUL in the name', 'Transfer-Encoding\0: chunked'],
    ['a high byte in the name', 'Transfer-Encoding\xff: chunked'],
    ['folded', 'Transfer-Encoding:\r\n chunked'],
    ['folded with a tab', 'Transfer-Encoding:\r\n\tchunked'],
    ['folded with a second', 'Transfer-Encoding: chunked\r\n , identity'],
    ['behind a bare LF', 'X-A: 1\nTransfer-Encoding: chunked'],
    ['behind a bare CR', 'X-A: 1\rTransfer-Encoding: chunked'],
    ['two lines, the same', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'],
    ['two lines, identity last', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity'],
    ['two lines, identity first', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked'],
    ['two lines, one empty', 'Transfer-Encoding: chunked\r\nTransfer-Encoding:'],
    ['two lines, empty first', 'Transfer-Encoding:\r\nTransfer-Encoding: chunked'],
    ['two lines, another spelling', 'Transfer-Encoding: chunked\r\ntransfer-encoding: x'],
    [
      'two lines, other fields between',
      'Transfer-Encoding: gzip\r\nA: b\r\nTransfer-Encoding: chunked',
    ],
    ['with a length behind', 'Transfer-Encoding: chunked\r\nContent-Length: 5'],
    ['with a length before', 'Content-Length: 5\r\nTransfer-Encoding: chunked'],
    ['with a length of 0', 'Content-Length: 0\r\nTransfer-Encoding: chunked'],
    ['empty, with a length', 'Transfer-Encoding:\r\nContent-Length: 5'],
    ['identity, with a length', 'Transfer-Encoding: identity\r\nContent-Length: 5'],
    ['with a broken length', 'Transfer-Encoding: chunked\r\nContent-Length: abc'],
    ['with an empty length', 'Transfer-Encoding: chunked\r\nContent-Length:'],
    [
      'named in Connection, with a length',
      'Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\nContent-Length: 5',
    ],
  ])('rule 1: %s: refused, and the connection ends', async (_what, fields) => {
    await kit.refused(post(fields) + CHUNKS + BEHIND, [400, 501])
  })

  test.each(['chunked', 'identity', 'gzip', ''])(
    'rule 1: in HTTP/1.0 (%j) it is refused, kept alive or not',
    async (coding) => {
      for (const kept of ['', 'Connection: keep-alive\r\n']) {
        const bytes = `POST /v1/x HTTP/1.0\r\nHost: localhost\r\n${kept}Transfer-Encoding: ${coding}\r\n\r\n`
        await kit.refused(bytes + CHUNKS, [400, 501])
      }
    },
  )

  test('rule 1: named in Connection it still frames the body, for us and for the upstream', async () => {
    const bytes = post('Connection: transfer-encoding', 'Transfer-Encoding: chunked') + CHUNKS
    expect((await kit.served(bytes)).body).toBe('hello')
  })

  test('rule 1: a name that only looks like it frames nothing and is not forwarded', async () => {
    for (const name of ['Transfer_Encoding', 'transfer_encoding', 'Transfer_encoding']) {
      const request = await kit.served(`${post(`${name}: chunked`, 'Content-Length: 5')}hello`)
      expect(request.body).toBe('hello')
      expect(request.head.toLowerCase()).not.toContain('chunked')
    }
  })

  test('rule 1: chunks frame the body of every method', async () => {
    for (const method of ['GET', 'DELETE', 'OPTIONS']) {
      const bytes = `${method} /v1/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`
      expect((await kit.served(bytes + CHUNKS)).body).toBe('hello')
    }
  })
})

describe('rule 2: Content-Length is digits', () => {
  test.each(['5', ' 5', '5 ', '\t5\t', '05', '0000000005'])(
    'rule 2: (%j) is a length',
    async (length) => {
      const request = await kit.served(`${post(`Content-Length:${length}`)}hello`)
      expect(request.body).toBe('hello')
    },
  )

  test.each([
    '+5',
    '-5',
    '-0',
    '0x5',
    '5, 5',
    '5,5',
    '5,6',
    '5 5',
    '5\t5',
    '',
    ' ',
    '5;',
    '5;x=y',
    '5.0',
    '5.',
    '.5',
    '5e0',
    '1_0',
    '"5"',
    "'5'",
    '5a',
    'a5',
    'NaN',
    'Infinity',
    '\xb2',
    '5\x0b',
    '\x0b5',
    '\x0c5',
    '5\x00',
    '5\xa0',
    '5,',
    ',5',
    '18446744073709551616',
    '18446744073709551621',
    '9223372036854775808',
    '99999999999999999999',
    '9'.repeat(400),
  ])('rule 2: (%j) is refused, and the connection ends', async (length) => {
    await kit.refused(`${post(`Content-Length: ${length}`)}hello${BEHIND}`, 400)
  })

  test.each([
    ['twice the same', 'Content-Length: 5\r\nContent-Length: 5'],
    ['twice, different', 'Content-Length: 5\r\nContent-Length: 6'],
    ['0 and another', 'Content-Length: 0\r\nContent-Length: 45'],
    ['another and 0', 'Content-Length: 45\r\nContent-Length: 0'],
    ['twice, in another spelling', 'Content-Length: 5\r\ncontent-length: 5'],
    ['twice, others between', 'Content-Length: 5\r\nA: b\r\nB: c\r\nContent-Length: 5'],
    ['an empty one behind', 'Content-Length: 5\r\nContent-Length:'],
    ['an empty one before', 'Content-Length:\r\nContent-Length: 5'],
    ['a space before the colon', 'Content-Length : 5'],
    ['a tab before the colon', 'Content-Length\t: 5'],
    ['a space before the name', 'X-A: 1\r\n Content-Length: 5'],
    ['folded', 'Content-Length:\r\n 5'],
    ['folded behind', 'Content-Length: 5\r\n 0'],
    ['behind a bare LF', 'X-A: 1\nContent-Length: 5'],
    ['behind a bare CR', 'X-A: 1\rContent-Length: 5'],
  ])('rule 2: %s: refused, and the connection ends', async (_what, fields) => {
    await kit.refused(`${post(fields)}hello${BEHIND}`, 400)
  })

  test.each(['GET', 'DELETE', 'OPTIONS', 'PUT', 'PATCH'])(
    'rule 2: two lengths are refused for %s too',
    async (method) => {
      const fields = 'Host: localhost\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n'
      await kit.refused(`${method} /v1/x HTTP/1.1\r\n${fields}hello`, 400)
    },
  )

  test('rule 2: a name that only looks like it says nothing and is not forwarded', async () => {
    const request = await kit.served(`${post('Content_Length: 99', 'Content-Length: 5')}hello`)
    expect(request.body).toBe('hello')
    expect(request.head).not.toMatch(/content.length: 99/i)
  })

  test('rule 2: named in Connection it still measures the body', async () => {
    const bytes = `${post('Connection: content-length', `Content-Length: ${BEHIND.length}`)}${BEHIND}`
    const request = await kit.served(bytes)
    expect(request.body).toBe(BEHIND)
  })

  test('rule 2: a body of HTTP/1.0 needs it, and ends with it', async () => {
    const bytes = 'POST /v1/x HTTP/1.0\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello'
    const { statuses, requests, end } = await kit.exchange(bytes + BEHIND)
    expect([statuses, end]).toEqual([[200], 'fin'])
    expect(requests.map(({ body }) => body)).toEqual(['hello'])
  })
})
