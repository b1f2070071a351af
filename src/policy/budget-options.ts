// Options of what one consumer may buy (`budget:` of a consumer).

import { z } from '../base/schema.ts'
import { parseMoney } from './money.ts'
import type { Money } from './money.ts'

/** What a consumer may buy in one period. */
export interface BudgetSettings {
  /** Things bought at most: domains, renewals, paid services. */
  readonly purchases: number
  /** What they may cost together; `undefined` for as much as they do. */
  readonly amount: Money | undefined
  /** What a year counts in a purchase that names no price itself. */
  readonly standardPrice: Money | undefined
  /** Calendar day or month, in UTC. */
  readonly per: 'day' | 'month'
  /** Whether jobs may be resumed and tried again, whatever they buy; each counts as one purchase. */
  readonly resume: boolean
}

const NO_MONEY = "is no amount; write it in quotes, with four places at most: '200.00'"

const money = z.string({ error: NO_MONEY }).transform((text, context): Money => {
  const parsed = parseMoney(text)
  if (parsed !== undefined) return parsed
  context.addIssue({ code: 'custom', message: NO_MONEY })
  return z.NEVER
})

const budget = z
  .strictObject({
    purchases: z
      .int()
      .min(0)
      .max(1_000_000)
      .describe('Things bought at most: domains, transfers, renewals, services (0 to 1000000).'),
    amount: money
      .optional()
      .describe("What they may cost together, in the account's currency, as a text in quotes."),
    standard_price: money
      .optional()
      .describe(
        'What a year counts towards amount in a purchase that names no price. Without it an order that could name one, and does not, is refused.',
      ),
    per: z.enum(['day', 'month']).describe('Calendar day or month, in UTC.'),
    resume: z
      .boolean()
      .default(false)
      .describe(
        'Whether jobs may be resumed and tried again, whatever they buy; each counts as one purchase.',
      ),
  })
  .refine((written) => written.amount !== undefined || written.standard_price === undefined, {
    error: 'means nothing without amount; write amount too, or remove it',
    path: ['standard_price'],
  })
  .transform((written): BudgetSettings => ({
    purchases: written.purchases,
    amount: written.amount,
    standardPrice: written.standard_price,
    per: written.per,
    resume: written.resume,
  }))

/** Options of a consumer that the purchase guard reads. */
export const budgetShape = {
  budget: budget
    .optional()
    .describe('What the consumer may buy where its grants let it; nothing when left out.'),
}
