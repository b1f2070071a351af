import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { MAX_SECRET_BYTES, secretFromBytes } from '../../src/secrets/value.ts'

const read = (text: string | Uint8Array) =>
  secretFromBytes(typeof text === 'string' ? Buffer.from(text) : text, 'file:/k')

function refusal(text: string | Uint8Array): Fault {
  try {
    read(text)
  } catch (error) {
    if (error instanceof Fault) return error
  }
  throw new Error('was accepted')
}

describe('a secret from bytes', () => {
  test.each([
    ['opk_a', 'opk_a'],
    ['opk_a\n', 'opk_a'],
    ['opk_a\r\n', 'opk_a'],
    ['!~', '!~'],
  ])('%j becomes %j', (text, expected) => {
    expect(read(text).reveal()).toBe(expected)
  })

  test.each([
    ['empty', ''],
    ['a newline only', '\n'],
    ['two newlines', 'opk_canary\n\n'],
    ['a bare carriage return', 'opk_canary\r'],
    ['a second line', 'opk_canary\nmore'],
    ['header injection', 'opk_canary\r\nX-Evil: 1'],
    ['an inner space', 'opk_canary x'],
    ['a leading space', ' opk_canary'],
    ['a byte order mark', '\u{feff}opk_canary'],
    ['UTF-16', Buffer.from('opk_canary', 'utf16le')],
    ['a NUL', 'opk_canary\0'],
    ['DEL', 'opk_canary\x7f'],
    ['a byte whose low bits are a letter', Buffer.from([0xe1, 0xe2])],
    ['too long', 'c'.repeat(MAX_SECRET_BYTES + 1)],
  ])('is refused when it is %s, and not quoted', (_what, text) => {
    const fault = refusal(text)
    expect(fault.code).toBe('secret_unavailable')
    expect(fault.message).toContain('file:/k')
    expect(fault.message).not.toContain('canary')
    expect(fault.message).not.toContain('ccc')
  })

  test('may be as long as the bound', () => {
    expect(read('c'.repeat(MAX_SECRET_BYTES)).reveal()).toHaveLength(MAX_SECRET_BYTES)
  })

  test('is read from its own part of a larger buffer', () => {
    expect(read(Buffer.from('xxopk_axx').subarray(2, 7)).reveal()).toBe('opk_a')
  })
})
