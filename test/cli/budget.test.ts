import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'
import { sqliteLedger } from '../../src/store/sqlite-ledger.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'opusdns-budget-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const today = () => new Date().toISOString().slice(0, 10)
const CONSUMERS = `
consumers:
  shop:
    anonymous: true
    grants: [read]
    budget: { purchases: 10, amount: '200.00', per: month }
  reader: { networks: [10.0.0.0/8], grants: [read] }
`

/** Runs `budget` with these arguments and this configuration. */
async function budget(args: readonly string[], text = ledgerLine() + CONSUMERS) {
  const config = join(folder, 'proxy.yaml')
  writeFileSync(config, text)
  const said = { out: '', err: '' }
  const world = {
    env: { OPUSDNS_API_KEY: 'opk_canary' },
    cwd: folder,
    out: (more: string) => void (said.out += more),
    err: (more: string) => void (said.err += more),
  } as unknown as World
  const code = await runProgram(['budget', ...args, '--config', config], world)
  return { code, ...said }
}

const ledgerLine = () => `ledger: file:${folder}/ledger.db\n`

/** Makes a ledger with one purchase that was made, and two whose outcome is unknown. */
async function written(): Promise<readonly string[]> {
  const ledger = await sqliteLedger({ path: `${folder}/ledger.db`, create: true }, systemClock)
  const ids: string[] = []
  for (const what of ['one', 'two', 'three']) {
    const order = {
      consumer: 'shop',
      day: today(),
      at: Date.now() + ids.length,
      count: 1,
      amount: 125_000n,
      what,
      request: `r-${what}`,
    }
    const bounds = { period: today(), purchases: 10, amount: undefined }
    const reserved = await ledger.reserve(order, bounds)
    if (reserved.ok) ids.push(reserved.id)
  }
  await ledger.settle(ids[0] ?? '', 'spent')
  await ledger.recover()
  ledger.close()
  return ids
}

describe('budget', () => {
  test('shows what is spent, and what nobody knows', async () => {
    const [, two] = await written()
    const { code, out, err } = await budget([])
    expect([code, err]).toEqual([0, ''])
    const month = today().slice(0, 7)
    expect(out).toContain(
      `shop: 3 of 10 purchases, 2 of them unknown, 37.50 of 200.00 in ${month}\n`,
    )
    expect(out).toMatch(new RegExp(`^  ${two} .* shop  1  two  \\(request r-two\\)$`, 'm'))
    expect(out).not.toContain('reader')
  })

  test('prints JSON that a script can go on with', async () => {
    const [, two, three] = await written()
    const shown = JSON.parse((await budget(['--json'])).out) as { unknown: unknown }
    expect(shown).toMatchObject({
      consumers: [
        {
          consumer: 'shop',
          purchases: { spent: 3, limit: 10, unknown: 2 },
          amount: { spent: '37.50', limit: '200.00' },
        },
      ],
      unknown: [
        { id: two, amount: '12.50' },
        { id: three, what: 'three' },
      ],
    })
  })

  test('clears by the word of an operator, and gives back what was not spent', async () => {
    const [, two = '', three = ''] = await written()
    expect(await budget(['clear', two, '--spent'])).toMatchObject({
      code: 0,
      out: `${two} spent\n`,
    })
    const last = await budget(['clear', three, two, '--not-spent'])
    expect(last).toMatchObject({ code: 1, out: `${three} not_spent\n` })
    expect(last.err).toBe(`error: ${two} has no unknown outcome\n`)
    const { out } = await budget([])
    expect(out).toContain('shop: 2 of 10 purchases, 25.00 of 200.00')
    expect(out).not.toContain('Unknown')
  })

  test('clears nothing without a word, or with two', async () => {
    const [, two = ''] = await written()
    for (const words of [[], ['--spent', '--not-spent']]) {
      const { code, err } = await budget(['clear', two, ...words])
      expect([code, err]).toEqual([1, expect.stringContaining('--spent, --not-spent')])
    }
    expect((await budget([])).out).toContain('2 of them unknown')
  })

  test('says what is wrong when there is no ledger to look at, and makes none', async () => {
    const { code, err } = await budget([])
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`file:${folder}/ledger.db is not there`),
    ])
    const none = await budget([], 'consumers: { shop: { anonymous: true, grants: [read] } }')
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('is not configured')])
    expect((await budget([])).code).toBe(1)
  })

  test('of a configuration needs a ledger', async () => {
    const { code, err } = await budget([], CONSUMERS)
    expect([code, err]).toEqual([1, expect.stringContaining('needs a ledger')])
  })
})
