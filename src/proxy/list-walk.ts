// What was read of a list that is filtered while it is read page by page. The list may change
// meanwhile: an element that moved over the border of a page is then in two pages, or in none.

import type { ListPage } from './list-page.ts'

/** A list that changed each time is read this often. */
const MOST_WALKS = 3

/** Collects the pages of one list. */
export interface ListWalk {
  /** The page to read now; from 1. */
  readonly page: number
  /** Takes that page. True when there is nothing more to read. */
  take(page: ListPage): boolean
  /** What may be seen of the whole list, in its order, each once. */
  elements(): readonly string[]
}

/**
 * Builds a walk that has read nothing. One in which the number of elements changed, or is not the
 * number of those that came, may have missed some, and begins anew; what only an earlier round saw is
 * kept, at the end.
 */
export function listWalk(): ListWalk {
  let page = 1
  let walks = 1
  let count = 0
  let total: number | undefined
  let steady = true
  let seen = new Map<string, string>()
  const before = new Map<string, string>()

  return {
    get page() {
      return page
    },
    take(read) {
      for (const [name, text] of read.seen) if (!seen.has(name)) seen.set(name, text)
      count += read.length
      steady &&= total === undefined || total === read.totalItems
      total = read.totalItems
      if (read.hasNext) {
        page += 1
        return false
      }
      // One page is of one moment.
      steady &&= page === 1 || count === total
      if (steady || walks === MOST_WALKS) return true
      for (const [name, text] of seen) before.set(name, text)
      seen = new Map()
      walks += 1
      page = 1
      count = 0
      total = undefined
      steady = true
      return false
    },
    elements() {
      if (steady) return [...seen.values()]
      const missed = [...before].filter(([name]) => !seen.has(name))
      return [...seen.values(), ...missed.map(([, text]) => text)]
    },
  }
}
