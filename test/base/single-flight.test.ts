import { expect, test } from 'vitest'

import { oneAfterAnother, singleFlight } from '../../src/base/single-flight.ts'
import { eventually } from '../support/eventually.ts'

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

test('who asks while one is under way gets the next, which begins after the question', async () => {
  const ends: (() => void)[] = []
  let begun = 0
  const ask = oneAfterAnother(async () => {
    const number = ++begun
    await new Promise<void>((resolve) => void ends.push(resolve))
    return number
  })
  const first = ask()
  const second = [ask(), ask()]
  expect(begun).toBe(1)
  ends[0]?.()
  expect(await first).toBe(1)
  await eventually(() => begun === 2)
  // The second runs: it may have read what this one changes.
  const third = ask()
  ends[1]?.()
  expect(await Promise.all(second)).toEqual([2, 2])
  await eventually(() => begun === 3)
  ends[2]?.()
  expect(await third).toBe(3)
  const fourth = ask()
  expect(begun).toBe(4)
  ends[3]?.()
  expect(await fourth).toBe(4)
})
