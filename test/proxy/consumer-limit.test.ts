import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { z } from '../../src/base/schema.ts'
import { consumerLimit } from '../../src/proxy/consumer-limit.ts'
import { limitShape } from '../../src/proxy/consumer-limit-options.ts'
import { manualClock } from '../support/manual-clock.ts'

const schema = z.strictObject(limitShape)
const parse = (limits: unknown) => schema.safeParse({ limits })

function make(limits: Record<string, unknown>) {
  const settings = schema.parse({ limits }).limits
  if (settings === undefined) throw new Error('no limits')
  const clock = manualClock()
  const limit = consumerLimit(settings, clock)
  const leaves: (() => void)[] = []
  /** Its fields, or the fault, which ends the exchange. */
  const enter = () => {
    const before = leaves.length
    try {
      limit.enter((leave) => void leaves.push(leave))
      return limit.pay()
    } catch (error) {
      for (const leave of leaves.splice(before)) leave()
      if (error instanceof Fault) return error
      throw error
    }
  }
  /** How many of `tries` are let in. */
  const letIn = (tries: number) =>
    Array.from({ length: tries }, enter).filter((result) => !(result instanceof Fault)).length
  return { clock, enter, count: letIn, leave: () => leaves.shift()?.() }
}

describe('the rate of a consumer', () => {
  test.each([
    ['50/s', 100],
    ['600/m', 20],
    ['7/s', 1000],
    ['3/s', 7],
    ['999999/s', 333],
    ['1/h', 1],
  ])('of %s lets a burst of %i through, to the request', (rate, burst) => {
    const { count } = make({ rate, burst })
    expect(count(burst * 2)).toBe(burst)
  })

  test('lets as many through at once as the rate says when no burst is given', () => {
    expect(make({ rate: '600/m' }).count(1000)).toBe(600)
  })

  test('lets through what it says over a long time, and no request more', async () => {
    const { clock, count } = make({ rate: '7/s', burst: 3 })
    expect(count(10)).toBe(3)
    let passed = 0
    for (let at = 0; at < 100; at++) {
      await clock.advance(100)
      passed += count(5)
    }
    expect(passed).toBe(70)
  })

  test('is full again after the time of the burst, and no fuller', async () => {
    const { clock, count } = make({ rate: '50/s', burst: 100 })
    count(100)
    await clock.advance(1000)
    expect(count(1000)).toBe(50)
    await clock.advance(3_600_000)
    expect(count(1000)).toBe(100)
  })

  test('a refused request costs nothing', async () => {
    const { clock, count } = make({ rate: '1/s', burst: 1 })
    expect(count(1000)).toBe(1)
    await clock.advance(1000)
    expect(count(1)).toBe(1)
  })

  test('tells how much is left, and a refused one when to come again', async () => {
    const { clock, enter } = make({ rate: '2/m', burst: 2 })
    const policy = '"consumer";q=2;w=60'
    expect(enter()).toEqual(['RateLimit-Policy', policy, 'RateLimit', '"consumer";r=1;t=30'])
    await clock.advance(500)
    expect(enter()).toEqual(['RateLimit-Policy', policy, 'RateLimit', '"consumer";r=0;t=30'])
    await clock.advance(4500)
    const fault = enter() as Fault
    expect(fault.code).toBe('rate_limited')
    expect(fault.retryAfter).toBe(25)
    expect(fault.fields).toEqual(['RateLimit-Policy', policy, 'RateLimit', '"consumer";r=0;t=25'])
    await clock.advance(25_000)
    expect(enter()).toBeInstanceOf(Array)
  })

  test('says a whole second when it is less', () => {
    const { count, enter } = make({ rate: '100/s' })
    count(100)
    expect((enter() as Fault).retryAfter).toBe(1)
  })
})

describe('the concurrency of a consumer', () => {
  test('lets so many in, and the next when one is over', () => {
    const { count, enter, leave } = make({ concurrency: 3 })
    expect(count(10)).toBe(3)
    expect((enter() as Fault).fields).toEqual([
      'RateLimit-Policy',
      '"concurrency";q=3;qu="concurrent-requests"',
      'RateLimit',
      '"concurrency";r=0;t=1',
    ])
    leave()
    expect(count(10)).toBe(1)
  })

  test('takes nothing of the rate when it refuses, nor the rate of it', async () => {
    const { clock, count, leave } = make({ rate: '2/s', concurrency: 1 })
    expect(count(100)).toBe(1)
    leave()
    expect(count(100)).toBe(1)
    leave()
    expect(count(100)).toBe(0)
    await clock.advance(500)
    expect(count(1)).toBe(1)
  })
})

describe('the options', () => {
  test.each([
    [{ rate: '50' }],
    [{ rate: '0/s' }],
    [{ rate: '5/d' }],
    [{ rate: 50 }],
    [{ rate: '-5/s' }],
    [{ burst: 5 }],
    [{ concurrency: 0 }],
    [{ rate: '5/s', burst: 0 }],
    [{ speed: 5 }],
    [{}],
  ])('refuse %j', (limits) => {
    expect(parse(limits).success).toBe(false)
  })
})
