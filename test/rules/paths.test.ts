// INTERMEDIARY rules 28 and 29: what is judged is what is forwarded; all else is refused.

import { describe, expect, test } from 'vitest'

import { BEHIND, get, rulesKit } from './support.ts'

const kit = rulesKit()

/** Each is a way to say `..`, `/` or `\` to some server, in the middle of a path. */
const DISGUISES = [
  '%2e%2e',
  '%2E%2E',
  '.%2e',
  '%2e.',
  '%252e%252e',
  '%25252e%25252e',
  '%%32%65',
  '%c0%ae%c0%ae',
  '%c0%2e',
  '%e0%80%ae%e0%80%ae',
  '%f0%80%80%ae',
  '%uff0e%uff0e',
  '%u002e%u002e',
  '%ef%bc%8e%ef%bc%8e',
  '%e2%80%a4%e2%80%a4',
  '%ef%b9%92',
  '%e3%80%82',
  '%e2%80%a5',
  '%e2%80%a6',
  '..%20',
  '%20..',
  '..%09',
  '.%0d.',
  '..%00',
  '..%0a',
  '..%2f',
  '..%5c',
  '%2f',
  '%2F',
  '%5c',
  '%5C',
  '%252f',
  '%255c',
  '%25%32%66',
  '%c0%af',
  '%c1%9c',
  '%e0%80%af',
  '%ef%bc%8f',
  '%ef%bc%bc',
  '%e2%81%84',
  '%e2%88%95',
  '%e2%88%96',
  '%e2%a7%b8',
  '%e2%a7%b5',
  '%u2215',
  '%25u002f',
  '..;',
  '.;',
  ';',
  ';x=y',
  '%3b',
  '..%3b',
  '%253b',
  '..%3f',
  '%23',
  '%253f',
  '%00',
  '%01',
  '%0d%0a',
  '%1f',
  '%7f',
  '%c2%85',
  '%c2%a0..',
  '%e2%80%8b',
  '%e2%80%ae',
  '%ef%bb%bf',
  '%c2%ad',
  '%80',
  '%ff',
  '%c3',
  '%ed%a0%80',
  '%f4%90%80%80',
  '%',
  '%2',
  '%zz',
  '%g0',
  '%-1',
  '%+1',
  '%2 ',
  '|',
  '^',
  '`',
  '<x>',
  '{x}',
  '[x]',
  '"',
  '\\',
  '..\\',
] as const

describe('rule 28: what is not canonical is refused, not normalised', () => {
  test.each(DISGUISES)('rule 28: %s', async (disguise) => {
    for (const target of [`/v1/dns/${disguise}/admin`, `/v1/${disguise}/x`, `/v1/${disguise}`]) {
      await kit.refused(get(target) + BEHIND, 400)
    }
  })

  test.each([
    '/v1/dns/../admin',
    '/v1/dns/..',
    '/v1/dns/./x',
    '/v1/dns/.',
    '/v1/..',
    '/..',
    '/.',
    '/./v1/x',
    '/../v1/x',
    '/x/../v1/x',
    '//v1/x',
    '/v1//x',
    '/v1/x//',
    '/v1///x',
    '/v1/....//admin',
    '/v1/dns/x/../../admin',
    '/v1/x;',
    '/v1;/x',
    '/;/v1/x',
    '/v1/x#',
    '/v1/x#y',
    '/v1/x?y#z',
    '/v1\\x',
    '\\v1\\x',
    '/v1/caf\xe9',
    '/v1/\x80',
    '/v1/\xff',
    '/v1/\xc0\xae\xc0\xae/x',
    '/v1/x?\xe9',
    '/%76%31/x',
    '/v1%2fx',
    '/v1%2Fdns',
    '%2fv1%2fx',
    '/v1/x%3fy',
  ])('rule 28: %s', async (target) => {
    await kit.refused(get(target) + BEHIND, 400)
  })

  test('rule 28: the same holds for an absolute target and for every method', async () => {
    await kit.refused(get('http://localhost/v1/dns/%2e%2e/x') + BEHIND, 400)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      await kit.refused(get('/v1/dns/%2e%2e/x', 'Content-Length: 0').replace('GET', method), 400)
    }
  })

  test.each([
    '/v1/x',
    '/v1/x/',
    '/v1/a+b',
    '/v1/a@b',
    '/v1/a:b',
    '/v1/a,b',
    '/v1/...',
    '/v1/..a',
    '/v1/a..b',
    '/v1/a..',
    '/v1/.well-known',
    "/v1/-._~!$&'()*+,=:@",
    '/v1/caf%c3%a9',
    '/v1/a%20b',
    '/v1/%e4%bd%a0',
    '/v1/x?',
    '/v1/x?a=b&c=%2e%2e%2f',
    '/v1/x?a=/../b',
    '/v1/x?a=//b;c',
    '/v1/x?a?b',
    '/v1/x?%00',
    '/v1/dns/a%40b',
  ])('rule 28: %s is forwarded byte for byte', async (target) => {
    expect((await kit.served(get(target))).target).toBe(target)
  })
})

describe('rule 29: letters, case and slashes', () => {
  test('rule 29: an encoded character that needs no encoding is refused, each of them, in either case', async () => {
    for (const sign of 'azAZ09-._~') {
      const code = sign.charCodeAt(0).toString(16)
      for (const encoded of new Set([code, code.toUpperCase()])) {
        await kit.refused(get(`/v1/dns/x%${encoded}y`), 400)
      }
    }
  })

  test.each([
    '/V1/x',
    '/v1x',
    '/v1',
    '/v1.0/x',
    '/v2/x',
    '/',
    '/admin',
    '/livez',
    '/metrics',
    '/api/v1/x',
  ])('rule 29: %s is not under /v1/: 404', async (target) => {
    await kit.denied(get(target), 404)
  })

  test('rule 29: case and a final slash are forwarded as they are, and are judged', async () => {
    for (const target of ['/v1/DNS', '/v1/dns/', '/v1/Users']) {
      expect((await kit.served(get(target))).target).toBe(target)
    }
    for (const target of ['/v1/auth/x', '/v1/auth/x/', '/v1/auth/'])
      await kit.denied(get(target), 403)
  })

  test("rule 29: /v1/tlds is sent as /v1/tlds/, the API's only final slash", async () => {
    expect((await kit.served(get('/v1/tlds'))).target).toBe('/v1/tlds/')
    expect((await kit.served(get('/v1/tlds/'))).target).toBe('/v1/tlds/')
    expect((await kit.served(get('/v1/tlds?a=b'))).target).toBe('/v1/tlds/?a=b')
    expect((await kit.served(get('/v1/tlds/com'))).target).toBe('/v1/tlds/com')
  })
})
