import { describe, expect, test } from 'vitest'

import { readings } from '../../src/opusdns/record-name.ts'
import { seeded } from '../support/seeded.ts'

const SEED = Math.floor(Math.random() * 0x7fff_ffff)
const ZONE = 'example.com'
const LONG = 'a'.repeat(60)

describe('the name of a record in the zone example.com', () => {
  test.each([
    ['@', ['example.com']],
    ['', ['example.com']],
    ['www', ['www.example.com']],
    ['WWW', ['www.example.com']],
    ['*', ['*.example.com']],
    ['_acme-challenge.a', ['_acme-challenge.a.example.com']],
    ['www.example.com.', ['www.example.com']],
    ['Example.Com.', ['example.com']],
    ['www.example.org.', ['www.example.org']],
    ['com.', ['com']],
    ['www.example.com', ['www.example.com.example.com', 'www.example.com']],
    ['EXAMPLE.COM', ['example.com.example.com', 'example.com']],
    ['notexample.com', ['notexample.com.example.com']],
    ['example.com.evil.org', ['example.com.evil.org.example.com']],
    ['bücher', ['xn--bcher-kva.example.com']],
    [`${LONG}.${LONG}.${LONG}.${LONG}`, []],
    [
      `${LONG}.${LONG}.${LONG}.${LONG.slice(8)}.example.com`,
      [`${LONG}.${LONG}.${LONG}.${LONG.slice(8)}.example.com`],
    ],
    ['.', []],
    ['@.', []],
    ['@.example.com', []],
    ['www..example.com', []],
    ['www\\.x', []],
    [' www', []],
    ['www.example.com..', []],
  ])('%j may be %j', (name, expected) => {
    expect(readings(name, ZONE)).toEqual(expected)
  })

  test(`reads the same in 20 spellings as a plain reader would (seed ${SEED})`, () => {
    const { below, pick } = seeded(SEED)
    for (let run = 0; run < 1_000; run += 1) {
      const zone = pick(['example.com', 'dev.example.com', 'com', 'xn--bcher-kva.example'])
      const label = pick(['www', '_acme-challenge', '*', 'bücher', 'example', 'com'])
      const under = pick([label, `${label}.${zone}`, `${label}.${zone}.`, `a.${label}`, zone, '@'])
      const name = below(2) ? under.toUpperCase() : under
      const bare = name.toLowerCase().replace('bücher', 'xn--bcher-kva')
      // What an API does that takes relative names first, and one that takes absolute names first.
      const full = bare.endsWith('.') ? bare.slice(0, -1) : `${bare}.${zone}`
      const first = bare === '@' ? zone : full
      const inside = bare === zone || bare.endsWith(`.${zone}`)
      const second = inside ? bare : first
      expect([...new Set(readings(name, zone))].toSorted()).toEqual(
        [...new Set([first, second])].toSorted(),
      )
    }
  })
})
