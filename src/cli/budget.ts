// `budget`: what each consumer bought in the present period, and what nobody knows whether it was bought;
// `budget clear` settles that by the word of an operator. Reads the configuration and the ledger.

import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Settings } from '../config/settings.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import { periodAt } from '../policy/budget.ts'
import { moneyText } from '../policy/money.ts'
import type { Ledger, UnknownOrder } from '../store/ledger.ts'
import { throwWithPath } from '../store/ledger-problems.ts'
import { loadConfiguration } from './configuration.ts'
import { printFault } from './printer.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

/** See `budgetCommand`. */
export interface BudgetOptions extends ConfigOption {
  readonly json?: boolean
}

/** See `clearBudgetCommand`. */
export interface ClearBudgetOptions extends BudgetOptions {
  /** It was bought. */
  readonly spent?: boolean
  /** It was not: the budget has it back. */
  readonly notSpent?: boolean
}

/** Prints budgets and unknown outcomes; returns 1 when configuration or ledger cannot be read. */
export function budgetCommand(options: BudgetOptions, world: World): Promise<ExitCode> {
  return withLedger(options, world, async (ledger, settings) => {
    const now = systemClock.wall()
    const lines = await Promise.all(
      budgetsOf(settings).map(([name, budget]) => lineOf(name, budget, ledger, now)),
    )
    const unknown = (await ledger.unknown()).map(shown)
    world.out(
      options.json === true
        ? `${JSON.stringify({ consumers: lines, unknown })}\n`
        : `${[...lines.map(budgetText), ...unknownTexts(unknown)].join('\n')}\n`,
    )
    return 0
  })
}

/** Settles `ids`; returns 1 when one of them has no unknown outcome, the others being settled. */
export function clearBudgetCommand(
  ids: readonly string[],
  options: ClearBudgetOptions,
  world: World,
): Promise<ExitCode> {
  return withLedger(options, world, async (ledger) => {
    const { spent = false, notSpent = false } = options
    if (spent === notSpent) {
      throw new Fault('config_invalid', {
        detail: 'Nothing was cleared.',
        problems: [
          {
            place: '--spent, --not-spent',
            fault: 'is not one of them',
            remedy: 'look at OpusDNS whether it was bought, and say which',
          },
        ],
      })
    }
    const outcome = spent ? 'spent' : 'not_spent'
    const results = await Promise.all(
      ids.map(async (id) => ({ id, cleared: await ledger.clear(id, outcome) })),
    )
    if (options.json === true) world.out(`${JSON.stringify({ outcome, results })}\n`)
    else for (const { id, cleared } of results) if (cleared) world.out(`${id} ${outcome}\n`)
    const others = results.filter(({ cleared }) => !cleared)
    for (const { id } of others) world.err(`error: ${id} has no unknown outcome\n`)
    return others.length === 0 ? 0 : 1
  })
}

async function withLedger(
  options: ConfigOption,
  world: World,
  work: (ledger: Ledger, settings: Settings) => Promise<ExitCode>,
): Promise<ExitCode> {
  let ledger: Ledger | undefined
  try {
    const { settings } = await loadConfiguration(options, world)
    const { ledger: path } = settings
    if (path === undefined) {
      throw new Fault('config_invalid', {
        detail: 'There is no ledger.',
        problems: [
          { place: 'ledger', fault: 'is not configured', remedy: 'name the file with --config' },
        ],
      })
    }
    const { sqliteLedger } = await import('../store/sqlite-ledger.ts')
    ledger = await sqliteLedger({ path, create: false }, systemClock).catch((fault: unknown) =>
      throwWithPath(fault, path),
    )
    return await work(ledger, settings)
  } catch (error) {
    world.err(printFault(error))
    return 1
  } finally {
    ledger?.close()
  }
}

function budgetsOf({ consumers }: Settings): [string, BudgetSettings][] {
  return [...(consumers ?? [])].flatMap(([name, { budget }]): [string, BudgetSettings][] =>
    budget === undefined ? [] : [[name, budget]],
  )
}

/** One consumer, as `--json` shows it. */
interface Line {
  readonly consumer: string
  readonly period: string
  readonly ends: string
  readonly purchases: { readonly spent: number; readonly limit: number; readonly unknown: number }
  /** Decimal texts. */
  readonly amount: { readonly spent: string; readonly limit: string | null }
}

async function lineOf(
  consumer: string,
  { per, purchases, amount }: BudgetSettings,
  ledger: Ledger,
  now: number,
): Promise<Line> {
  const { key: period, ends } = periodAt(per, now)
  const { count, amount: paid, unknown } = await ledger.spent(consumer, period)
  return {
    consumer,
    period,
    ends,
    purchases: { spent: count, limit: purchases, unknown },
    amount: { spent: moneyText(paid), limit: amount === undefined ? null : moneyText(amount) },
  }
}

function budgetText({ consumer, period, purchases, amount }: Line): string {
  const { spent, limit, unknown } = purchases
  const paid = amount.limit === null ? '' : `, ${amount.spent} of ${amount.limit}`
  const doubt = unknown === 0 ? '' : `, ${unknown} of them unknown`
  return `${consumer}: ${spent} of ${limit} purchases${doubt}${paid} in ${period}`
}

/** An order, as `--json` shows it. */
function shown({ id, consumer, at, count, amount, what, request }: UnknownOrder) {
  const time = new Date(at).toISOString()
  return { id, consumer, time, count, amount: moneyText(amount), what, request }
}

function unknownTexts(orders: readonly ReturnType<typeof shown>[]): string[] {
  if (orders.length === 0) return []
  return [
    '',
    'Unknown outcomes. Look at OpusDNS, then: budget clear ID --spent, or --not-spent',
    ...orders.map(
      ({ id, consumer, time, count, what, request }) =>
        `  ${id}  ${time}  ${consumer}  ${count}  ${what}  (request ${request})`,
    ),
  ]
}
