import { describe, expect, test } from 'vitest'

import { rested } from '../../src/cli/rest.ts'
import { manualClock, settle } from '../support/manual-clock.ts'

describe('work that rests', () => {
  test('starts at once, and a thousand calls meanwhile become one more', async () => {
    const clock = manualClock()
    const seen: number[] = []
    const call = rested(1000, clock, async (calls) => void seen.push(calls))
    for (let i = 0; i < 1000; i++) call()
    expect(seen).toEqual([1])
    await clock.advance(999)
    expect(seen).toEqual([1])
    await clock.advance(1)
    expect(seen).toEqual([1, 999])
    await clock.advance(1000)
    call()
    expect(seen).toEqual([1, 999, 1])
  })

  test('never runs twice at a time, however long it takes, and loses no last call', async () => {
    const clock = manualClock()
    const ends: (() => void)[] = []
    const call = rested(1000, clock, () => new Promise((resolve) => void ends.push(resolve)))
    call()
    call()
    await clock.advance(60_000)
    expect(ends).toHaveLength(1)
    ends[0]?.()
    await settle()
    expect(ends).toHaveLength(1)
    await clock.advance(1000)
    expect(ends).toHaveLength(2)
  })
})
