import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'

import { loadSettings } from '../../src/config/load.ts'
import { ledgerShelf } from '../../src/server/ledger-shelf.ts'
import type { Ledger } from '../../src/store/ledger.ts'
import { manualClock } from '../support/manual-clock.ts'

/** A shelf with its ledger and one order in it, that ledger as another program sees it, and more shelves. */
async function place() {
  const folder = mkdtempSync(join(tmpdir(), 'opusdns-shelf-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ledger.db')
  const { settings } = await loadSettings({
    env: { OPUSDNS_API_KEY: 'opk_a-key' },
    file: {
      path: 'test.yaml',
      text: `
ledger: file:${path}
consumers: { shop: { anonymous: true, grants: [read], budget: { purchases: 5, per: month } } }
`,
    },
  })
  const clock = manualClock()
  const warned: unknown[] = []
  const another = () => {
    const made = ledgerShelf({ clock, log: { warn: (fields) => void warned.push(fields) } })
    onTestFinished(() => made.close())
    return made
  }
  const shelf = another()
  const ledger = (await shelf.open(settings)) as Ledger
  const order = {
    consumer: 'shop',
    day: '2026-11-24',
    at: 1_700_000_000_000,
    count: 1,
    amount: 0n,
    what: 'POST /v1/domains example.com',
    request: 'r-1',
  }
  const bounds = { period: '2026-11', purchases: 5, amount: undefined }
  const reserved = await ledger.reserve(order, bounds)
  if (!reserved.ok) throw new Error('it did not fit')
  const outside = new DatabaseSync(path)
  onTestFinished(() => outside.close())
  const more = () => ledger.reserve({ ...order, request: 'r-2' }, bounds)
  return { settings, clock, warned, another, shelf, ledger, id: reserved.id, outside, more }
}

test('a ledger that could not be recovered is not kept: who opens it next recovers it', async () => {
  const { settings, warned, another, outside } = await place()
  outside.exec(`CREATE TRIGGER stuck BEFORE UPDATE ON orders BEGIN SELECT RAISE(FAIL, ''); END`)
  const shelf = another()
  await expect(shelf.open(settings)).rejects.toMatchObject({ code: 'ledger_unavailable' })
  expect(shelf.status()).toBeUndefined()
  outside.exec('DROP TRIGGER stuck')
  const ledger = await shelf.open(settings)
  expect(await ledger?.unknown()).toHaveLength(1)
  expect(warned).toEqual([{ unknown: 1 }])
  expect(shelf.status()).toEqual({ ok: true, error: undefined })
})

test('its end waits for what is still being written down', async () => {
  const { clock, shelf, ledger, id, outside } = await place()
  outside.exec('BEGIN IMMEDIATE')
  const settled = ledger.settle(id, 'unknown')
  let closed = false
  const closing = shelf.close().then(() => {
    closed = true
  })
  await clock.advance(200)
  expect(closed).toBe(false)
  outside.exec('ROLLBACK')
  await clock.advance(200)
  await settled
  await closing
  expect(outside.prepare('SELECT state FROM orders').all()).toEqual([{ state: 'unknown' }])
  await expect(ledger.unknown()).rejects.toMatchObject({ code: 'ledger_unavailable' })
})

test('its end waits for what follows a reservation: nothing of it was sent', async () => {
  const { clock, shelf, ledger, id, outside, more } = await place()
  outside.exec('BEGIN IMMEDIATE')
  const released = more().then(async (one) => {
    if (one.ok) await ledger.settle(one.id, 'released')
  })
  const closing = shelf.close()
  outside.exec('ROLLBACK')
  await clock.advance(200)
  await released
  await closing
  expect(outside.prepare('SELECT id, state FROM orders').all()).toEqual([{ id, state: 'reserved' }])
})

test('a ledger that cannot be opened is told with its path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'opusdns-shelf-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'missing/ledger.db')
  const text = `
ledger: file:${path}
consumers:
  a: { anonymous: true, grants: [read], budget: { purchases: 1, per: day } }
`
  const { settings } = await loadSettings({
    env: { OPUSDNS_API_KEY: 'opk_a' },
    file: { path: 'p', text },
  })
  const shelf = ledgerShelf({ clock: manualClock(), log: { warn: () => undefined } })
  await expect(shelf.open(settings)).rejects.toMatchObject({
    code: 'config_invalid',
    problems: [
      {
        place: 'ledger',
        fault: `file:${path} is not there, or its folder is not`,
        remedy: 'make the folder; serve makes the file',
      },
    ],
  })
})
