import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { needles } from '../../src/base/needles.ts'

/** Few letters, so that patterns overlap, repeat, and nearly match all the time. */
function letters(min: number, max: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom('a', 'b'), minLength: min, maxLength: max })
}

const patterns = fc.array(fc.oneof(letters(8, 12), letters(30, 90)), { minLength: 1, maxLength: 5 })
/** Texts made of pieces of the patterns, and of others. */
const scene = patterns.chain((list) =>
  fc.record({
    list: fc.constant(list),
    text: fc
      .array(
        fc.oneof(
          letters(0, 20),
          fc.constant('-'),
          fc.constantFrom(...list),
          fc.constantFrom(...list).map((it) => it.slice(0, -1)),
        ),
        { maxLength: 8 },
      )
      .map((pieces) => pieces.join('')),
  }),
)

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function naiveFind(list: readonly string[], text: string, from: number) {
  for (let start = from; start < text.length; start++) {
    const sizes = list.filter((it) => text.startsWith(it, start)).map((it) => it.length)
    if (sizes.length > 0) return { start, end: start + Math.max(...sizes) }
  }
  return undefined
}

function naiveTail(list: readonly string[], text: string): number {
  for (let start = 0; start < text.length; start++) {
    const rest = text.slice(start)
    if (list.some((it) => it !== rest && it.startsWith(rest))) return rest.length
  }
  return 0
}

describe('needles', () => {
  test('find the earliest pattern, and the longest there, from any position on', () => {
    fc.assert(
      fc.property(scene, fc.nat(60), ({ list, text }, from) => {
        const found = needles(list.map(bytes)).find(bytes(text), from)
        expect(found).toEqual(naiveFind(list, text, from))
      }),
      { numRuns: 1_000 },
    )
  })

  test('know the longest end of the bytes that a pattern may begin with', () => {
    fc.assert(
      fc.property(scene, fc.nat(100), ({ list, text }, cut) => {
        const some = text.slice(0, Math.max(0, text.length - cut))
        expect(needles(list.map(bytes)).tail(bytes(some))).toBe(naiveTail(list, some))
      }),
      { numRuns: 1_000 },
    )
  })

  test('name every position where the head of a pattern stands', () => {
    fc.assert(
      fc.property(scene, ({ list, text }) => {
        const search = needles(list.map(bytes))
        const heads = list.map((it) => it.slice(0, search.window))
        const found: number[] = []
        for (
          let at = search.head(bytes(text), 0);
          at !== -1;
          at = search.head(bytes(text), at + 1)
        ) {
          found.push(at)
        }
        const starts = Array.from(text, (_, at) => at)
        expect(found).toEqual(starts.filter((at) => heads.some((it) => text.startsWith(it, at))))
      }),
      { numRuns: 500 },
    )
  })

  test('find a long pattern anywhere in random bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 300, maxLength: 2_000 }),
        fc.uint8Array({ maxLength: 400 }),
        fc.uint8Array({ maxLength: 400 }),
        (pattern, before, after) => {
          const text = Buffer.concat([before, pattern, after])
          const found = needles([Buffer.from(pattern)]).find(text, 0)
          expect(found).toBeDefined()
          expect(found?.start).toBe(text.indexOf(pattern))
        },
      ),
      { numRuns: 200 },
    )
  })

  test('leave out patterns of fewer than 8 bytes, and find nothing without patterns', () => {
    const none = needles([bytes('1234567'), bytes('')])
    expect(none.find(bytes('12345678'), 0)).toBeUndefined()
    expect(none.head(bytes('12345678'), 0)).toBe(-1)
    expect(none.tail(bytes('1234'))).toBe(0)
    expect(none.window).toBe(0)
    const one = needles([bytes('1234567'), bytes('abcdefgh')])
    expect(one.find(bytes('1234567abcdefgh'), 0)).toEqual({ start: 7, end: 15 })
  })

  test('are not changed by what is done to the array of patterns afterwards', () => {
    const list = [bytes('abcdefgh'), bytes('abcdefghijkl')]
    const search = needles(list)
    list.pop()
    expect(search.find(bytes('abcdefghijkl'), 0)).toEqual({ start: 0, end: 12 })
  })
})
