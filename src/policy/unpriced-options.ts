// The option `unpriced`: which of the operations that only some accounts pay for cost nothing here.

import { z } from '../base/schema.ts'
import { maybeOperation } from '../opusdns/operation-named.ts'
import { OPERATIONS } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import { pathPurchase } from '../opusdns/path-purchase.ts'

const MAY_COST = OPERATIONS.filter((one) => pathPurchase(one)?.perhaps)
const CHOICE = MAY_COST.map(({ method, template }) => `${method} ${template}`).join(', ')

const operation = z.string().transform((text, context): Operation => {
  const found = maybeOperation(text)
  if (found !== undefined && MAY_COST.includes(found)) return found
  context.addIssue({ code: 'custom', message: faultOf(found) })
  return z.NEVER
})

function faultOf(found: Operation | undefined): string {
  if (found === undefined) return `is no operation of the API; write one of: ${CHOICE}`
  if (pathPurchase(found) === undefined) return 'costs nothing anyway; remove it'
  return `is a purchase for every account; remove it, and give who may do it a budget. Only these may be free: ${CHOICE}`
}

/** Operations that may have a price, and have none for this account. */
export type UnpricedSettings = ReadonlySet<Operation>

/** Schema of `unpriced`. */
export const unpricedOption = z
  .array(operation)
  .default([])
  .transform((written): UnpricedSettings => new Set(written))
