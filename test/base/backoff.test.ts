import { expect, test } from 'vitest'

import { backoff } from '../../src/base/backoff.ts'

test('the bound of the waits doubles up to the maximum', () => {
  const series = backoff({ first: 500, max: 3000 }, () => 1)
  expect([1, 2, 3, 4, 5].map(() => series.next())).toEqual([500, 1000, 2000, 3000, 3000])
})

test('a success starts the series over', () => {
  const series = backoff({ first: 500, max: 3000 }, () => 1)
  series.next()
  series.next()
  series.reset()
  expect(series.next()).toBe(500)
})

test('full jitter: a wait may be anything down to nothing', () => {
  expect(backoff({ first: 500, max: 3000 }, () => 0).next()).toBe(0)
  expect(backoff({ first: 500, max: 3000 }, () => 0.5).next()).toBe(250)
})
