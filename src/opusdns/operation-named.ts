// Operations by their own names, for code that speaks of certain ones.

import { OPERATIONS } from './operations.ts'
import type { Operation } from './operations.ts'

const BY_NAME = new Map(OPERATIONS.map((one) => [`${one.method} ${one.template}`, one]))

/** The operation of the table that `name` is: `PATCH /v1/dns/{zone_name}/rrsets`; `undefined` for none. */
export function maybeOperation(name: string): Operation | undefined {
  return BY_NAME.get(name)
}

/** As `maybeOperation`, for names that are ours. Throws for none. */
export function operationNamed(name: string): Operation {
  const found = maybeOperation(name)
  if (found === undefined) throw new Error(`no operation of the table is ${name}`)
  return found
}
