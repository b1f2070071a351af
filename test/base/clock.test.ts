import { afterEach, expect, test, vi } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'

afterEach(() => void vi.useRealTimers())

// Node.js, and these timers with it, makes 1 ms of a delay above 2^31-1 ms.
test.each([30, 100])('a timer of %d days fires then, once, and not at once', (days) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const life = days * 86_400_000
  let fired = 0
  systemClock.after(life, () => fired++)
  vi.advanceTimersByTime(life - 1)
  expect(fired).toBe(0)
  vi.advanceTimersByTime(1)
  expect(fired).toBe(1)
  vi.advanceTimersByTime(life)
  expect(fired).toBe(1)
})

test('a long timer can be cancelled in each of its steps', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const life = 100 * 86_400_000
  let fired = 0
  const cancel = systemClock.after(life, () => fired++)
  vi.advanceTimersByTime(life / 2)
  cancel()
  vi.advanceTimersByTime(life)
  expect(fired).toBe(0)
})
