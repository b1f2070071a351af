// What is left of the budgets of consumers, for the metrics.

import type { Clock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'
import { periodAt } from '../policy/budget.ts'
import type { Ledger } from '../store/ledger.ts'

/** Purchases left to each consumer with a budget; none while the ledger cannot be read. */
export async function budgetsLeft(
  { settings, ledger }: { settings: Settings; ledger: Ledger | undefined },
  clock: Pick<Clock, 'wall'>,
): Promise<ReadonlyMap<string, number>> {
  if (ledger === undefined) return new Map()
  const budgets = [...(settings.consumers ?? [])].flatMap(([name, { budget }]) =>
    budget === undefined ? [] : [{ name, ...budget }],
  )
  try {
    return new Map(
      await Promise.all(
        budgets.map(async ({ name, per, purchases }) => {
          const { count } = await ledger.spent(name, periodAt(per, clock.wall()).key)
          return [name, Math.max(0, purchases - count)] as const
        }),
      ),
    )
  } catch {
    return new Map()
  }
}
