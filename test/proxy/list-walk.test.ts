import { describe, expect, test } from 'vitest'

import type { ListPage } from '../../src/proxy/list-page.ts'
import { listWalk } from '../../src/proxy/list-walk.ts'

/** A page of the list `names` as OpusDNS would cut it, two a page; all of it may be seen. */
function cut(names: readonly string[], page: number): ListPage {
  const shown = names.slice((page - 1) * 2, page * 2)
  return {
    seen: shown.map((name) => [name, `<${name}>`]),
    length: shown.length,
    totalItems: names.length,
    hasNext: page * 2 < names.length,
  }
}

/** Walks over a list that is `lists[n]` at the reading n, and the last one after that. */
function walked(...lists: readonly (readonly string[])[]) {
  const walk = listWalk()
  let readings = 0
  for (;;) {
    const list = lists[Math.min(readings, lists.length - 1)] ?? []
    readings += 1
    if (walk.take(cut(list, walk.page))) break
    if (readings > 50) throw new Error('it does not end')
  }
  return { readings, shown: walk.elements().join('') }
}

describe('a walk over a list', () => {
  test('that stays as it is reads each page once', () => {
    expect(walked(['a', 'b', 'c', 'd', 'e'])).toEqual({ readings: 3, shown: '<a><b><c><d><e>' })
    expect(walked([])).toEqual({ readings: 1, shown: '' })
  })

  test('from which an element goes loses none of those that stay', () => {
    const before = ['a', 'b', 'c', 'd']
    // Without `a`, `c` moves to the first page after that was read.
    expect(walked(before, ['b', 'c', 'd'])).toEqual({ readings: 4, shown: '<b><c><d>' })
  })

  test('into which an element comes shows none twice', () => {
    const after = ['new', 'a', 'b', 'c', 'd']
    expect(walked(['a', 'b', 'c', 'd'], after).shown).toBe('<new><a><b><c><d>')
  })

  test('that never rests ends, and keeps what any round has seen', () => {
    const rounds = Array.from({ length: 40 }, (_, at) =>
      at % 2 === 0 ? ['a', 'b', 'c', 'd'] : ['b', 'c', 'd'],
    )
    const { readings, shown } = walked(...rounds)
    expect(readings).toBeLessThanOrEqual(6)
    for (const name of ['b', 'd']) expect(shown.split(`<${name}>`)).toHaveLength(2)
  })
})
