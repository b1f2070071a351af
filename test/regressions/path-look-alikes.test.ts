// The attack: a path that is harmless to one reader and not to a second one, which knows `%u002f`, drops
// characters that nobody sees, or folds fullwidth letters: `/v1/ａuth` would pass where `/v1/auth` is
// blocked.

import { describe, expect, test } from 'vitest'

import { canonicalTarget } from '../../src/opusdns/canonical-path.ts'

describe('a path that some readers take for another one', () => {
  test.each([
    ['a slash as %u, encoded twice', '/v1/dns/x%25u002fadmin'],
    ['a fullwidth letter', '/v1/%EF%BD%81uth/client_credentials'],
    ['a fullwidth digit behind an encoded percent sign', '/v1/dns/%25%EF%BC%92f'],
    ['an ideographic space', '/v1/dns/%E3%80%80x'],
    ['a space that does not break', '/v1/dns/x%C2%A0'],
    ['a soft hyphen between dots', '/v1/dns/.%C2%AD./x'],
    ['a sign that nobody sees', '/v1/dns/%E1%A0%8Ex'],
    ['a variation selector', '/v1/dns/x%EF%B8%8F'],
  ])('is refused: %s', (_name, target) => {
    expect(canonicalTarget(target)).toHaveProperty('refused')
  })

  test('is not what an ordinary accent makes of it', () => {
    expect(canonicalTarget('/v1/dns/b%C3%BCcher.example')).toHaveProperty('path')
  })
})
