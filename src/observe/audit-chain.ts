// The chain of audit records: each line names the hash of the one before, so that a line that is
// taken out or changed in the middle shows. It does not keep whoever may write the file from making a
// new end of it.

import { hash } from 'node:crypto'

/** Bytes. Records are shorter, whatever is in them; more is read of no line. */
export const LONGEST_LINE = 512 * 1024

/** Stands for the hash of a line where there is none before. */
export const NOTHING_BEFORE = '0'.repeat(64)

/** A place in a chain: that of one line. */
export interface Link {
  /** Random name of the chain: one process, from its start to its end. */
  readonly chain: string
  /** Number of the line in its chain, from 1. */
  readonly seq: number
  /** SHA-256 (hex) of the line, without its newline. */
  readonly hash: string
}

/** A line as it was read. */
export interface ChainedLine extends Link {
  /** Hash of the line before. */
  readonly prev: string
  readonly record: Readonly<Record<string, unknown>>
}

/** SHA-256 of a line without its newline, in hex. */
export function lineHash(line: string | Uint8Array): string {
  return hash('sha256', line, 'hex')
}

/** How every line begins. */
const HEAD = '{"chain":"'
const LINKS = /^\{"chain":"([0-9a-f]{16})","seq":([1-9]\d{0,14}),"prev":"([0-9a-f]{64})",/
const LINKS_BYTES = 160

/** The line, with its newline, of a record whose own fields are `fields` (without braces). */
export function chainedLine(
  chain: string,
  seq: number,
  prev: string,
  time: number,
  fields: string,
): string {
  const at = new Date(time).toISOString()
  return `${HEAD}${chain}","seq":${seq},"prev":"${prev}","time":"${at}",${fields}}\n`
}

/**
 * Reads a line without its newline: a record, the piece of one (`torn`), or something else, such as a
 * line of the log.
 */
export function readLine(bytes: Buffer): ChainedLine | 'torn' | 'other' {
  const head = bytes.toString('latin1', 0, LINKS_BYTES)
  if (!head.startsWith(HEAD)) return bytes.length > 0 && HEAD.startsWith(head) ? 'torn' : 'other'
  const [, chain, seq, prev] = LINKS.exec(head) ?? []
  if (chain === undefined || prev === undefined) return 'torn'
  try {
    const record = JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>
    return { chain, seq: Number(seq), prev, hash: lineHash(bytes), record }
  } catch {
    return 'torn'
  }
}
