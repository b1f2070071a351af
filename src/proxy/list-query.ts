// The query of a list that is to be filtered: which page the client asked for, and the same query for
// pages of ours. Parameters that pick elements by their names are applied here, for how long OpusDNS takes
// over them would tell which foreign names there are. All others keep their bytes.

import type { NameMember } from '../opusdns/lists.ts'
import { canonicalName } from '../opusdns/name.ts'

/** Elements on a page of ours: the most that the API gives. */
const OUR_SIZE = 1000
/** What the API takes when nothing is asked for. */
const DEFAULT_SIZE = 10

/** See the top of the file. */
export interface ListQuery {
  /** From 1. */
  readonly page: number
  /** 1 to 1000. */
  readonly pageSize: number
  /** The query with its `?` for page `page` of the whole list. */
  of(page: number): string
  /** Whether the client asked for the element of this canonical name and text. */
  wants(name: string, text: string): boolean
}

/** What of an element is looked at, and for what, in lower case. */
type Pick = (element: string, value: string) => boolean

// The API does not say whether `name` is a part of names or all of one; more is shown rather than less.
const PICKS: ReadonlyMap<string, Pick> = new Map<string, Pick>([
  ['name', (element, value) => element.includes(value)],
  ['search', (element, value) => element.includes(value)],
  ['suffix', (element, value) => element.endsWith(value)],
  ['sld', (element, value) => element.startsWith(`${value}.`)],
])

/** Whose names they are, and which of them may be seen. */
export interface QueryScope {
  /** But in lists of what has a `name`, `search` looks into the elements as well. */
  readonly member: NameMember
  readonly sees: (name: string) => boolean
}

/**
 * Reads `query` (with its `?`, or empty). `undefined` when `page` or `page_size` is nothing that every
 * reader takes for the same number in range, or what picks elements cannot be decoded.
 */
export function listQuery(query: string, { member, sees }: QueryScope): ListQuery | undefined {
  let page: string | undefined
  let pageSize: string | undefined
  const others: string[] = []
  const picked = new Map<string, string>()
  for (const part of query.slice(1).split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const spelling = equals < 0 ? part : part.slice(0, equals)
    const name = decoded(spelling) ?? spelling
    const value = equals < 0 ? '' : part.slice(equals + 1)
    // Of a repeated parameter the API takes the last.
    if (name === 'page') page = value
    else if (name === 'page_size') pageSize = value
    else if (!PICKS.has(name)) others.push(part)
    else {
      const text = decoded(value)
      if (text === undefined) return undefined
      picked.set(name, text)
    }
  }
  const own = canonicalName(picked.get('name') ?? '')
  if (own !== undefined && sees(own)) {
    // That the client may know; and the list need not be read as a whole.
    others.push(`name=${encodeURIComponent(picked.get('name') ?? '')}`)
    picked.delete('name')
  }
  const wanted = {
    page: number(page, 1, 999_999_999),
    pageSize: number(pageSize, DEFAULT_SIZE, OUR_SIZE),
  }
  if (wanted.page === undefined || wanted.pageSize === undefined) return undefined
  return {
    page: wanted.page,
    pageSize: wanted.pageSize,
    // Ours come last, so that they win over a spelling of theirs that we do not know.
    wants: (name, text) => {
      for (const [pick, value] of picked) {
        const element = member !== 'name' && pick === 'search' ? text.toLowerCase() : name
        const fits = PICKS.get(pick)
        const forms = [value.toLowerCase().replace(/\.$/, ''), canonicalName(value)]
        if (!forms.some((form) => form !== undefined && fits?.(element, form) === true))
          return false
      }
      return true
    },
    of: (at) => `?${[...others, `page=${at}`, `page_size=${OUR_SIZE}`].join('&')}`,
  }
}

function number(text: string | undefined, fallback: number, most: number): number | undefined {
  if (text === undefined) return fallback
  if (!/^[1-9]\d{0,8}$/.test(text)) return undefined
  const value = Number(text)
  return value > most ? undefined : value
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
