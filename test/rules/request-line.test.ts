// INTERMEDIARY rules 6 and 7: the request line, and the name that we are called by.

import { describe, expect, test } from 'vitest'

import { values } from './recorder.ts'
import { BEHIND, get, head, rulesKit } from './support.ts'

const kit = rulesKit()
const HOST = 'Host: localhost\r\n\r\n'

describe('rule 6: the target', () => {
  test.each([
    'http://localhost/v1/x',
    'http://localhost:8080/v1/x',
    'http://127.0.0.1/v1/x',
    'http://[::1]:80/v1/x',
    'HTTP://LOCALHOST/v1/x',
    'https://localhost/v1/x',
  ])('rule 6: %s is the path alone, and wins over Host', async (target) => {
    for (const host of ['localhost', 'evil.example']) {
      const request = await kit.served(head(`GET ${target}`, `Host: ${host}`))
      expect(request.target).toBe('/v1/x')
      expect(values(request.fields, 'host')[0]).toBe(kit.upstream.origin.slice('http://'.length))
      expect(request.head).not.toMatch(/evil|localhost/i)
    }
  })

  test.each([
    'http://evil.example/v1/x',
    'https://evil.example:443/v1/x',
    'http://localhost.evil.example/v1/x',
    'http://user@localhost/v1/x',
    'http://user:pass@localhost/v1/x',
    'http://localhost@evil.example/v1/x',
    'http://evil.example#@localhost/v1/x',
    'http://evil.example?@localhost/v1/x',
    'http://evil.example\\@localhost/v1/x',
    'http://localhost\\.evil.example/v1/x',
    'http://localhost:99999/v1/x',
    'http://localhost:0/v1/x',
    'http://localhost:x/v1/x',
    'http://localhost:/v1/x',
    'http:///v1/x',
    'http:/v1/x',
    'http:v1/x',
    'http://',
    'http://localhost',
    'http://localhost/',
    'http://localhost?a=b',
    'http://localhost#/v1/x',
    'http://localhost//v1/x',
    'http://localhost/http://localhost/v1/x',
    'http://localhost/%2e%2e/v1/x',
    'ftp://localhost/v1/x',
    'ws://localhost/v1/x',
    'file:///v1/x',
    'javascript:alert(1)',
    'localhost:80',
    'localhost/v1/x',
    'v1/x',
    'evil.example',
    '@evil.example/v1/x',
    ':80@evil.example/',
    '.evil.example/v1/x',
    '//evil.example/v1/x',
    '//localhost/v1/x',
    '///v1/x',
    '/\\evil.example/v1/x',
    '\\\\evil.example/v1/x',
    '\\v1\\x',
    '?a=b',
    '#',
    '*',
    '/v1/x#',
    '/v1/x#frag',
    '/v1/x?a#frag',
  ])('rule 6: %s reaches nobody', async (target) => {
    await kit.denied(get(target), [400, 404, 421])
  })

  test.each([
    ['a space in it', 'GET /v1/x /smuggled HTTP/1.1\r\n'],
    ['a tab in it', 'GET /v1/x\ty HTTP/1.1\r\n'],
    ['a tab before it', 'GET\t/v1/x HTTP/1.1\r\n'],
    ['a tab behind it', 'GET /v1/x\tHTTP/1.1\r\n'],
    ['a NUL', 'GET /v1/\0x HTTP/1.1\r\n'],
    ['a control byte', 'GET /v1/\x01x HTTP/1.1\r\n'],
    ['a vertical tab', 'GET /v1/x\x0bHTTP/1.1\r\n'],
    ['no target', 'GET HTTP/1.1\r\n'],
    ['an empty target', 'GET  HTTP/1.1\r\n'],
    ['a target alone', '/v1/x\r\n'],
    ['nothing but a version', 'HTTP/1.1\r\n'],
    ['a status line', 'HTTP/1.1 200 OK\r\n'],
    ['a space before the method', ' GET /v1/x HTTP/1.1\r\n'],
    ['a field before it', 'X-A: 1\r\nGET /v1/x HTTP/1.1\r\n'],
  ])('rule 6: %s: refused, and the connection ends', async (_what, line) => {
    await kit.refused(`${line}${HOST}${BEHIND}`, 400)
  })

  test.each([
    ['two spaces before the target', 'GET  /v1/x HTTP/1.1\r\n'],
    ['two spaces before the version', 'GET /v1/x  HTTP/1.1\r\n'],
    ['a space behind the version', 'GET /v1/x HTTP/1.1 \r\n'],
  ])('rule 6: %s: refused, or read in the one way there is', async (_what, line) => {
    const { statuses, requests } = await kit.exchange(line + HOST, { replies: 1 })
    if (statuses[0] === 200) expect(requests.map(({ target }) => target)).toEqual(['/v1/x'])
    else expect([statuses, requests]).toEqual([[400], []])
  })

  test('rule 6: one empty line before a request is skipped', async () => {
    expect((await kit.served(`\r\n${get('/v1/x')}`)).target).toBe('/v1/x')
  })
})

describe('rule 6: the version', () => {
  test.each([
    'HTTP/2.0',
    'HTTP/2',
    'HTTP/3',
    'HTTP/3.0',
    'HTTP/1.2',
    'HTTP/1.9',
    'HTTP/1',
    'HTTP/1.',
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/1.01',
    'HTTP/11',
    'HTTP/0.9',
    'HTTP/0.0',
    'HTTP/9.9',
    'HTTP/-1.1',
    'HTTP/1,1',
    'HTTP/1.1x',
    'HTTP/ 1.1',
    'HTTP /1.1',
    'HTTP//1.1',
    'http/1.1',
    'Http/1.1',
    'HTTPS/1.1',
    'HTTP\\1.1',
    'XTTP/1.1',
    'ICE/1.0',
    'FTP/1.1',
    '1.1',
  ])('rule 6: %s is refused, and the connection ends', async (version) => {
    await kit.refused(`GET /v1/x ${version}\r\n${HOST}${BEHIND}`, [400, 505])
  })

  test('rule 6: none (HTTP/0.9) is refused, with a Host and without', async () => {
    await kit.refused(`GET /v1/x\r\n${HOST}`, [400, 505])
    await kit.refused(`GET /v1/x\r\n\r\n${BEHIND}`, [400, 505])
    await kit.refused('GET /v1/x \r\n\r\n', [400, 505])
  })

  test('rule 6: RTSP/1.0, which the parser takes for HTTP/1.0, is one request and the last', async () => {
    const { statuses, end, requests } = await kit.exchange(`GET /v1/x RTSP/1.0\r\n${HOST}${BEHIND}`)
    expect([end, requests.length]).toEqual(['fin', statuses[0] === 200 ? 1 : 0])
    expect(requests.map(({ target }) => target)).not.toContain('/v1/smuggled')
  })

  test('rule 6: the preface of HTTP/2 is refused, and the connection ends', async () => {
    await kit.refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505])
    await kit.refused('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04\0\0\0\0\0', [400, 505])
    await kit.refused(`PRI * HTTP/1.1\r\n${HOST}${BEHIND}`, [400, 405])
  })

  test('rule 6: TLS on this port, and other noise, is refused', async () => {
    await kit.refused(`\x16\x03\x01\0\xa5\x01\0\0\xa1\x03\x03${'A'.repeat(40)}`, 400)
    await kit.refused('SSH-2.0-OpenSSH_9.9\r\n', 400)
    await kit.refused('EHLO localhost\r\n', 400)
    await kit.refused('\0'.repeat(20), 400)
  })

  test('rule 6: HTTP/1.0 is served, and ends with its connection unless asked to stay', async () => {
    const one = await kit.exchange(`GET /v1/x HTTP/1.0\r\n${HOST}${BEHIND}`)
    expect([one.statuses, one.end]).toEqual([[200], 'fin'])
    expect(one.requests.map(({ target }) => target)).toEqual(['/v1/x'])
    await kit.refused('GET /v1/x HTTP/1.0\r\n\r\n', 400)
  })
})

describe('rule 6: the method', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'rule 6: %s passes',
    async (method) => {
      const request = await kit.served(
        head(`${method} /v1/x`, 'Host: localhost', 'Content-Length: 0'),
      )
      expect(request.method).toBe(method)
    },
  )

  test.each([
    'get',
    'GeT',
    'GETT',
    'FOO',
    'GE(T',
    'GE\tT',
    'G\0ET',
    'GET,POST',
    '"GET"',
    '\xc7ET',
    'TRACK',
    'DEBUG',
    'post',
  ])('rule 6: %j is no method of HTTP: refused, and the connection ends', async (method) => {
    await kit.refused(head(`${method} /v1/x`, 'Host: localhost') + BEHIND, 400)
  })

  test.each([
    'PROPFIND',
    'MOVE',
    'LOCK',
    'REPORT',
    'PURGE',
    'LINK',
    'SOURCE',
    'QUERY',
    'M-SEARCH',
    'ACL',
  ])('rule 6: %s is no method of the API: 405', async (method) => {
    await kit.denied(head(`${method} /v1/x`, 'Host: localhost'), 405)
  })

  test.each([[], ['Max-Forwards: 0'], ['Max-Forwards: 1'], ['Max-Forwards: 0', 'Via: 1.1 a']])(
    'rule 6: TRACE (%j) reflects nothing',
    async (...fields) => {
      const { text } = await kit.denied(
        head('TRACE /v1/x', 'Host: localhost', 'X-Mark: reflected', ...fields),
        405,
      )
      expect(text).not.toContain('reflected')
      await kit.denied(head('TRACE *', 'Host: localhost'), 405)
    },
  )

  test('rule 6: a TRACE with a body is refused, and the body is no request', async () => {
    const bytes = head('TRACE /v1/x', 'Host: localhost', `Content-Length: ${BEHIND.length}`)
    await kit.denied(bytes + BEHIND, 405)
  })

  test.each([
    'localhost:80',
    'evil.example:443',
    '127.0.0.1:1',
    '/v1/x',
    '*',
    'http://localhost/v1/x',
    '[::1]:22',
  ])('rule 6: CONNECT %s opens no tunnel', async (target) => {
    const bytes = head(`CONNECT ${target}`, 'Host: localhost')
    await kit.refused(bytes + BEHIND, 405)
  })

  test('rule 6: OPTIONS * is answered here', async () => {
    await kit.denied(head('OPTIONS *', 'Host: localhost'), 405)
    await kit.denied(head('OPTIONS *', 'Host: localhost', 'Max-Forwards: 5'), 405)
  })

  test('rule 6: Max-Forwards of 0 is answered here, a higher one is counted down', async () => {
    for (const count of ['0', '00', ' 0 ']) {
      await kit.denied(head('OPTIONS /v1/x', 'Host: localhost', `Max-Forwards: ${count}`), 204)
    }
    for (const [count, left] of [
      ['1', '0'],
      ['10', '9'],
      ['007', '6'],
    ]) {
      const request = await kit.served(
        head('OPTIONS /v1/x', 'Host: localhost', `Max-Forwards: ${count}`),
      )
      expect(values(request.fields, 'max-forwards')).toEqual([left])
    }
    for (const count of ['-1', 'x', '', '1.5', '0x0', '99999999999999999999']) {
      const request = await kit.served(
        head('OPTIONS /v1/x', 'Host: localhost', `Max-Forwards: ${count}`),
      )
      expect(values(request.fields, 'max-forwards')).toEqual([])
    }
    await kit.refused(
      head('OPTIONS /v1/x', 'Host: localhost', 'Max-Forwards: 5', 'Max-Forwards: 0'),
      400,
    )
  })

  test('rule 6: Max-Forwards means nothing to other methods', async () => {
    expect((await kit.served(get('/v1/x', 'Max-Forwards: 0'))).target).toBe('/v1/x')
  })
})

describe('rule 7: Host', () => {
  test.each([
    ['none', ['X-A: 1']],
    ['empty', ['Host:']],
    ['empty, with a space', ['Host: ']],
    ['empty in HTTP/1.1 with an absolute target', ['Host:']],
  ] as const)('rule 7: (%s) is refused, and the connection ends', async (what, fields) => {
    const target = what.includes('absolute') ? 'http://localhost/v1/x' : '/v1/x'
    await kit.refused(head(`GET ${target}`, ...fields) + BEHIND, 400)
  })

  test.each([
    'attacker.example',
    'localhost.attacker.example',
    'attacker.example:80',
    'api.opusdns.com',
    'localhost, localhost',
    'localhost,evil.example',
    'localhost evil.example',
    'localhost/v1',
    'localhost/',
    'http://localhost',
    'a@localhost',
    'localhost@evil.example',
    'user:pass@localhost',
    'evil#localhost',
    'localhost#',
    'localhost?',
    'localhost\\',
    'localhost:',
    'localhost:x',
    'localhost:-1',
    'localhost:+80',
    'localhost:0',
    'localhost:65536',
    'localhost:99999',
    'localhost:800000',
    'localhost:80:80',
    'localhost: 80',
    'localhost :80',
    ':80',
    '%6cocalhost',
    'localhost%00',
    'localhost%',
    'l\xf6calhost',
    '"localhost"',
    'localhost;',
    'localhost.',
    'localhost..',
    '.localhost',
    '.',
    '*',
    '0.0.0.0',
    '127.1',
    '127.0.0.2',
    '2130706433',
    '0x7f000001',
    '017700000001',
    '127.0.0.1.attacker.example',
    '[::]',
    '[::2]',
    '::1',
    '[::1',
    '::1]',
    '[::1]x',
    '[::1]:x',
    '[::1%25lo]',
    '[127.0.0.1]',
    '[localhost]',
    '[]',
    '169.254.169.254',
  ])('rule 7: %s is not ours: refused', async (host) => {
    await kit.denied(head('GET /v1/x', `Host: ${host}`), [400, 421])
  })

  test.each([
    'localhost',
    'LOCALHOST',
    'LocalHost:1',
    'localhost:65535',
    '127.0.0.1',
    '127.0.0.1:8080',
    '[::1]',
    '[::1]:9',
    '  localhost  ',
  ])('rule 7: %s is ours: served, and the upstream hears its own name', async (host) => {
    const request = await kit.served(head('GET /v1/x', `Host: ${host}`))
    expect(values(request.fields, 'host')).toEqual([kit.upstream.origin.slice('http://'.length)])
  })

  test('rule 7: nothing else in the head names the host', async () => {
    for (const name of [
      'X-Forwarded-Host',
      'X-Host',
      'X-Original-Host',
      'Forwarded',
      'X-Forwarded-Server',
    ]) {
      const request = await kit.served(get('/v1/x', `${name}: evil.example`))
      expect(request.head).not.toContain('evil.example')
      await kit.denied(head('GET /v1/x', 'Host: evil.example', `${name}: localhost`), 421)
    }
  })
})
