import { describe, expect, test } from 'vitest'

import { canonicalName } from '../../src/opusdns/name.ts'
import { seeded } from '../support/seeded.ts'

const SEED = Math.floor(Math.random() * 0x7fff_ffff)
const LONG = 'a'.repeat(63)

describe('a name', () => {
  test.each([
    ['example.com', 'example.com'],
    ['Example.COM.', 'example.com'],
    ['_acme-challenge.WWW.example.com', '_acme-challenge.www.example.com'],
    ['*.Example.com', '*.example.com'],
    ['com', 'com'],
    ['a-.-b', 'a-.-b'],
    ['1.0.0.127.in-addr.arpa.', '1.0.0.127.in-addr.arpa'],
    // A host parser of the web would make an address of these.
    ['0x7f.1', '0x7f.1'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example.', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
    ['xn--strae-oqa.de', 'xn--strae-oqa.de'],
    ['_x.日本.example', '_x.xn--wgv71a.example'],
    [`${LONG}.example`, `${LONG}.example`],
    [`${LONG}.${LONG}.${LONG}.${LONG.slice(2)}.`, `${LONG}.${LONG}.${LONG}.${LONG.slice(2)}`],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalName(text)).toBe(canonical)
  })

  test.each([
    '',
    '.',
    '..',
    '.example.com',
    'example..com',
    'example.com..',
    ' example.com',
    'example.com ',
    'example.com\n',
    'example .com',
    'exa\0mple.com',
    'example\\.com',
    'example\\046com',
    'ex%61mple.com',
    'example%2ecom',
    'example.com/rrsets',
    'example,com',
    'example:com',
    '@',
    '@.example.com',
    'a*.example.com',
    '**.example.com',
    '"example.com"',
    '\u00adexample.com',
    'exam\u00adple.com',
    'exam\u200bple.com',
    // Dots of other scripts.
    'example\u3002com',
    'example\uff0ecom',
    'example\uff61com',
    'bücher\u3002com',
    // Letters that become ASCII on the way.
    'ex\uff41mple.com',
    '\u212aelvin.example',
    'example.\u217dom',
    '\u2100.example',
    // Deviations between the versions of IDNA.
    'straße.de',
    'STRAẞE.de',
    'βόλος.com',
    'ΒΌΛΟΣ.com',
    'a\u200db.com',
    '\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com',
    // A-labels that are not what they decode to.
    'xn--.com',
    'xn--a.com',
    'xn--example-.com',
    'xn--bcher-kva1.com',
    'xn--BCHER-kv\u00e4.com',
    'xn--xn--bcher-kva-.com',
    '\ud800.com',
    `${LONG}a.example`,
    `${LONG}.${LONG}.${LONG}.${LONG.slice(1)}`,
    'a.'.repeat(200_000),
    'ü'.repeat(300),
  ])('%j is none', (text) => {
    expect(canonicalName(text)).toBeUndefined()
  })

  test(`has one form in whatever way it is spelled (seed ${SEED})`, () => {
    const { below, pick } = seeded(SEED)
    const spell = [
      (text: string) => text.toUpperCase(),
      (text: string) => `${text}.`,
      (text: string) => text.normalize('NFD'),
      (text: string) => text.normalize('NFC'),
      (text: string) => Array.from(text, (s) => (below(2) ? s.toUpperCase() : s)).join(''),
      (text: string) => canonicalName(text) ?? text,
    ] as const
    for (let run = 0; run < 1_000; run += 1) {
      const labels = Array.from({ length: 1 + below(4) }, () =>
        pick(['www', '_dmarc', '*', 'a-b', 'bücher', 'éa', 'xn--bcher-kva', '日本', 'x9', 'åäö']),
      )
      const name = labels.join('.')
      const canonical = canonicalName(name)
      expect(canonical).toMatch(/^[a-z0-9_*.-]+$/)
      expect(canonicalName(canonical ?? '')).toBe(canonical)
      const other = pick(spell)(pick(spell)(name).replace(/\.$/, ''))
      expect([canonical, other]).toEqual([canonicalName(other), other])
    }
  })

  test(`is canonical or none, whatever comes (seed ${SEED})`, () => {
    const { below, pick } = seeded(SEED)
    for (let run = 0; run < 5_000; run += 1) {
      const text = Array.from({ length: below(12) }, () =>
        pick([
          String.fromCharCode(below(0x80)),
          String.fromCodePoint(below(0x1_1000)),
          'xn--',
          '.',
          'a',
          '-',
          '\u0308',
        ]),
      ).join('')
      const canonical = canonicalName(text)
      if (canonical === undefined) continue
      expect(canonical).toMatch(/^(?:\*|[a-z0-9_-]{1,63})(?:\.(?:\*|[a-z0-9_-]{1,63}))*$/)
      expect(canonicalName(canonical)).toBe(canonical)
    }
  })
})
