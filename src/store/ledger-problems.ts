// What can be wrong with the file of a ledger, and what to do about it. Errors of SQLite are named by
// their result codes; their texts are never shown.

import { Fault, errorCode } from '../base/fault.ts'

/** A file that is there, and cannot be a ledger. */
export class Unfit extends Error {
  readonly code: keyof typeof PROBLEMS

  constructor(code: keyof typeof PROBLEMS) {
    super('unfit')
    this.code = code
  }
}

/** The name of what SQLite says with `error`; `undefined` for what is none of it. */
export function resultOf(error: unknown): keyof typeof PROBLEMS | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  // The lower byte; the rest says more of the same.
  return typeof error.errcode === 'number' ? RESULTS[error.errcode & 0xff] : undefined
}

/** The Fault of a ledger that fails while it is used. Nothing was sent then. */
export function unavailable(error: unknown): Fault {
  return new Fault('ledger_unavailable', {
    detail: 'The ledger of purchases cannot be used, so nothing is bought.',
    cause: named(error),
    retryAfter: 5,
  })
}

/** The Fault `config_invalid` of a ledger that cannot be opened. */
export function unusable(error: unknown): Fault {
  const code = resultOf(error) ?? errorCode(error)
  const found = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code as keyof typeof PROBLEMS] : undefined
  const [fault, remedy] = found ?? ['cannot be used', 'look after the file and its folder']
  return new Fault('config_invalid', {
    detail: 'The ledger of purchases cannot be used.',
    problems: [{ place: 'ledger', fault, remedy }],
    cause: named(error),
  })
}

/** Throws the Fault of `unusable` with the path before each fault, for the operator who wrote it. */
export function throwWithPath(fault: unknown, path: string): never {
  if (!(fault instanceof Fault)) throw fault
  throw new Fault(fault.code, {
    detail: fault.message,
    problems: fault.problems.map((one) => ({ ...one, fault: `file:${path} ${one.fault}` })),
    cause: fault.cause,
  })
}

/** An error whose code says what happened, for the log, which shows no texts. */
function named(error: unknown): Error {
  const code = resultOf(error) ?? (errorCode(error) || 'FAILED')
  return Object.assign(new Error('the ledger failed'), { code: `LEDGER_${code}` })
}

const TO_THE_USER = 'give the file and its folder to the user of the proxy'

const PROBLEMS = {
  ENOENT: ['is not there, or its folder is not', 'make the folder; serve makes the file'],
  EACCES: ['may not be read and written', TO_THE_USER],
  EROFS: ['is on a read-only file system', 'choose a place that can be written'],
  EISDIR: ['is a folder', 'name a file in it'],
  ENOSPC: ['does not fit on the disk', 'make room'],
  NO_FILE: ['is no file', 'name a file'],
  OPEN_TO_OTHERS: ['can be written by others', 'take that from them: chmod 600'],
  FOREIGN: ['is the database of another program', 'name another file'],
  OTHER_VERSION: ['was made by another version of this program', 'use that one, or another file'],
  NOT_A_DATABASE: ['is no ledger', 'name another file'],
  CORRUPT: ['is damaged', 'restore a copy, or move it away and begin with nothing spent'],
  READ_ONLY: ['cannot be written', TO_THE_USER],
  CANNOT_OPEN: ['cannot be opened', TO_THE_USER],
  BUSY: ['is locked by another program', 'end that program'],
  FULL: ['does not fit on the disk', 'make room'],
  IO: ['cannot be read or written', 'look after the disk'],
} as const satisfies Record<string, readonly [fault: string, remedy: string]>

const RESULTS: Readonly<Partial<Record<number, keyof typeof PROBLEMS>>> = {
  5: 'BUSY',
  8: 'READ_ONLY',
  10: 'IO',
  11: 'CORRUPT',
  13: 'FULL',
  14: 'CANNOT_OPEN',
  26: 'NOT_A_DATABASE',
}
