// The ledger of the process: opened when the first configuration has a budget, and kept over reloads.

import type { Clock } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import { periodAt } from '../policy/budget.ts'
import type { Ledger } from '../store/ledger.ts'
import { throwWithPath } from '../store/ledger-problems.ts'

/** Whether purchases can be written down. */
export interface LedgerStatus {
  readonly ok: boolean
  /** Code of the last failure; `undefined` when `ok`. */
  readonly error: string | undefined
}

/** See the top of the file. */
export interface LedgerShelf {
  /**
   * The ledger for `settings`; `undefined` when nobody has a budget. Rejects with a Fault
   * `config_invalid` when it cannot be opened.
   */
  open(settings: Settings): Promise<Ledger | undefined>
  /** How the last use of it ended; `undefined` while there is none. */
  status(): LedgerStatus | undefined
  close(): void
}

/** Builds the shelf. Opens nothing. */
export function ledgerShelf({ clock, log }: { clock: Clock; log: Log }): LedgerShelf {
  let kept: Ledger | undefined
  let error: string | undefined

  /** The ledger, with an eye on how its uses end. */
  function watched(ledger: Ledger): Ledger {
    async function seen<T>(use: Promise<T>): Promise<T> {
      try {
        const result = await use
        error = undefined
        return result
      } catch (fault) {
        error = (fault instanceof Fault && errorCode(fault.cause)) || 'FAILED'
        throw fault
      }
    }
    return {
      reserve: (order, bounds) => seen(ledger.reserve(order, bounds)),
      settle: (id, outcome) => seen(ledger.settle(id, outcome)),
      spent: (consumer, period) => seen(ledger.spent(consumer, period)),
      unknown: () => seen(ledger.unknown()),
      clear: (id, outcome) => seen(ledger.clear(id, outcome)),
      recover: () => seen(ledger.recover()),
      close: () => ledger.close(),
    }
  }

  return {
    async open({ ledger: path, consumers }) {
      const wanted = [...(consumers?.values() ?? [])].some(({ budget }) => budget !== undefined)
      if (path === undefined || !wanted) return undefined
      if (kept !== undefined) return kept
      const { sqliteLedger } = await import('../store/sqlite-ledger.ts')
      const ledger = sqliteLedger({ path, create: true }, clock)
      kept = watched(await ledger.catch((fault: unknown) => throwWithPath(fault, path)))
      const unknown = await kept.recover()
      if (unknown > 0) log.warn({ unknown }, 'purchases of unknown outcome; see the command budget')
      return kept
    },
    status: () => kept && { ok: error === undefined, error },
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
