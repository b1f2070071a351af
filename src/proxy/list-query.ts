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

/** Whether an element is one of those looked for; both in lower case. */
type Pick = (element: string, forms: ReadonlySet<string>) => boolean

const some =
  (fits: (element: string, form: string) => boolean): Pick =>
  (element, forms) => {
    for (const form of forms) if (fits(element, form)) return true
    return false
  }

/** May be there several times; all others the API takes once. */
const TLD = 'tld'

// The API does not say whether `name` is a part of names or all of one; more is shown rather than less.
const PICKS: ReadonlyMap<string, Pick> = new Map<string, Pick>([
  ['name', some((element, form) => element.includes(form))],
  ['search', some((element, form) => element.includes(form))],
  ['suffix', some((element, form) => element.endsWith(form))],
  ['sld', some((element, form) => element.startsWith(`${form}.`))],
  [TLD, endsInOne],
])

/** There may be thousands of top-level domains in a query: a look-up takes a step for each label. */
function endsInOne(element: string, forms: ReadonlySet<string>): boolean {
  for (let dot = element.indexOf('.'); dot >= 0; dot = element.indexOf('.', dot + 1)) {
    if (forms.has(element.slice(dot + 1))) return true
  }
  return false
}

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
  const tlds = new Set<string>()
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
      if (name === TLD) addForms(tlds, text.replace(/^\./, ''))
      else picked.set(name, text)
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
  const looks = [...picked].map(([pick, value]) => ({ pick, forms: addForms(new Set(), value) }))
  if (tlds.size > 0) looks.push({ pick: TLD, forms: tlds })
  return {
    page: wanted.page,
    pageSize: wanted.pageSize,
    wants: (name, text) =>
      looks.every(({ pick, forms }) => {
        const element = member !== 'name' && pick === 'search' ? text.toLowerCase() : name
        return PICKS.get(pick)?.(element, forms) === true
      }),
    // Ours come last, so that they win over a spelling of theirs that we do not know.
    of: (at) => `?${[...others, `page=${at}`, `page_size=${OUR_SIZE}`].join('&')}`,
  }
}

/** The ways in which `value` may stand in an element. */
function addForms(forms: Set<string>, value: string): Set<string> {
  const canonical = canonicalName(value)
  if (canonical !== undefined) forms.add(canonical)
  return forms.add(value.toLowerCase().replace(/\.$/, ''))
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
