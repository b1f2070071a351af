import { describe, expect, test } from 'vitest'

import { drain } from '../../src/server/drain.ts'
import type { Listener } from '../../src/server/listener.ts'
import { manualClock } from '../support/manual-clock.ts'

/** A listener that writes down what is done to it; `empty` says that its last connection is gone. */
function listener() {
  const done: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const note = (what: string) => () => {
    if (done.at(-1) !== what) done.push(what)
  }
  const fake: Listener = {
    address: '127.0.0.1:1',
    connections: () => 0,
    retire: note('retire'),
    stopAccepting: note('stopAccepting'),
    closeIdle: note('closeIdle'),
    closed: () => promise,
    destroy: note('destroy'),
  }
  return { fake, done, empty: resolve }
}

describe('draining', () => {
  test('says goodbye first, closes the door after the delay, then idle connections', async () => {
    const clock = manualClock()
    const { fake, done, empty } = listener()
    const drained = drain([fake], { delay: 5000, deadline: 25_000 }, clock)
    await clock.advance(4900)
    expect(done).toEqual(['retire'])
    await clock.advance(200)
    expect(done).toEqual(['retire', 'stopAccepting'])
    await clock.advance(1200)
    expect(done).toEqual(['retire', 'stopAccepting', 'closeIdle'])
    empty()
    await clock.advance(0)
    expect(await drained).toBe('clean')
    expect(done).not.toContain('destroy')
  })

  test('waits for all listeners', async () => {
    const clock = manualClock()
    const [one, other] = [listener(), listener()]
    let outcome = ''
    void drain([one.fake, other.fake], { delay: 0, deadline: 25_000 }, clock).then(
      (it) => (outcome = it),
    )
    one.empty()
    await clock.advance(10_000)
    expect(outcome).toBe('')
    other.empty()
    await clock.advance(0)
    expect(outcome).toBe('clean')
  })

  test('cuts what is left at the deadline, counted from the end of the delay, and waits for its end', async () => {
    const clock = manualClock()
    const { fake, done, empty } = listener()
    let outcome = ''
    void drain([fake], { delay: 5000, deadline: 8000 }, clock).then((it) => (outcome = it))
    await clock.advance(12_900)
    expect(outcome).toBe('')
    expect(done).not.toContain('destroy')
    await clock.advance(200)
    expect(done.at(-1)).toBe('destroy')
    expect(outcome).toBe('')
    empty()
    await clock.advance(0)
    expect(outcome).toBe('cut')
  })

  test('with a delay beyond the deadline still gives requests the whole deadline', async () => {
    const clock = manualClock()
    const { fake, done, empty } = listener()
    let outcome = ''
    void drain([fake], { delay: 60_000, deadline: 1000 }, clock).then((it) => (outcome = it))
    await clock.advance(60_900)
    expect(outcome).toBe('')
    expect(done).toContain('stopAccepting')
    expect(done).not.toContain('destroy')
    await clock.advance(200)
    expect(done.at(-1)).toBe('destroy')
    empty()
    await clock.advance(0)
    expect(outcome).toBe('cut')
  })
})
