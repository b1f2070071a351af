// What the guard of purchases would say, for `explain`. Looks into the ledger, and writes nothing down.

import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import { periodAt } from '../policy/budget.ts'
import type { Cost } from '../policy/budget.ts'
import { unfit } from '../policy/unfit-purchase.ts'
import type { PurchaseRefusal } from '../policy/unfit-purchase.ts'
import { over } from '../proxy/purchases.ts'
import { exceeds } from '../store/ledger.ts'
import type { Ledger, Spent } from '../store/ledger.ts'

/** What a consumer spent in a period; `undefined` where the ledger cannot be looked into. */
export type SpentIn = (consumer: string, period: string) => Promise<Spent | undefined>

/** See `explainedPurchase`. */
export interface ExplainedPurchase {
  /** Why it is refused; `undefined` when it may be made. */
  readonly refusal: PurchaseRefusal | undefined
  /** What the operator has to know besides. */
  readonly notes: readonly string[]
}

const NOT_LOOKED_AT =
  'what is left of the budget is not looked at: the ledger cannot be opened from here'
const NOTHING_SPENT = { count: 0, amount: 0n }

/** Whether `consumer` may make a purchase now. */
export async function explainedPurchase(
  consumer: string,
  cost: Cost,
  budget: BudgetSettings | undefined,
  spentIn: SpentIn,
): Promise<ExplainedPurchase> {
  const refusal = unfit(cost, budget)
  if (refusal !== undefined || budget === undefined) return { refusal, notes: [] }
  const period = periodAt(budget.per, systemClock.wall())
  const spent = await spentIn(consumer, period.key)
  if (!exceeds(cost, spent ?? NOTHING_SPENT, budget)) {
    return { refusal: undefined, notes: spent === undefined ? [NOT_LOOKED_AT] : [] }
  }
  return {
    refusal:
      spent === undefined
        ? { code: 'budget_exceeded', missing: 'This is more than the whole budget.' }
        : over(cost, spent, budget, period),
    notes: [],
  }
}

/** Looks into the ledger in the file `path`, anew each time. */
export function spentInFile(path: string | undefined): SpentIn {
  return async function spentIn(consumer, period) {
    if (path === undefined) return undefined
    let ledger: Ledger | undefined
    try {
      const { sqliteLedger } = await import('../store/sqlite-ledger.ts')
      ledger = await sqliteLedger({ path, create: false }, systemClock)
      return await ledger.spent(consumer, period)
    } catch (error) {
      if (error instanceof Fault) return undefined
      throw error
    } finally {
      ledger?.close()
    }
  }
}
