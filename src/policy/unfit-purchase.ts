// Purchases that no budget lets pass, or this one never: what the guard of purchases asks, and `explain`.

import type { BudgetSettings } from './budget-options.ts'
import type { Cost } from './budget.ts'

/** Why a purchase is refused, for the operator. */
export interface PurchaseRefusal {
  readonly code: 'purchase_not_granted' | 'budget_exceeded'
  readonly missing: string
}

/** Why a purchase is refused whatever is left of the budget; `undefined` when it may fit. */
export function unfit(cost: Cost, budget: BudgetSettings | undefined): PurchaseRefusal | undefined {
  const code = 'purchase_not_granted'
  if (budget === undefined && cost.perhaps.length > 0) {
    const missing =
      'This may cost something, and the consumer has no budget. The operator can give it one; or list ' +
      `${cost.perhaps.join(', ')} under unpriced, if OpusDNS charges the account nothing for it.`
    return { code, missing }
  }
  if (budget === undefined) {
    return { code, missing: 'This is a purchase, and the consumer has no budget.' }
  }
  if (cost.uncounted) {
    const missing =
      'This lets earlier orders run, and nobody knows how many. The budget does not let jobs be resumed.'
    return { code, missing }
  }
  if (cost.unpriced) {
    const missing =
      'The budget has an amount, and this purchase names no price. Send expected_price; for what is ' +
      'no premium domain the operator has to set standard_price.'
    return { code, missing }
  }
  return undefined
}
