import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { Secret } from '../../src/base/secret.ts'
import { echoFilter } from '../../src/credentials/echo.ts'
import { readReplyHead, rewriteLocation } from '../../src/proxy/reply-head.ts'

const ORIGIN = 'https://api.opusdns.com'
const CONTEXT = { pseudonym: 'me', id: 'made-here', origin: ORIGIN }

const read = (...fields: string[]) =>
  readReplyHead(
    fields.map((text) => Buffer.from(text, 'latin1')),
    CONTEXT,
    echoFilter([Secret.of('the-live-credential-0123456789')]),
  )

describe('a Location', () => {
  test.each([
    ['https://api.opusdns.com/v1/tlds/?page=2#x', '/v1/tlds/?page=2#x'],
    ['http://api.opusdns.com/v1/tlds/', '/v1/tlds/'],
    ['http://API.OpusDNS.com/v1/x', '/v1/x'],
    ['//api.opusdns.com/v1/x', '/v1/x'],
    ['HTTPS://api.opusdns.com', '/'],
  ])('on the host of the upstream (%s) becomes a path of ours', (location, path) => {
    expect(rewriteLocation(location, ORIGIN)).toBe(path)
  })

  test.each([
    '/v1/tlds/',
    'x/y',
    '?page=2',
    '',
    'https://storage.example/file?sig=1',
    'https://api.opusdns.com.evil.example/v1',
    'https://evil.example/https://api.opusdns.com/',
    'https://api.opusdns.com:8443/v1/x',
    'https://[broken',
  ])('elsewhere or relative (%s) stays as it is', (location) => {
    expect(rewriteLocation(location, ORIGIN)).toBe(location)
  })

  test('on a port of its own is known by name and port', () => {
    const origin = 'http://127.0.0.1:8081'
    expect(rewriteLocation('http://127.0.0.1:8081/v1/a', origin)).toBe('/v1/a')
    expect(rewriteLocation('http://127.0.0.1:8082/v1/a', origin)).toBe('http://127.0.0.1:8082/v1/a')
  })

  test('is rewritten in Location and Content-Location alike', () => {
    const { fields } = read('location', `${ORIGIN}/a`, 'Content-Location', `${ORIGIN}/b`)
    expect(fields.slice(0, 4)).toEqual(['location', '/a', 'Content-Location', '/b'])
  })
})

describe('the fields of a reply', () => {
  test('pass in their order, spelling and bytes', () => {
    const kept = ['X-b', '1', 'x-A', 'caf\u00e9', 'X-b', '2', 'ETag', '"x"']
    expect(read(...kept).fields.slice(0, kept.length)).toEqual(kept)
  })

  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'TE',
    'Trailer',
    'Upgrade',
    'Alt-Svc',
    'Set-Cookie',
    'Set-Cookie2',
    'Proxy-Authorization',
  ])('lose %s', (name) => {
    expect(read(name, 'close', 'X-Kept', '1').fields.slice(0, 2)).toEqual(['X-Kept', '1'])
  })

  test('lose what Connection names, but neither Via nor X-Request-Id of ours', () => {
    const { fields } = read('X-Hop', '1', 'Connection', 'x-hop , Via,x-request-id', 'x-HOP', '2')
    expect(fields).toEqual(['Via', '1.1 me', 'X-Request-Id', 'made-here'])
  })

  test('get our name behind those in Via', () => {
    const { fields } = read('Via', '1.1 edge', 'via', '1.0 core')
    expect(fields.slice(0, 2)).toEqual(['Via', '1.1 edge, 1.0 core, 1.1 me'])
  })

  test("keep the upstream's request ids; its own server id is the one that is logged", () => {
    const { fields, upstreamId } = read('x-request-id', 'asked', 'X-Server-Request-Id', 'theirs')
    expect(fields.join()).not.toContain('made-here')
    expect(upstreamId).toBe('theirs')
    expect(read('x-request-id', 'asked').upstreamId).toBe('asked')
    expect(read().upstreamId).toBeUndefined()
  })
})

describe('the framing of a reply', () => {
  test('is told apart: length, chunks, or the end of the connection', () => {
    expect(read('Content-Length', '12')).toMatchObject({ contentLength: 12, chunked: false })
    const chunked = read('Transfer-Encoding', 'Chunked')
    expect(chunked).toMatchObject({ contentLength: undefined, chunked: true })
    expect(chunked.fields.join().toLowerCase()).not.toContain('transfer-encoding')
    expect(read('Server', 'x')).toMatchObject({ contentLength: undefined, chunked: false })
  })

  test.each([
    [['Content-Length', '1', 'content-length', '1']],
    [['Content-Length', '1', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']],
    [['Transfer-Encoding', 'gzip, chunked']],
    [['Transfer-Encoding', 'identity']],
  ])('that is ambiguous (%j) is a fault of the upstream', (fields) => {
    expect(() => read(...fields)).toThrow(expect.objectContaining({ code: 'upstream_protocol' }))
    expect(() => read(...fields)).toThrow(Fault)
  })
})
