// Option of where purchases are written down (`ledger:`).

import { z } from '../base/schema.ts'

/** Absolute path of the file. */
export type LedgerSettings = string

const FILE = /^file:\/.*[^/]$/

/** Schema of `ledger`. */
export const ledgerOption = z
  .string()
  .regex(FILE, 'is no place of a ledger; write file: and an absolute path')
  .optional()
  .transform((text): LedgerSettings | undefined => text?.slice('file:'.length))
