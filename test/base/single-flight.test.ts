import { expect, test } from 'vitest'

import { singleFlight } from '../../src/base/single-flight.ts'

test('calls made while one is under way share its outcome', async () => {
  let calls = 0
  const shared = singleFlight(async () => {
    calls += 1
    await Promise.resolve()
    return calls
  })
  expect(await Promise.all([shared(), shared(), shared()])).toEqual([1, 1, 1])
})

test('a failure is shared too, and the next call starts anew', async () => {
  let calls = 0
  const shared = singleFlight(async () => {
    calls += 1
    await Promise.resolve()
    if (calls === 1) throw new Error('first')
    return calls
  })
  const outcomes = await Promise.allSettled([shared(), shared()])
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
  expect(await shared()).toBe(2)
})
