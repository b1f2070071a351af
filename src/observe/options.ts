// Options of the log (`log:` in the file).

import { z } from '../base/schema.ts'
import type { LogLevel } from './log.ts'

/** What is logged. */
export interface LogSettings {
  readonly level: LogLevel
  /** Whether every request gets a line. */
  readonly access: boolean
}

// Not taken from log.ts, which loads pino; `check` has no use for it.
const LEVELS = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
] as const satisfies LogLevel[]

/** Schema of `log`. */
export const logOptions = z
  .strictObject({
    level: z
      .enum(LEVELS)
      .default('info')
      .describe('Least severity that is written. Environment: OPUSDNS_PROXY_LOG_LEVEL.'),
    access: z.boolean().default(true).describe('Whether every request gets a line.'),
  })
  .prefault({})
  .transform((written): LogSettings => ({ level: written.level, access: written.access }))
