import { describe, expect, test } from 'vitest'

import { actOf } from '../../src/opusdns/act.ts'
import type { Act, Purchase } from '../../src/opusdns/act.ts'
import { OPERATIONS, operationOf } from '../../src/opusdns/operations.ts'
import type { Operation } from '../../src/opusdns/operations.ts'
import { pathPurchase } from '../../src/opusdns/path-purchase.ts'
import { costOf, periodAt } from '../../src/policy/budget.ts'
import type { BudgetSettings } from '../../src/policy/budget-options.ts'
import { moneyText, parseMoney } from '../../src/policy/money.ts'

const budget: BudgetSettings = {
  purchases: 10,
  amount: undefined,
  standardPrice: undefined,
  per: 'day',
  resume: false,
}

function act(line: string, purchase: Partial<Purchase> | undefined, domain?: string): Act {
  const [method = '', path = ''] = line.split(' ')
  const whole = purchase && { count: 1, expectedPrice: undefined, years: undefined, ...purchase }
  return actOf(operationOf(method, path), { domain, purchase: whole })
}
/** Nothing is listed as `unpriced`. */
const NONE: ReadonlySet<Operation> = new Set()
const create = (purchase: Partial<Purchase> = {}) =>
  act('POST /v1/domains', purchase, 'example.com')

describe('money', () => {
  test.each(['0.00', '0.01', '12.50', '0.1234', '999999999.9999'])('%s keeps its value', (text) => {
    expect(moneyText(parseMoney(text) ?? -1n)).toBe(text)
  })

  test('adds up exactly', () => {
    const cent = parseMoney('0.10') ?? 0n
    expect(moneyText(cent + cent + cent)).toBe('0.30')
    expect(parseMoney('7')).toBe(parseMoney('7.0000'))
  })

  test.each(['', '-1', '+1', '1.', '.5', '1.23456', '1e3', '1,50', ' 1', '1234567890', '０'])(
    '%j is none',
    (text) => {
      expect(parseMoney(text)).toBeUndefined()
    },
  )
})

describe('the cost of acts', () => {
  test('is none where nothing is bought', () => {
    expect(costOf([], budget, NONE)).toBeUndefined()
    expect(costOf([act('GET /v1/domains', undefined)], budget, NONE)).toBeUndefined()
  })

  test('is the sum of all', () => {
    const acts = [create(), act('POST /v1/contacts', undefined), create({ count: 2 })]
    expect(costOf(acts, budget, NONE)).toMatchObject({
      count: 3,
      unpriced: false,
      uncounted: false,
    })
  })

  test('takes a price for that of one thing and of one year, the most that it can mean', () => {
    const cost = costOf([create({ count: 2, expectedPrice: '12.50', years: 3 })], budget, NONE)
    expect(moneyText(cost?.amount ?? 0n)).toBe('75.00')
    expect(
      moneyText(costOf([create({ expectedPrice: '12.50' })], budget, NONE)?.amount ?? 0n),
    ).toBe('12.50')
  })

  test('takes the standard price where none is named', () => {
    const standard = { ...budget, amount: 1_000_000n, standardPrice: parseMoney('20.00') }
    const cost = costOf([create({ years: 2 }), create({ expectedPrice: '100.00' })], standard, NONE)
    expect(moneyText(cost?.amount ?? 0n)).toBe('140.00')
    expect(cost?.unpriced).toBe(false)
  })

  test('lacks a price under a budget with an amount, where the API has a field for it', () => {
    const amount = { ...budget, amount: 1n }
    for (const line of ['', '/transfer', '/example.com/renew', '/example.com/restore']) {
      expect(costOf([act(`POST /v1/domains${line}`, {})], amount, NONE)?.unpriced).toBe(true)
    }
    expect(costOf([act('PATCH /v1/domains/example.com', {})], amount, NONE)?.unpriced).toBe(false)
    expect(costOf([act('POST /v1/vanity-nameserver-sets', {})], amount, NONE)?.unpriced).toBe(false)
    expect(costOf([create()], budget, NONE)?.unpriced).toBe(false)
  })

  test('names what it is for, ten at the most', () => {
    const cost = costOf(
      Array.from({ length: 1000 }, () => create()),
      budget,
      NONE,
    )
    expect(cost?.what).toEqual(Array.from({ length: 10 }, () => 'POST /v1/domains example.com'))
  })
})

describe('a number that nobody knows', () => {
  const released = act('POST /v1/jobs/batch_1/resume', { count: 'unknown' })

  test('counts one standard price towards the amount, and nothing without one', () => {
    const resuming = { ...budget, amount: 1_000_000n, resume: true }
    const standardPrice = parseMoney('20.00')
    expect(costOf([released, released], { ...resuming, standardPrice }, NONE)).toMatchObject({
      count: 2,
      amount: 400_000n,
      unpriced: false,
    })
    expect(costOf([released], resuming, NONE)).toMatchObject({
      count: 1,
      amount: 0n,
      unpriced: false,
    })
  })

  test('counts as one where the budget lets jobs be resumed, and is refused elsewhere', () => {
    expect(costOf([released], budget, NONE)?.uncounted).toBe(true)
    expect(costOf([released], undefined, NONE)?.uncounted).toBe(true)
    const resuming = costOf([released], { ...budget, resume: true }, NONE)
    expect(resuming).toMatchObject({ count: 1, uncounted: false })
  })

  test('is never one for a new batch, whose commands are known', () => {
    const batch = act('POST /v1/jobs', { count: 'unknown' })
    expect(costOf([batch], { ...budget, resume: true }, NONE)?.uncounted).toBe(true)
  })
})

describe('what may have a price', () => {
  const zone = act('POST /v1/dns', { perhaps: true })
  const forward = act('POST /v1/domain-forwards', { perhaps: true })
  const free = new Set([operationOf('POST', '/v1/dns')])

  test('counts as any other, and takes the standard price', () => {
    expect(costOf([zone, create()], budget, NONE)).toMatchObject({ count: 2, perhaps: [] })
    const standard = { ...budget, amount: 1_000_000n, standardPrice: parseMoney('20.00') }
    expect(moneyText(costOf([zone], standard, NONE)?.amount ?? 0n)).toBe('20.00')
    expect(costOf([zone], { ...budget, amount: 1n }, NONE)).toMatchObject({
      amount: 0n,
      unpriced: false,
    })
  })

  test('costs nothing where it is listed, and what is a purchase costs all the same', () => {
    expect(costOf([zone, zone], budget, free)).toBeUndefined()
    expect(costOf([zone, forward, forward], budget, free)).toMatchObject({
      count: 2,
      perhaps: ['POST /v1/domain-forwards'],
    })
    const bought = act('POST /v1/domains', {}, 'example.com')
    expect(costOf([bought], budget, new Set([operationOf('POST', '/v1/domains')]))?.count).toBe(1)
  })
})

test('whatever buys is billable, so that its outcome is looked at and its body judged', () => {
  const free = OPERATIONS.filter((one) => one.billable && pathPurchase(one) === undefined)
  expect(free).toEqual([])
  const buying = OPERATIONS.filter((operation) => pathPurchase(operation) !== undefined)
  expect(buying.length).toBeGreaterThan(10)
  expect(buying.filter(({ billable }) => !billable)).toEqual([])
})

describe('a period', () => {
  const at = (text: string) => Date.parse(text)

  test('is a day or month of UTC', () => {
    const last = at('2026-12-31T23:59:59.999Z')
    expect(periodAt('day', last)).toEqual({
      key: '2026-12-31',
      day: '2026-12-31',
      ends: '2027-01-01T00:00:00Z',
    })
    expect(periodAt('month', last)).toEqual({
      key: '2026-12',
      day: '2026-12-31',
      ends: '2027-01-01T00:00:00Z',
    })
    expect(periodAt('month', at('2028-02-29T12:00:00Z')).ends).toBe('2028-03-01T00:00:00Z')
  })
})
