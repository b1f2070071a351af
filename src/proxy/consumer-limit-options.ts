// Options of how much one consumer may ask for (`consumers.<name>.limits`).

import { z } from '../base/schema.ts'

/** How much one consumer may ask for; `undefined` for no such limit. */
export interface ConsumerLimitSettings {
  readonly rate: Rate | undefined
  /** Requests at once, on their way or waiting for a connection. */
  readonly concurrency: number | undefined
}

/** A rate of requests. */
export interface Rate {
  /** Milliseconds that each request uses up. */
  readonly interval: number
  /** Requests that may come at one moment after a pause. */
  readonly burst: number
}

const RATE = /^([1-9]\d{0,5})\/(s|m|h)$/
const NO_RATE = 'is no rate; write a number of requests and its time, for example 50/s or 600/m'
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

const limits = z
  .strictObject({
    rate: z
      .string({ error: NO_RATE })
      .regex(RATE, NO_RATE)
      .optional()
      .describe(
        'Requests by second, minute or hour (50/s, 600/m, 1000/h); no limit when left out.',
      ),
    burst: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe('Requests that may come at one moment; the number in rate when left out.'),
    concurrency: z
      .int()
      .min(1)
      .max(100_000)
      .optional()
      .describe('Requests at once, on their way or waiting; no limit when left out.'),
  })
  .refine(({ rate, burst }) => rate !== undefined || burst === undefined, {
    path: ['burst'],
    error: 'means nothing without a rate; write one, for example 50/s',
  })
  .refine(({ rate, concurrency }) => rate !== undefined || concurrency !== undefined, {
    error: 'limits nothing; write a rate or a concurrency, or remove it',
  })
  .transform(({ rate, burst, concurrency }): ConsumerLimitSettings => {
    const [, count = '', unit = ''] = RATE.exec(rate ?? '') ?? []
    const requests = Number(count)
    return {
      rate:
        rate === undefined
          ? undefined
          : { interval: (UNITS[unit] ?? Number.NaN) / requests, burst: burst ?? requests },
      concurrency,
    }
  })

/** Shape of the options of a consumer about limits. */
export const limitShape = {
  limits: limits
    .optional()
    .describe('How much it may ask for; more is refused with 429. No limit when left out.'),
}
