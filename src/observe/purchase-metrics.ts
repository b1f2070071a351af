// The numbers of purchases and budgets.

import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

/** Counts things bought, or not; see docs/metrics.md. */
export type PurchaseCounter = Counter<'consumer' | 'outcome'>

/**
 * Registers them. `budgetLeft` is read at each scrape: purchases left by consumer; must not reject.
 */
export function purchaseMetrics(
  registry: Registry,
  budgetLeft: (() => Promise<ReadonlyMap<string, number>>) | undefined,
): PurchaseCounter {
  new Gauge({
    name: 'opusdns_proxy_budget_left',
    help: 'Purchases that are left in the present period.',
    labelNames: ['consumer'],
    registers: [registry],
    async collect() {
      const budgets = await budgetLeft?.()
      this.reset()
      for (const [consumer, left] of budgets ?? []) this.set({ consumer }, left)
    },
  })
  return new Counter({
    name: 'opusdns_proxy_purchases_total',
    help: 'Purchases by consumer and what became of them.',
    labelNames: ['consumer', 'outcome'],
    registers: [registry],
  })
}
