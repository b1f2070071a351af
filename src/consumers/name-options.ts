// What consumers and credentials may be called: names that are safe in logs, metrics and file names.

import { z } from '../base/schema.ts'

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** Schema of the name of a consumer or a credential. */
export const nameOption = z
  .string()
  .regex(NAME, 'is no name; write small letters, digits, dots, hyphens and underscores')

/** Whether `text` could be the name of a consumer. */
export function isName(text: string): boolean {
  return NAME.test(text)
}
