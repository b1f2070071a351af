// Operations by their own names, for code that speaks of certain ones.

import { OPERATIONS } from './operations.ts'
import type { Operation } from './operations.ts'

const BY_NAME = new Map(OPERATIONS.map((one) => [`${one.method} ${one.template}`, one]))

/** The operation of the table that `name` is: `PATCH /v1/dns/{zone_name}/rrsets`. Throws for none. */
export function operationNamed(name: string): Operation {
  const found = BY_NAME.get(name)
  if (found === undefined) throw new Error(`no operation of the table is ${name}`)
  return found
}
