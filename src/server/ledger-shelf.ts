// The ledger of the process: opened when the first configuration has a budget, and kept over reloads.

import type { Clock } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import type { Settings } from '../config/settings.ts'
import type { Log } from '../observe/log.ts'
import type { Ledger } from '../store/ledger.ts'
import { throwWithPath } from '../store/ledger-problems.ts'
import { usage } from './usage.ts'

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
   * `config_invalid` when it cannot be opened, `ledger_unavailable` when it cannot be recovered; then the
   * next call begins anew.
   */
  open(settings: Settings): Promise<Ledger | undefined>
  /** How the last use of it ended; `undefined` while there is none. */
  status(): LedgerStatus | undefined
  /** Ends all use, when what was begun has ended, which takes seconds at most. */
  close(): Promise<void>
}

/** Builds the shelf. Opens nothing. */
export function ledgerShelf({
  clock,
  log,
}: {
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
}): LedgerShelf {
  let kept: Ledger | undefined
  let error: string | undefined
  const uses = usage()

  /** The ledger, with an eye on how its uses end. */
  function watched(ledger: Ledger): Ledger {
    async function seen<T>(use: Promise<T>): Promise<T> {
      const done = uses.begin()
      try {
        const result = await use
        error = undefined
        return result
      } catch (fault) {
        error = (fault instanceof Fault && errorCode(fault.cause)) || 'FAILED'
        throw fault
      } finally {
        // Whoever asked may go on with it: what was reserved is settled.
        setImmediate(done)
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
      const opened = await sqliteLedger({ path, create: true }, clock).catch((fault: unknown) =>
        throwWithPath(fault, path),
      )
      const ledger = watched(opened)
      const unknown = await ledger.recover().catch((fault: unknown) => {
        ledger.close()
        throw fault
      })
      if (unknown > 0) log.warn({ unknown }, 'purchases of unknown outcome; see the command budget')
      kept = ledger
      return kept
    },
    status: () => kept && { ok: error === undefined, error },
    async close() {
      const unused = Promise.withResolvers<void>()
      uses.retire(unused.resolve)
      await unused.promise
      kept?.close()
    },
  }
}
