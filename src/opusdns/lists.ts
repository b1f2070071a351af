// The lists that may be filtered, and how their elements are named. All of them answer
// `{results: […], pagination: {…}}` (openapi: `Pagination_…`).

import type { Operation } from './operations.ts'

const MEMBERS: ReadonlyMap<string, 'name' | 'zone_name'> = new Map([
  ['GET /v1/dns', 'name'],
  ['GET /v1/dns/domain-forwards', 'zone_name'],
  ['GET /v1/dns/email-forwards', 'zone_name'],
  ['GET /v1/domains', 'name'],
])

/** The member that names each element of a list of zones or domains; `undefined` for all else. */
export function namedListMember(operation: Operation): 'name' | 'zone_name' | undefined {
  return MEMBERS.get(`${operation.method} ${operation.template}`)
}
