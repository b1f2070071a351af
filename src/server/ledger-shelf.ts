// The ledger of the process: opened when the first configuration has a budget, and kept over reloads.

import type { Clock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import { periodAt } from '../policy/budget.ts'
import type { Ledger } from '../store/ledger.ts'

/** See the top of the file. */
export interface LedgerShelf {
  /**
   * The ledger for `settings`; `undefined` when nobody has a budget. Rejects with a Fault
   * `config_invalid` when it cannot be opened.
   */
  open(settings: Settings): Promise<Ledger | undefined>
  close(): void
}

/** Builds the shelf. Opens nothing. */
export function ledgerShelf({ clock, log }: { clock: Clock; log: Log }): LedgerShelf {
  let kept: Ledger | undefined

  return {
    async open({ ledger: path, consumers }) {
      const wanted = [...(consumers?.values() ?? [])].some(({ budget }) => budget !== undefined)
      if (path === undefined || !wanted) return undefined
      if (kept !== undefined) return kept
      const { sqliteLedger } = await import('../store/sqlite-ledger.ts')
      kept = await sqliteLedger({ path, create: true }, clock)
      const unknown = await kept.recover()
      if (unknown > 0) log.warn({ unknown }, 'purchases of unknown outcome; see the command budget')
      return kept
    },
    close() {
      kept?.close()
    },
  }
}

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
