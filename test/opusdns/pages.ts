// Pagination as the API does it.

import { invalid, json, type Reply } from './problems.ts'

const MAX_PAGE_SIZE = 1000

/** 200 with one page of `items`, or 422 when `page` or `page_size` is out of range. */
export function page(items: readonly unknown[], query: URLSearchParams): Reply {
  const current = Number(query.get('page') ?? 1)
  const size = Number(query.get('page_size') ?? 10)
  if (!Number.isInteger(current) || current < 1) return outOfRange('page', query)
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE_SIZE)
    return outOfRange('page_size', query)
  const pages = Math.ceil(items.length / size)
  return json(200, {
    results: items.slice((current - 1) * size, current * size),
    pagination: {
      total_pages: pages,
      total_items: items.length,
      current_page: current,
      page_size: size,
      has_next_page: current < pages,
      has_previous_page: current > 1,
    },
  })
}

function outOfRange(name: string, query: URLSearchParams): Reply {
  const msg = 'Input should be a whole number in range'
  return invalid([{ type: 'int_range', loc: ['query', name], msg, input: query.get(name) }])
}
