import { describe, expect, test } from 'vitest'

import { canonicalTarget } from '../../src/opusdns/canonical-path.ts'

// Each of these some server, framework or name library reads as another path than it seems.
const REFUSED = [
  '/v1/public/%2E%2E/admin',
  '/v1/public/..%2Fadmin',
  '/v1/public/..%5cadmin',
  '/v1/public/..%252fadmin',
  '/v1/public/%252e%252e%252fadmin',
  '/v1/public/%25252e%25252e/admin',
  '/v1/public/%2e%2e;/admin',
  '/v1/public/.;/../admin',
  '/v1/public/./../admin',
  '/v1/public/x%2f..%2f..%2fadmin',
  '/v1/public/%e0%80%ae%e0%80%ae/admin',
  '/v1/public/%uff0e%uff0e/admin',
  '/v1/public/..%ef%bc%8fadmin',
  '/v1/public/%ef%bc%8e%ef%bc%8e/admin',
  '/v1/public/..%20/admin',
  '/v1/public/.%0d./admin',
  '/v1/public/..%3b/admin',
  '/v1/public/..%3fadmin/../../admin',
  '/v1/public/....//admin',
  '/v1/public/%2e%2e?x=/v1/public/',
  '/v1/public/..%c1%9cadmin',
  '/v1/dns/example%e3%80%82com',
  '/v1/dns/example%00.com',
  '/v1/dns/a%7fb',
  '/v1/%61dmin',
  '/v1/x/../public/x',
  '/v1/./public/x',
  '//v1/public/x',
  '//evil.example/v1/x',
  '/\\evil.example/v1/x',
  '/v1/public/x;v=1',
  '/v1/public/%',
  '/v1/public/%2',
  '/v1/public/%zz',
  '/v1/x#frag',
  '/v1/x?a=b#frag',
  '/v1/\u00ffx',
  '/v1/a b',
  '/v1/a|b',
  'v1/x',
  '@evil.example/v1/x',
  ':80@evil.example/',
  '.evil.example/v1/x',
  '*',
  '',
]

const KEPT = [
  '/',
  '/v1/dns/example.com',
  '/v1/dns/example.com.',
  '/v1/dns/_acme-challenge.www.example.com/rrsets',
  '/v1/tlds/',
  '/v1/public/...',
  '/v1/public/a+b',
  '/v1/public/a@b',
  '/v1/public/a:b,c',
  '/v1/dns/b%C3%BCcher.example',
  '/v1/tags/a%20b',
  '/v1/tags/100%25',
  '/V1/public/x',
]

describe('a target', () => {
  test.each(REFUSED)('%s is refused', (target) => {
    expect(canonicalTarget(target)).toEqual({ refused: expect.stringMatching(/^It .*\.$/) })
  })

  test.each(KEPT)('%s is kept, byte for byte', (target) => {
    expect(canonicalTarget(target)).toEqual({ path: target, query: '' })
  })

  test('keeps its query untouched, whatever it holds', () => {
    const query = '?y=%2e%2e%2f&names=a,b&names=c&x=%41+//;\\'
    expect(canonicalTarget(`/v1/domains/check${query}`)).toEqual({
      path: '/v1/domains/check',
      query,
    })
  })
})
