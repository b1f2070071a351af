// What kinds of thing an operation of the API does: the words by which grants are given. Which
// operation has which is judged by hand, in src/opusdns/operation-table.ts.

/**
 * The classes. An operation has `read`, `write` or `unknown`, and any of the others; a grant by
 * class must cover all that it has. Stable: they stand in configuration files.
 *
 * - `read`: changes nothing, whatever its method: a POST may only ask, and a GET may write.
 * - `write`: changes something.
 * - `destructive`: takes away, replaces or cuts off what was there, or releases commands that may;
 *   what it takes can often not be had back from the API.
 * - `billable`: costs money, or may, also later: a renewal switched on, a job that is resumed.
 * - `credential`: mints, lists or reveals credentials or transfer codes, or hands out what earlier
 *   requests and replies said, where they cannot be masked.
 * - `identity`: changes users, roles, organisations or their IP restrictions.
 * - `bulk`: carries up to thousands of commands; what counts are those.
 * - `unknown`: not in the table, so nobody knows what it does.
 */
export const OPERATION_CLASSES = [
  'read',
  'write',
  'destructive',
  'billable',
  'credential',
  'identity',
  'bulk',
  'unknown',
] as const

/** See `OPERATION_CLASSES`. */
export type OperationClass = (typeof OPERATION_CLASSES)[number]
