// Where audit lines go: a file, or stdout.

import type { Link } from './audit-chain.ts'

/** What stands at the end of what was written before. */
export interface Before {
  /** Its last whole record. */
  readonly last: Link | undefined
  /** Whether a piece of a line follows it. */
  readonly torn: boolean
}

/** What became of lines. */
export interface Appended {
  /** How many of them, from the first, are whole in the hands of the kernel. */
  readonly whole: number
  /** Whether a piece of the next one is there too, and could not be taken back. */
  readonly torn: boolean
  /** Code of the error that kept the others out, such as `ENOSPC`. */
  readonly error: string | undefined
}

/** See the top of the file. All calls are synchronous. */
export interface AuditSink {
  /** Opens it. Throws a Fault `config_invalid` when that is not possible. */
  open(): Before
  /** Writes lines, each with its newline, in one piece. Never throws. */
  append(lines: readonly string[]): Appended
  /** Opens the file anew, for whoever moved it away. Lines go on into the old one if that fails. */
  reopen(): void
  /** Ends it for good: lines that come later are not written. */
  close(): void
}
