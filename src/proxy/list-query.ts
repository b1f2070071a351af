// The query of a list that is to be filtered: which page the client asked for, and the same query for
// pages of ours. All other parameters keep their bytes.

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
}

/**
 * Reads `query` (with its `?`, or empty). `undefined` when `page` or `page_size` is nothing that every
 * reader takes for the same number in range.
 */
export function listQuery(query: string): ListQuery | undefined {
  let page: string | undefined
  let pageSize: string | undefined
  const others: string[] = []
  for (const part of query.slice(1).split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = nameIn(equals < 0 ? part : part.slice(0, equals))
    const value = equals < 0 ? '' : part.slice(equals + 1)
    // Of a repeated parameter the API takes the last.
    if (name === 'page') page = value
    else if (name === 'page_size') pageSize = value
    else others.push(part)
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
    of: (at) => `?${[...others, `page=${at}`, `page_size=${OUR_SIZE}`].join('&')}`,
  }
}

function number(text: string | undefined, fallback: number, most: number): number | undefined {
  if (text === undefined) return fallback
  if (!/^[1-9]\d{0,8}$/.test(text)) return undefined
  const value = Number(text)
  return value > most ? undefined : value
}

function nameIn(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
