// Opens the file of a ledger: made for its owner alone, known by its mark, and whole.

import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

import { Unfit } from './ledger-problems.ts'

/** See `ledgerFile`. */
export interface LedgerFileOptions {
  /** Absolute path. Its folder must exist, on a local disk. */
  readonly path: string
  /** Whether the file is made, with mode 0600, when it is not there. */
  readonly create: boolean
  /** Milliseconds for which a statement holds up the process while another one writes. */
  readonly busy: number
}

/** Version of the tables. Another one is refused, never changed. */
const VERSION = 1
/** Marks the file as ours: `OPUS`. */
const APPLICATION = 0x4f505553

const TABLES = `
  CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    consumer TEXT NOT NULL,
    day TEXT NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    what TEXT NOT NULL,
    request TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'spent', 'unknown', 'not_spent'))
  ) STRICT;
  CREATE INDEX orders_of_period ON orders (consumer, day);
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};`

/** Opens it; throws what the system or SQLite says, or an `Unfit`. Call `prepare` before any use. */
export function ledgerFile({ path, create, busy }: LedgerFileOptions): DatabaseSync {
  // SQLite gives the files that it puts beside this one the same mode.
  const file = openSync(path, constants.O_RDWR | (create ? constants.O_CREAT : 0), 0o600)
  const stats = fstatSync(file)
  closeSync(file)
  if (!stats.isFile()) throw new Unfit('NO_FILE')
  if ((stats.mode & 0o022) !== 0) throw new Unfit('OPEN_TO_OTHERS')
  return new DatabaseSync(path, { timeout: busy })
}

/** Makes the tables, or looks whether they are whole and ours. May be called again after it threw. */
export function prepare(database: DatabaseSync): void {
  // What is committed is on the disk: a purchase must not be forgotten with the power.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  atOnce(database, () => {
    const numberOf = (query: string) => Number(valueOf(database, query))
    const mine = numberOf('PRAGMA application_id') === APPLICATION
    if (numberOf('SELECT count(*) FROM sqlite_schema') === 0) database.exec(TABLES)
    else if (!mine) throw new Unfit('FOREIGN')
    else if (numberOf('PRAGMA user_version') !== VERSION) throw new Unfit('OTHER_VERSION')
    if (valueOf(database, 'PRAGMA quick_check(1)') !== 'ok') throw new Unfit('CORRUPT')
  })
}

/** All of `work` or nothing of it, with nobody else in between. */
export function atOnce<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk has ended it already.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function valueOf(database: DatabaseSync, query: string): unknown {
  return Object.values(database.prepare(query).get() ?? {})[0]
}
