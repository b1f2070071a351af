import { expect, test } from 'vitest'

import { isRecord } from '../../src/base/record.ts'

test('what has named members is a record; null, lists and plain values are none', () => {
  expect([{}, { a: 1 }].every(isRecord)).toBe(true)
  expect([null, undefined, [], [{}], 'a', 1, true].some(isRecord)).toBe(false)
})
