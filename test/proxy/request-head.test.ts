import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'

import { readRequestHead } from '../../src/proxy/request-head.ts'

function read(rawHeaders: readonly string[], minor = 1) {
  const request = { rawHeaders, httpVersionMinor: minor, httpVersionMajor: 1 }
  return readRequestHead(request as unknown as IncomingMessage, 'me-1234')
}
const withHost = (...fields: string[]) => read(['Host', 'localhost:8080', ...fields])

describe('a request head', () => {
  test('keeps unknown fields as they are, and ends with our Via', () => {
    const kept = ['X-b', '1', 'x-A', 'caf\u00e9', 'X-b', '2', 'Content-Type', 'a/b']
    expect(withHost(...kept).fields).toEqual([...kept, 'Via', '1.1 me-1234'])
  })

  test('says host, type, credential and hop limit without forwarding them all', () => {
    const head = withHost('Authorization', 'Bearer x', 'Content-Type', 'a/b', 'Max-Forwards', '3')
    expect(head).toMatchObject({
      host: 'localhost:8080',
      contentType: 'a/b',
      authorization: 'Bearer x',
      maxForwards: '3',
      crossOrigin: false,
    })
    expect(head.fields).toEqual(['Content-Type', 'a/b', 'Via', '1.1 me-1234'])
  })

  test('keeps its fields when Connection says nothing but close or keep-alive', () => {
    for (const value of ['close', 'keep-alive', 'Close', 'Keep-Alive, close']) {
      expect(withHost('Connection', value, 'X-A', '1').fields).toEqual([
        'X-A',
        '1',
        'Via',
        '1.1 me-1234',
      ])
    }
  })

  test('loses what any of its Connection fields names, in any case', () => {
    const { fields } = withHost(
      'x-one',
      '1',
      'Connection',
      'X-ONE',
      'X-Two',
      '2',
      'connection',
      ' x-two',
    )
    expect(fields).toEqual(['Via', '1.1 me-1234'])
  })

  test('joins the Via of others, and tells of the version that was spoken', () => {
    const { fields } = read(['Host', 'x', 'Via', '1.1 a', 'VIA', '1.1 b'], 0)
    expect(fields).toEqual(['Via', '1.1 a, 1.1 b, 1.0 me-1234'])
  })

  test('with our own name in Via is a loop', () => {
    expect(() => withHost('Via', '1.1 a, 1.1 me-1234')).toThrow(
      expect.objectContaining({ code: 'loop_detected' }),
    )
    expect(() => withHost('Via', '1.1 me-9999')).not.toThrow()
  })
})

describe('the length of a body', () => {
  test('is 0 without framing, the number that is given, or unknown in chunks', () => {
    expect(withHost().contentLength).toBe(0)
    expect(withHost('Content-Length', '0').contentLength).toBe(0)
    expect(withHost('content-length', '123').contentLength).toBe(123)
    expect(withHost('Transfer-Encoding', 'Chunked').contentLength).toBeUndefined()
  })

  test.each(['', '-1', '+1', '1,1', '1 1', '0x1', '1e3', '1.0', '9'.repeat(16)])(
    'is no number when it is "%s"',
    (value) => {
      expect(() => withHost('Content-Length', value)).toThrow(
        expect.objectContaining({ code: 'bad_request' }),
      )
    },
  )
})

describe('a head that is refused', () => {
  test.each([
    ['without Host', ['X-A', '1']],
    ['with an empty Host', ['Host', '']],
    ...[
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Content-Type',
      'Authorization',
      'X-Api-Key',
    ].map(
      (name) => [`with two ${name}`, ['Host', 'a', name, '1', name.toLowerCase(), '1']] as const,
    ),
    [
      'with a length and chunks',
      ['Host', 'a', 'Content-Length', '1', 'Transfer-Encoding', 'chunked'],
    ],
    ['with another coding', ['Host', 'a', 'Transfer-Encoding', 'chunked, chunked']],
    [
      'with a vertical tab in its coding',
      ['Host', 'a', 'Transfer-Encoding', '\u000bchunke\u000bd'],
    ],
  ] as const)('%s', (_how, fields) => {
    expect(() => read(fields)).toThrow(expect.objectContaining({ code: 'bad_request' }))
  })

  test('in HTTP/1.0 with chunks', () => {
    expect(() => read(['Host', 'a', 'Transfer-Encoding', 'chunked'], 0)).toThrow(
      expect.objectContaining({ code: 'bad_request' }),
    )
  })

  test('with an expectation other than 100-continue', () => {
    expect(withHost('Expect', '100-Continue').fields).toEqual(['Via', '1.1 me-1234'])
    expect(() => withHost('Expect', '200-ok')).toThrow(
      expect.objectContaining({ code: 'expectation_failed' }),
    )
  })
})

describe('where a browser says it comes from', () => {
  test.each([
    [['Origin', 'http://localhost:8080'], false],
    [['Origin', 'https://localhost:8080'], false],
    [['Origin', 'http://localhost'], true],
    [['Origin', 'null'], true],
    [['Origin', 'http://evil.example'], true],
    [['Sec-Fetch-Site', 'same-origin'], false],
    [['Sec-Fetch-Site', 'none'], false],
    [['Sec-Fetch-Site', 'same-site'], true],
    [['Sec-Fetch-Site', 'cross-site'], true],
    [['Sec-Fetch-Site', 'none', 'Sec-Fetch-Site', 'cross-site'], true],
  ])('%j: another site is %s', (fields, crossOrigin) => {
    expect(withHost(...fields).crossOrigin).toBe(crossOrigin)
  })
})
