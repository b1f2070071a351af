// The end of an audit file, from which its chain goes on.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

import { LONGEST_LINE, readLine } from './audit-chain.ts'
import type { Before } from './audit-sink.ts'

const NEWLINE = 10

/** See `auditTail`. */
export interface Tail extends Before {
  /** Whether the file ends in the middle of a line, whole or not. */
  readonly open: boolean
}

/** Reads the last record of the file at `path`; at most its last 1 MiB. Throws what `fs` throws. */
export function auditTail(path: string): Tail {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.alloc(Math.min(size, 2 * LONGEST_LINE))
    const length = readSync(fd, bytes, 0, bytes.length, size - bytes.length)
    return tailOf(bytes.subarray(0, length))
  } finally {
    closeSync(fd)
  }
}

function tailOf(bytes: Buffer): Tail {
  const open = bytes.length > 0 && bytes.at(-1) !== NEWLINE
  let end = open ? bytes.length : bytes.length - 1
  let torn = false
  while (end > 0) {
    const start = bytes.lastIndexOf(NEWLINE, end - 1) + 1
    const line = readLine(bytes.subarray(start, end))
    if (typeof line !== 'string') return { last: line, torn, open }
    // Only the very end can be what a crash left behind; the rest is for `audit verify` to judge.
    if (open && end === bytes.length) torn = true
    end = start - 1
  }
  return { last: undefined, torn, open }
}
