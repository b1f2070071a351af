// "May they buy it?": holds every purchase against the budget of its consumer. It is written down before
// it is sent, and settled by what became of it; what nobody knows counts as spent.

import type { Clock } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import { costOf, periodAt } from '../policy/budget.ts'
import type { Cost, Period } from '../policy/budget.ts'
import { moneyText } from '../policy/money.ts'
import { unfit } from '../policy/unfit-purchase.ts'
import type { PurchaseRefusal } from '../policy/unfit-purchase.ts'
import type { Ledger, Spent } from '../store/ledger.ts'
import type { Budget, Consumer } from './consumer.ts'
import type { Exchange } from './exchange.ts'
import type { Verdict } from './verdict.ts'

/** See `purchases`. */
export interface PurchasesDeps {
  readonly clock: Pick<Clock, 'wall'>
  readonly log: Log
  readonly metrics: Metrics
  readonly note: Verdict
}

/**
 * `undefined` for a request that buys nothing, or of a consumer that may buy everything. Otherwise
 * resolves when it may be sent, and rejects with a Fault when it must not be. Call it once for each
 * exchange, when its decision is noted.
 */
export type Purchases = (exchange: Exchange, consumer: Consumer) => Promise<void> | undefined

/** Builds the guard. */
export function purchases({ clock, log, metrics, note }: PurchasesDeps): Purchases {
  function count(exchange: Exchange, outcome: string, cost: Cost): void {
    metrics.purchases.inc({ consumer: exchange.consumer, outcome }, cost.count)
  }
  function facts(exchange: Exchange, cost: Cost) {
    const { id, consumer } = exchange
    return { id, consumer, what: cost.what, count: cost.count, amount: moneyText(cost.amount) }
  }
  function failed({ id, consumer }: Exchange, error: unknown): void {
    const cause = error instanceof Fault ? error.cause : error
    log.error({ id, consumer, code: errorCode(cause) }, 'ledger failed')
  }
  /** Refuses, or in report mode says that it would. */
  function refuse(
    exchange: Exchange,
    consumer: Consumer,
    cost: Cost,
    refusal: PurchaseRefusal,
  ): void {
    const { code, missing } = refusal
    const acts = exchange.noted?.decision.acts ?? []
    count(exchange, consumer.mode === 'enforce' ? 'refused' : 'would_be_refused', cost)
    note(exchange, consumer, { kind: 'denied', code, missing, acts })
  }

  async function reserve(
    exchange: Exchange,
    consumer: Consumer,
    cost: Cost,
    budget: Budget,
  ): Promise<void> {
    const now = clock.wall()
    const period = periodAt(budget.per, now)
    const bounds = { period: period.key, purchases: budget.purchases, amount: budget.amount }
    const order = {
      consumer: consumer.name,
      day: period.day,
      at: now,
      count: cost.count,
      amount: cost.amount,
      what: cost.what.join(', '),
      request: exchange.id,
    }
    const reserved = await budget.ledger.reserve(order, bounds).catch((error: unknown) => {
      if (consumer.mode === 'enforce') throw error
      failed(exchange, error)
    })
    if (reserved === undefined) return
    if (!reserved.ok) {
      refuse(exchange, consumer, cost, over(cost, reserved.spent, budget, period))
      return
    }
    exchange.atEnd(() => settled(exchange, cost, budget.ledger, reserved.id))
  }

  function settled(exchange: Exchange, cost: Cost, ledger: Ledger, order: string): void {
    const outcome = outcomeOf(exchange)
    count(exchange, outcome, cost)
    const line = { ...facts(exchange, cost), order, outcome }
    if (outcome === 'unknown') log.warn(line, 'purchase')
    else log.info(line, 'purchase')
    ledger.settle(order, outcome).catch((error: unknown) => {
      // It stays reserved, which counts; the next start takes it for unknown.
      failed(exchange, error)
    })
  }

  return function buy(exchange, consumer) {
    const { budget, mode, unpriced } = consumer
    if (budget === 'unlimited') return undefined
    const acts = exchange.noted?.decision.acts ?? []
    const cost = costOf(acts, budget, unpriced)
    if (cost === undefined) return undefined
    // What the grants would not let pass was told already.
    if (mode === 'report' && exchange.noted?.decision.kind === 'denied') return undefined
    const refusal = unfit(cost, budget)
    if (refusal !== undefined) {
      refuse(exchange, consumer, cost, refusal)
      return undefined
    }
    return budget && reserve(exchange, consumer, cost, budget)
  }
}

/** Why a purchase is refused that is more than what is left when `spent` is spent. */
export function over(
  cost: Cost,
  spent: Spent,
  budget: BudgetSettings,
  period: Period,
): PurchaseRefusal {
  const left = Math.max(0, budget.purchases - spent.count)
  const parts = [`${left} of ${budget.purchases} purchases`]
  const costs = [`${cost.count}`]
  if (budget.amount !== undefined) {
    const rest = budget.amount > spent.amount ? budget.amount - spent.amount : 0n
    parts.push(`${moneyText(rest)} of ${moneyText(budget.amount)}`)
    costs.push(moneyText(cost.amount))
  }
  const missing =
    `The budget has ${parts.join(' and ')} left until ${period.ends}, and this needs ` +
    `${costs.join(' and ')}.${spent.unknown > 0 ? ` The outcome of ${spent.unknown} is unknown; an operator can clear them.` : ''}`
  return { code: 'budget_exceeded', missing }
}

function outcomeOf(exchange: Exchange): 'spent' | 'released' | 'unknown' {
  // Not a byte left.
  if (exchange.sentAt === 0) return 'released'
  switch (exchange.outcome) {
    case 'done':
      return 'spent'
    case 'refused':
      return 'released'
    case 'unclear':
      return 'unknown'
  }
}
