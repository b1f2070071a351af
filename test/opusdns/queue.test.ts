import { describe, expect, test } from 'vitest'

import { queue } from '../../src/opusdns/queue.ts'
import type { Release } from '../../src/opusdns/queue.ts'

/** A queue whose takers write their names down when their turn comes. */
function line(places: number, greed?: number) {
  const one = queue(places, greed)
  const begun: string[] = []
  const taken: Release[] = []
  return {
    one,
    begun,
    /** Gives back the place that is taken longest. */
    release: () => taken.shift()?.(),
    take: (party: string, name = party) =>
      one.take(party, (release) => {
        taken.push(release)
        begun.push(name)
      }),
  }
}

describe('a queue', () => {
  test('serves one of each party in turn, so that a flood delays another party by one place', () => {
    const { begun, take, release } = line(1)
    for (let at = 0; at < 1000; at++) take('flood')
    take('quiet', 'quiet 1')
    take('quiet', 'quiet 2')
    take('other')
    begun.length = 0
    for (let at = 0; at < 7; at++) release()
    expect(begun).toEqual(['flood', 'quiet 1', 'other', 'flood', 'quiet 2', 'flood', 'flood'])
  })

  test('serves those of one party in the order they came', () => {
    const { begun, take, release } = line(1)
    for (const name of ['a', 'b', 'c']) take('party', name)
    release()
    release()
    expect(begun).toEqual(['a', 'b', 'c'])
  })

  test('forgets what is taken back, once and for all', () => {
    const { one, begun, take, release } = line(1)
    take('a', 'first')
    const takeBack = take('a', 'second')
    take('b', 'third')
    takeBack?.()
    takeBack?.()
    expect(one.waiting).toBe(1)
    release()
    expect(begun).toEqual(['first', 'third'])
    takeBack?.()
    expect(one.waiting).toBe(0)
  })

  test('with no places lets all wait, and serves them when it has some', () => {
    const { one, begun, take, release } = line(2)
    take('a', 'before')
    one.resize(0)
    take('a')
    take('b')
    release()
    expect(begun).toEqual(['before'])
    one.resize(1)
    expect(begun).toEqual(['before', 'a'])
    one.resize(5)
    expect(begun).toEqual(['before', 'a', 'b'])
    expect(one.busy).toBe(2)
  })

  test('with fewer places than are taken serves nobody until enough are given back', () => {
    const { one, begun, take, release } = line(3)
    for (const name of ['1', '2', '3', '4']) take('a', name)
    one.resize(1)
    release()
    release()
    expect(begun).toEqual(['1', '2', '3'])
    release()
    expect(begun).toEqual(['1', '2', '3', '4'])
  })

  test('is empty only when nobody has a place, nor waits for one', async () => {
    const { one, take, release } = line(1)
    take('a')
    one.resize(0)
    const takeBack = take('a')
    let empty = false
    const emptied = one.empty().then(() => (empty = true))
    release()
    await Promise.resolve()
    expect(empty).toBe(false)
    takeBack?.()
    await emptied
    await one.empty()
  })

  test('with greed leaves places to others, however long one party keeps its own', () => {
    const { begun, take, release } = line(16, 7)
    for (let at = 0; at < 100; at++) take('flood')
    expect(begun).toHaveLength(14)
    take('quiet')
    expect(begun.at(-1)).toBe('quiet')
    // What the flood gives back, it may have again.
    release()
    release()
    expect(begun.filter((name) => name === 'flood').length).toBeGreaterThan(14)
  })

  test('with greed lets one party have all of a few', () => {
    const { begun, take } = line(7, 7)
    for (let at = 0; at < 9; at++) take('only')
    expect(begun).toHaveLength(7)
  })

  test('gives back the place of one that throws, and serves those behind it', () => {
    const { one, begun, take, release } = line(1)
    const broken = () => {
      throw new Error('broken')
    }
    expect(() => one.take('a', broken)).toThrow('broken')
    expect(one.busy).toBe(0)
    take('a', 'first')
    one.take('a', broken)
    one.take('b', broken)
    take('a', 'second')
    take('a', 'third')
    expect(release).toThrow('broken')
    expect(begun).toEqual(['first', 'second'])
    release()
    expect(begun).toEqual(['first', 'second', 'third'])
    expect([one.busy, one.waiting]).toEqual([1, 0])
  })

  test('is empty also after one that throws', async () => {
    const { one, take, release } = line(1)
    take('a')
    one.take('a', () => {
      throw new Error('broken')
    })
    const emptied = one.empty()
    expect(release).toThrow('broken')
    await emptied
  })

  test('survives a hundred thousand that end as they begin', () => {
    const one = queue(1)
    let ended = 0
    one.resize(0)
    for (let at = 0; at < 100_000; at++) {
      one.take(`party ${at % 7}`, (release) => {
        ended += 1
        release()
      })
    }
    one.resize(1)
    expect(ended).toBe(100_000)
    expect(one.busy).toBe(0)
  })
})
