// The query of a list that is read whole: the client's own filters and order in their bytes, and pages
// of ours.

import { Fault } from '../base/fault.ts'

/** What the client asked for, and what is asked for in its place. */
export interface ListQuery {
  /** From 1. */
  readonly page: number
  readonly pageSize: number
  /** The query for one of our pages, with its `?`. */
  of(page: number): string
}

/** Elements on a page of ours: as many as OpusDNS gives. */
const LARGEST_PAGE = 1000
/** The page size of OpusDNS where none is asked for. */
const USUAL_PAGE = 10

/** Reads a query (with its `?`, or empty). Throws a Fault for a page that OpusDNS would refuse too. */
export function listQuery(query: string): ListQuery {
  const others: string[] = []
  const asked: Partial<Record<string, string>> = {}
  for (const part of query.slice(1).split('&')) {
    const [name = '', value = ''] = decoded(part)
    // Of several, the last one counts.
    if (name === 'page' || name === 'page_size') asked[name] = value
    else if (part !== '') others.push(part)
  }
  return {
    page: whole('page', asked['page'], 1, Number.MAX_SAFE_INTEGER),
    pageSize: whole('page_size', asked['page_size'], USUAL_PAGE, LARGEST_PAGE),
    of: (page) => `?${[...others, `page=${page}`, `page_size=${LARGEST_PAGE}`].join('&')}`,
  }
}

/** Name and value as the upstream will read them: a name may be escaped too. */
function decoded(part: string): readonly string[] {
  return [...new URLSearchParams(part)].flat()
}

function whole(name: string, text: string | undefined, usual: number, most: number): number {
  if (text === undefined) return usual
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= most) return value
  throw new Fault('bad_request', {
    detail: `The parameter ${name} is not a whole number from 1${most > LARGEST_PAGE ? '' : ` to ${most}`}.`,
  })
}
