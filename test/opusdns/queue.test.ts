import { describe, expect, test } from 'vitest'

import { queue } from '../../src/opusdns/queue.ts'

/** A queue whose takers write their names down when their turn comes. */
function line(places: number) {
  const one = queue(places)
  const begun: string[] = []
  return {
    one,
    begun,
    take: (party: string, name = party) => one.take(party, () => void begun.push(name)),
  }
}

describe('a queue', () => {
  test('serves one of each party in turn, so that a flood delays another party by one place', () => {
    const { one, begun, take } = line(1)
    for (let at = 0; at < 1000; at++) take('flood')
    take('quiet', 'quiet 1')
    take('quiet', 'quiet 2')
    take('other')
    begun.length = 0
    for (let at = 0; at < 7; at++) one.release()
    expect(begun).toEqual(['flood', 'quiet 1', 'other', 'flood', 'quiet 2', 'flood', 'flood'])
  })

  test('serves those of one party in the order they came', () => {
    const { one, begun, take } = line(1)
    for (const name of ['a', 'b', 'c']) take('party', name)
    one.release()
    one.release()
    expect(begun).toEqual(['a', 'b', 'c'])
  })

  test('forgets what is taken back, once and for all', () => {
    const { one, begun, take } = line(1)
    take('a', 'first')
    const takeBack = take('a', 'second')
    take('b', 'third')
    takeBack?.()
    takeBack?.()
    expect(one.waiting).toBe(1)
    one.release()
    expect(begun).toEqual(['first', 'third'])
    takeBack?.()
    expect(one.waiting).toBe(0)
  })

  test('with no places lets all wait, and serves them when it has some', () => {
    const { one, begun, take } = line(2)
    take('a', 'before')
    one.resize(0)
    take('a')
    take('b')
    one.release()
    expect(begun).toEqual(['before'])
    one.resize(1)
    expect(begun).toEqual(['before', 'a'])
    one.resize(5)
    expect(begun).toEqual(['before', 'a', 'b'])
    expect(one.busy).toBe(2)
  })

  test('with fewer places than are taken serves nobody until enough are given back', () => {
    const { one, begun, take } = line(3)
    for (const name of ['1', '2', '3', '4']) take('a', name)
    one.resize(1)
    one.release()
    one.release()
    expect(begun).toEqual(['1', '2', '3'])
    one.release()
    expect(begun).toEqual(['1', '2', '3', '4'])
  })

  test('is empty only when nobody has a place, nor waits for one', async () => {
    const { one, take } = line(1)
    take('a')
    one.resize(0)
    const takeBack = take('a')
    let empty = false
    const emptied = one.empty().then(() => (empty = true))
    one.release()
    await Promise.resolve()
    expect(empty).toBe(false)
    takeBack?.()
    await emptied
    await one.empty()
  })

  test('survives a hundred thousand that end as they begin', () => {
    const one = queue(1)
    let ended = 0
    one.resize(0)
    for (let at = 0; at < 100_000; at++) {
      one.take(`party ${at % 7}`, () => {
        ended += 1
        one.release()
      })
    }
    one.resize(1)
    expect(ended).toBe(100_000)
    expect(one.busy).toBe(0)
  })
})
