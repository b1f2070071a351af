import { format, inspect } from 'node:util'

import { describe, expect, test } from 'vitest'

import { Secret } from '../../src/base/secret.ts'

const TEXT = 'opk_canary_value'

describe('a secret', () => {
  test('cannot be printed in any way that JavaScript prints', () => {
    const secret = Secret.of(TEXT)
    const prints = [
      String(secret),
      `${secret}`,
      '' + secret,
      [secret].join(),
      JSON.stringify({ secret }),
      inspect(secret, { depth: 9, showHidden: true }),
      inspect({ nested: [secret] }, { depth: 9, showHidden: true }),
      format('%s %o %j %O', secret, secret, secret, secret),
      JSON.stringify(structuredClone({ ...secret })),
      Object.entries(secret).join(),
      new Error('with cause', { cause: secret }).stack ?? '',
    ]
    for (const print of prints) expect(print).not.toContain(TEXT)
    expect(JSON.stringify(structuredClone(secret))).toBe('{}')
  })

  test('gives its text to the one who reveals it', () => {
    expect(Secret.of(TEXT).reveal()).toBe(TEXT)
  })

  test('is told from another by its fingerprint, which does not hold it', () => {
    const { fingerprint } = Secret.of(TEXT)
    expect(fingerprint).toMatch(/^[0-9a-f]{12}$/)
    expect(fingerprint).toBe(Secret.of(TEXT).fingerprint)
    expect(fingerprint).not.toBe(Secret.of('another').fingerprint)
  })

  test('equals another with the same text only', () => {
    expect(Secret.of('a').equals(Secret.of('a'))).toBe(true)
    expect(Secret.of('a').equals(Secret.of('b'))).toBe(false)
  })
})
