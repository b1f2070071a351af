// The lists that may be filtered, and how their elements are named. All of them answer
// `{results: […], pagination: {…}}` (openapi: `Pagination_…`).

import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'

/** The member of each element that holds its name. */
export type NameMember = 'name' | 'zone_name' | 'hostname'

const MEMBERS: ReadonlyMap<Operation, NameMember> = new Map(
  Object.entries({
    'GET /v1/dns': 'name',
    'GET /v1/dns/domain-forwards': 'zone_name',
    'GET /v1/dns/email-forwards': 'zone_name',
    'GET /v1/domains': 'name',
    'GET /v1/domain-forwards': 'hostname',
    'GET /v1/email-forwards': 'hostname',
  } as const).map(([operation, member]) => [operationNamed(operation), member]),
)

/** See `NameMember`, of a list of zones, domains or forwards; `undefined` for all else. */
export function namedListMember(operation: Operation): NameMember | undefined {
  return MEMBERS.get(operation)
}
