import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { Fault } from '../../src/base/fault.ts'
import type { Ledger, Order } from '../../src/store/ledger.ts'
import { sqliteLedger } from '../../src/store/sqlite-ledger.ts'
import { manualClock } from '../support/manual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'opusdns-ledger-'))
const ledgers: Ledger[] = []
let files = 0

afterAll(() => {
  for (const ledger of ledgers) ledger.close()
  rmSync(folder, { recursive: true })
})

const newPath = () => join(folder, `${(files += 1)}.db`)

async function opened(path: string): Promise<Ledger> {
  const ledger = await sqliteLedger({ path, create: true }, systemClock)
  ledgers.push(ledger)
  return ledger
}

const order = (changes: Partial<Order> = {}): Order => ({
  consumer: 'shop',
  day: '2026-11-24',
  at: 1_700_000_000_000,
  count: 1,
  amount: 0n,
  what: 'POST /v1/domains example.com',
  request: 'r-1',
  ...changes,
})
const day = { period: '2026-11-24', purchases: 5, amount: undefined }

async function idOf(ledger: Ledger, changes: Partial<Order> = {}): Promise<string> {
  const reserved = await ledger.reserve(order(changes), { ...day, purchases: 1000 })
  if (!reserved.ok) throw new Error('it did not fit')
  return reserved.id
}

/** The one problem of a file that cannot be opened. */
async function problemOf(path: string, create = true): Promise<string> {
  const error: unknown = await sqliteLedger({ path, create }, manualClock()).catch(
    (failure: unknown) => failure,
  )
  if (!(error instanceof Fault)) throw new Error('it was opened')
  expect(error.code).toBe('config_invalid')
  expect(error.message + JSON.stringify(error.problems)).not.toContain(folder)
  return error.problems.map(({ place, fault }) => `${place} ${fault}`).join()
}

describe('a reservation', () => {
  test('of 50 at once, as many fit as the budget has', async () => {
    const ledger = await opened(newPath())
    const all = await Promise.all(Array.from({ length: 50 }, () => ledger.reserve(order(), day)))
    expect(all.filter(({ ok }) => ok)).toHaveLength(5)
    expect(await ledger.spent('shop', day.period)).toEqual({ count: 5, amount: 0n, unknown: 0 })
  })

  test('is exact to a ten-thousandth, far beyond what a float can tell apart', async () => {
    const ledger = await opened(newPath())
    const bounds = { ...day, amount: 9_999_999_999_999n }
    const most = await ledger.reserve(order({ amount: 999_999_999_999n }), bounds)
    expect(most.ok).toBe(true)
    const rest = bounds.amount - 999_999_999_999n
    expect((await ledger.reserve(order({ amount: rest + 1n }), bounds)).ok).toBe(false)
    expect((await ledger.reserve(order({ amount: rest }), bounds)).ok).toBe(true)
  })

  test('counts for its consumer and its period alone, a day being part of its month', async () => {
    const ledger = await opened(newPath())
    await idOf(ledger)
    await idOf(ledger, { day: '2026-11-25' })
    await idOf(ledger, { day: '2026-12-01' })
    await idOf(ledger, { consumer: 'other' })
    expect((await ledger.spent('shop', '2026-11-24')).count).toBe(1)
    expect((await ledger.spent('shop', '2026-11')).count).toBe(2)
    expect((await ledger.spent('shop', '2026-12')).count).toBe(1)
    expect((await ledger.spent('nobody', '2026-11')).count).toBe(0)
  })

  test('that is released is forgotten, all else counts', async () => {
    const ledger = await opened(newPath())
    await ledger.settle(await idOf(ledger), 'released')
    await ledger.settle(await idOf(ledger), 'spent')
    await ledger.settle(await idOf(ledger, { count: 2 }), 'unknown')
    await idOf(ledger)
    expect(await ledger.spent('shop', day.period)).toEqual({ count: 4, amount: 0n, unknown: 2 })
  })

  test('of two ledgers on one file, as many fit as the budget has', async () => {
    const path = newPath()
    const [one, other] = [await opened(path), await opened(path)]
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, at) => (at % 2 ? one : other).reserve(order(), day)),
    )
    expect(all.filter(({ ok }) => ok)).toHaveLength(5)
  })

  test('waits for another writer, and gives up in the end', async () => {
    const path = newPath()
    const clock = manualClock()
    const ledger = await sqliteLedger({ path, create: true }, clock)
    ledgers.push(ledger)
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const waits = ledger.reserve(order(), day)
    await clock.advance(100)
    other.exec('COMMIT')
    await clock.advance(100)
    expect((await waits).ok).toBe(true)

    other.exec('BEGIN IMMEDIATE')
    const fails = ledger.reserve(order(), day)
    const failure = expect(fails).rejects.toMatchObject({
      code: 'ledger_unavailable',
      cause: { code: 'LEDGER_BUSY' },
    })
    // 200 tries, of which each holds up the process for a moment.
    await clock.advance(6000)
    await failure
    other.close()
  }, 20_000)
})

describe('an unknown outcome', () => {
  test('is what a process left behind, until an operator clears it', async () => {
    const path = newPath()
    const first = await opened(path)
    const [bought, lost] = [await idOf(first, { at: 1 }), await idOf(first, { at: 2 })]
    first.close()

    const second = await opened(path)
    expect(await second.recover()).toBe(2)
    expect((await second.unknown()).map(({ id }) => id)).toEqual([bought, lost])
    expect((await second.spent('shop', day.period)).unknown).toBe(2)
    expect(await second.clear(bought, 'spent')).toBe(true)
    expect(await second.clear(lost, 'not_spent')).toBe(true)
    expect(await second.clear(lost, 'spent')).toBe(false)
    expect(await second.clear('nothing', 'spent')).toBe(false)
    expect(await second.spent('shop', day.period)).toEqual({ count: 1, amount: 0n, unknown: 0 })
  })

  test('is settled by the process that knows better, also after it was cleared', async () => {
    const path = newPath()
    const [lives, starts] = [await opened(path), await opened(path)]
    const id = await idOf(lives)
    await starts.recover()
    await starts.clear(id, 'not_spent')
    await lives.settle(id, 'spent')
    expect((await starts.spent('shop', day.period)).count).toBe(1)
  })

  test('shows the operator what it was', async () => {
    const ledger = await opened(newPath())
    const made = order({ amount: 125_000n })
    const id = await idOf(ledger, made)
    await ledger.settle(id, 'unknown')
    expect(await ledger.unknown()).toEqual([{ ...made, id }])
  })
})

describe('the file', () => {
  test('is for its owner alone, and so is what stands beside it', async () => {
    const path = newPath()
    const ledger = await opened(path)
    await idOf(ledger)
    for (const name of [path, `${path}-wal`, `${path}-shm`]) {
      expect(statSync(name).mode & 0o777).toBe(0o600)
    }
  })

  test('must be in a folder that is there, and be one', async () => {
    expect(await problemOf(join(folder, 'missing/ledger.db'))).toMatch(/folder is not/)
    expect(await problemOf(newPath(), false)).toMatch(/is not there/)
    mkdirSync(join(folder, 'folder.db'))
    expect(await problemOf(join(folder, 'folder.db'))).toBe('ledger is a folder')
  })

  test('must be a ledger of this version', async () => {
    const foreign = newPath()
    writeFileSync(foreign, 'not a database, and long enough to be looked at', { mode: 0o600 })
    expect(await problemOf(foreign)).toBe('ledger is no ledger')

    const other = newPath()
    const database = new DatabaseSync(other)
    database.exec('CREATE TABLE things (name TEXT)')
    database.close()
    chmodSync(other, 0o600)
    expect(await problemOf(other)).toBe('ledger is the database of another program')

    const newer = newPath()
    const ledger = await opened(newer)
    ledger.close()
    const raw = new DatabaseSync(newer)
    raw.exec('PRAGMA user_version = 2')
    raw.close()
    expect(await problemOf(newer)).toBe('ledger was made by another version of this program')
  })

  test('must be whole', async () => {
    const path = newPath()
    const ledger = await opened(path)
    await idOf(ledger)
    ledger.close()
    const size = statSync(path).size
    truncateSync(path, size - 4096)
    expect(await problemOf(path)).toBe('ledger is damaged')
  })

  test('must not be open to other writers', async () => {
    const path = newPath()
    writeFileSync(path, '', { mode: 0o600 })
    chmodSync(path, 0o620)
    expect(await problemOf(path)).toBe('ledger can be written by others')
  })

  test('that cannot be written refuses reservations, and forgets none', async () => {
    const path = newPath()
    const ledger = await opened(path)
    await idOf(ledger)
    const raw = new DatabaseSync(path)
    raw.exec("CREATE TRIGGER no BEFORE INSERT ON orders BEGIN SELECT raise(ABORT, 'no'); END")
    raw.close()
    await expect(ledger.reserve(order(), day)).rejects.toMatchObject({ code: 'ledger_unavailable' })
    expect((await ledger.spent('shop', day.period)).count).toBe(1)
  })
})
