import { describe, expect, test } from 'vitest'

import { extracted } from '../../src/secrets/extraction.ts'

const take = (text: string, extraction: Parameters<typeof extracted>[1]) =>
  Buffer.from(extracted(Buffer.from(text), extraction, 'file:/k')).toString()

describe('a field of a JSON object', () => {
  test.each([
    ['{"key":"opk_1"}', 'key', 'opk_1'],
    ['{"data":{"key":"opk_1"}}', 'data.key', 'opk_1'],
    ['{"a.b":"opk_1","a":{"b":"no"}}', 'a.b', 'opk_1'],
  ])('%s #%s', (text, field, secret) => {
    expect(take(text, { field })).toBe(secret)
  })

  test.each([
    ['CANARY', 'key'],
    ['{"key":"CANARY"', 'key'],
    ['{"key":"CANARY"}', 'other'],
    ['{"key":["CANARY"]}', 'key'],
    ['{"key":"CANARY"}', 'constructor'],
    ['["CANARY"]', 'key'],
    ['null', 'key'],
  ])('that is not in %s: #%s is a fault that quotes nothing', (text, field) => {
    expect(() => take(text, { field })).toThrow(/^file:\/k /)
    expect(() => take(text, { field })).not.toThrow(/CANARY/)
  })
})

describe('base64', () => {
  test.each(['b3BrXzE=', 'b3BrXzE', 'b3Br\nXzE=\n', 'b3BrXz8-'])('%j is decoded', (text) => {
    expect(take(text, { base64: true })).toMatch(/^opk_[1?]/)
  })

  test('within a field', () => {
    expect(take('{"key":"b3BrXzE="}', { field: 'key', base64: true })).toBe('opk_1')
  })

  test('that is none is a fault that quotes nothing', () => {
    expect(() => take('CANARY{}', { base64: true })).toThrow('is no base64')
    expect(() => take('CANARY{}', { base64: true })).not.toThrow(/CANARY/)
  })
})
