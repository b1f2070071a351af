import { expect, test } from 'vitest'

import { retryAfter } from '../../src/base/retry-after.ts'

const NOW = Date.UTC(2026, 10, 23)

test.each([
  ['30', 30_000],
  [' 0 ', 0],
  ['Mon, 23 Nov 2026 00:00:10 GMT', 10_000],
  ['Sun, 22 Nov 2026 00:00:10 GMT', 0],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['2026', 2_026_000],
  ['', undefined],
  [undefined, undefined],
])('Retry-After %j means a wait of %j ms', (value, ms) => {
  expect(retryAfter(value, NOW)).toBe(ms)
})
