// The ledger in one file, by the SQLite that Node.js brings. Whatever is written is on the disk before
// anything is sent to OpusDNS. Loaded only where somebody has a budget.

import { randomBytes } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

import { pause } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { atOnce, ledgerFile, prepare } from './ledger-file.ts'
import type { LedgerFileOptions } from './ledger-file.ts'
import { exceeds } from './ledger.ts'
import type { Ledger, Spent, UnknownOrder } from './ledger.ts'
import { resultOf, unavailable, unusable } from './ledger-problems.ts'

// To wait within SQLite holds up everything else in the process: it is done for a moment, and again.
const BUSY = 20
const AGAIN = 25
const TRIES = 200

/** More than any order costs; a sum of a million of it stays within 64 bits. */
const MOST = 10n ** 12n

/** Opens the ledger; rejects with a Fault `config_invalid` that says what is wrong with the file. */
export async function sqliteLedger(
  options: Omit<LedgerFileOptions, 'busy'>,
  clock: Clock,
): Promise<Ledger> {
  const database = await opened(options, clock)
  const sum = database.prepare(
    `SELECT coalesce(sum(count), 0) AS count, coalesce(sum(amount), 0) AS amount,
       coalesce(sum(CASE state WHEN 'unknown' THEN count END), 0) AS unknown
     FROM orders WHERE consumer = ? AND day >= ? AND day < ? || '~' AND state <> 'not_spent'`,
  )
  sum.setReadBigInts(true)
  const insert = database.prepare(
    `INSERT INTO orders (id, consumer, day, at, count, amount, what, request, state)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'reserved')`,
  )
  const change = database.prepare('UPDATE orders SET state = ? WHERE id = ?')
  const remove = database.prepare('DELETE FROM orders WHERE id = ?')
  const clear = database.prepare(`UPDATE orders SET state = ? WHERE id = ? AND state = 'unknown'`)
  const recover = database.prepare(`UPDATE orders SET state = 'unknown' WHERE state = 'reserved'`)
  const unknown = database.prepare(
    `SELECT id, consumer, day, at, count, amount, what, request FROM orders
     WHERE state = 'unknown' ORDER BY at, id`,
  )
  unknown.setReadBigInts(true)

  function spentIn(consumer: string, period: string): Spent {
    const row = sum.get(consumer, period, period) ?? {}
    return {
      count: Number(row['count']),
      amount: whole(row['amount']),
      unknown: Number(row['unknown']),
    }
  }
  async function attempt<T>(work: () => T): Promise<T> {
    try {
      return await patiently(work, clock)
    } catch (error) {
      throw unavailable(error)
    }
  }

  return {
    reserve({ consumer, day, at, count, amount, what, request }, bounds) {
      return attempt(() =>
        atOnce(database, () => {
          const spent = spentIn(consumer, bounds.period)
          if (exceeds({ count, amount }, spent, bounds)) return { ok: false, spent }
          const id = randomBytes(6).toString('hex')
          insert.run(id, consumer, day, at, count, amount < MOST ? amount : MOST, what, request)
          return { ok: true, id, spent }
        }),
      )
    },
    settle(id, outcome) {
      return attempt(() => {
        if (outcome === 'released') remove.run(id)
        else change.run(outcome, id)
      })
    },
    spent: (consumer, period) => attempt(() => spentIn(consumer, period)),
    unknown: () => attempt(() => unknown.all().map(orderOf)),
    clear: (id, outcome) => attempt(() => Number(clear.run(outcome, id).changes) > 0),
    recover() {
      return attempt(() =>
        atOnce(database, () => {
          recover.run()
          return unknown.all().length
        }),
      )
    },
    close() {
      if (database.isOpen) database.close()
    },
  }
}

async function opened(
  options: Omit<LedgerFileOptions, 'busy'>,
  clock: Clock,
): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined
  try {
    const fresh = ledgerFile({ ...options, busy: BUSY })
    database = fresh
    await patiently(() => prepare(fresh), clock)
    return fresh
  } catch (error) {
    if (database?.isOpen === true) database.close()
    throw unusable(error)
  }
}

/** Calls `work` again while somebody else writes, for some seconds. */
async function patiently<T>(work: () => T, clock: Clock): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return work()
    } catch (error) {
      if (resultOf(error) !== 'BUSY' || tries >= TRIES) throw error
      // oxlint-disable-next-line no-await-in-loop -- somebody else's turn
      await pause(clock, AGAIN)
    }
  }
}

function orderOf(row: Record<string, SQLOutputValue>): UnknownOrder {
  return {
    id: String(row['id']),
    consumer: String(row['consumer']),
    day: String(row['day']),
    at: Number(row['at']),
    count: Number(row['count']),
    amount: whole(row['amount']),
    what: String(row['what']),
    request: String(row['request']),
  }
}

function whole(value: SQLOutputValue | undefined): bigint {
  if (typeof value !== 'bigint') throw new TypeError('not an integer')
  return value
}
