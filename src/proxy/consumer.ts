// A consumer as the journey sees it: who it is, what it may do, and with what its requests go on.

import type { Operation } from '../opusdns/operations.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import type { Policy } from '../policy/policy.ts'
import type { ConsumerLimit } from './consumer-limit.ts'
import type { Ledger } from '../store/ledger.ts'
import type { ForwardDeps } from './forward.ts'

/** A budget, and where is written what was spent of it. */
export interface Budget extends BudgetSettings {
  readonly ledger: Ledger
}

/** See the top of the file. Built once for each consumer. */
export interface Consumer {
  readonly name: string
  readonly policy: Policy
  /** `report` decides and logs, and lets everything pass. */
  readonly mode: 'enforce' | 'report'
  /** What it may buy; nothing without one. `unlimited` where consumers are not told apart. */
  readonly budget: Budget | 'unlimited' | undefined
  /** Operations that may have a price, and cost it nothing. */
  readonly unpriced: ReadonlySet<Operation>
  /** Writes to zones answer what they would change, and change nothing; other writes are refused. */
  readonly dryRun: boolean
  /** How much it may ask for; `undefined` for no limit of its own. */
  readonly limit: ConsumerLimit | undefined
  /** The way to OpusDNS, with the consumer's credential. */
  readonly way: ForwardDeps
}
