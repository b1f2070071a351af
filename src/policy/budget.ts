// What acts cost in terms of a budget, and in which period. Pure: the ledger holds what was spent.

import type { Act } from '../opusdns/act.ts'
import type { Operation } from '../opusdns/operations.ts'
import type { BudgetSettings } from './budget-options.ts'
import { parseMoney } from './money.ts'
import type { Money } from './money.ts'

/** All that a request buys. */
export interface Cost {
  /** Things bought. */
  readonly count: number
  /** As far as prices are named, or assumed. */
  readonly amount: Money
  /** Whether one names no price although the budget asks for it. */
  readonly unpriced: boolean
  /** Whether something is released, or carried, whose number nobody knows. */
  readonly uncounted: boolean
  /** Operations that may be listed as `unpriced`, where there is nothing else in it. */
  readonly perhaps: readonly string[]
  /** `POST /v1/domains example.com`, for the operator: the first ten. */
  readonly what: readonly string[]
}

// The operations with a field `expected_price`. OpusDNS asks for it with premium domains, and refuses
// it with all others.
const PRICED: ReadonlySet<string> = new Set([
  'POST /v1/domains',
  'POST /v1/domains/transfer',
  'POST /v1/domains/{domain_reference}/renew',
  'POST /v1/domains/{domain_reference}/restore',
])

/** These let earlier orders run, and buy nothing else. */
const RELEASES: ReadonlySet<string> = new Set([
  'POST /v1/jobs/{batch_id}/resume',
  'POST /v1/jobs/{batch_id}/retry',
  'POST /v1/job/{job_id}/resume',
  'POST /v1/job/{job_id}/retry',
])

const SHOWN = 10

/**
 * What `acts` buy together under `budget`; `undefined` when they buy nothing. What may have a price has none
 * where its operation is in `free`.
 */
export function costOf(
  acts: readonly Act[],
  budget: BudgetSettings | undefined,
  free: ReadonlySet<Operation>,
): Cost | undefined {
  let count = 0
  let amount = 0n
  let unpriced = false
  let uncounted = false
  let sure = false
  const perhaps = new Set<string>()
  const what: string[] = []
  for (const { operation, domain, host, zone, purchase } of acts) {
    if (purchase === undefined || (purchase.perhaps && free.has(operation))) continue
    const name = `${operation.method} ${operation.template}`
    const about = domain ?? host ?? zone
    if (what.length < SHOWN) what.push(about === undefined ? name : `${name} ${about}`)
    if (purchase.perhaps) perhaps.add(name)
    else sure = true
    if (purchase.count === 'unknown') {
      count += 1
      // At least one order runs, or nothing would be released.
      amount += budget?.standardPrice ?? 0n
      uncounted ||= budget?.resume !== true || !RELEASES.has(name)
      continue
    }
    count += purchase.count
    const { expectedPrice, years } = purchase
    const price = expectedPrice === undefined ? budget?.standardPrice : parseMoney(expectedPrice)
    if (price === undefined) {
      unpriced ||= budget?.amount !== undefined && PRICED.has(name)
      continue
    }
    // The API does not say whether a price is for one year or for all of them: the most counts.
    amount += price * BigInt(purchase.count) * BigInt(Math.max(1, years ?? 1))
  }
  if (count === 0 && !uncounted) return undefined
  return { count, amount, unpriced, uncounted, perhaps: sure ? [] : [...perhaps], what }
}

/** A calendar day or month in UTC. */
export interface Period {
  /** `2026-11-24` or `2026-11`: how the days in it begin. */
  readonly key: string
  /** The day that it is, `2026-11-24`. */
  readonly day: string
  /** Its end, RFC 3339. */
  readonly ends: string
}

/** The period around `now` (milliseconds since 1970). */
export function periodAt(per: BudgetSettings['per'], now: number): Period {
  const date = new Date(now)
  const day = date.toISOString().slice(0, 10)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const end =
    per === 'day' ? Date.UTC(year, month, date.getUTCDate() + 1) : Date.UTC(year, month + 1)
  const ends = new Date(end).toISOString().replace('.000Z', 'Z')
  return { key: per === 'day' ? day : day.slice(0, 7), day, ends }
}
