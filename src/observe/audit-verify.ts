// Follows the chains of audit records, line by line and in little memory, and finds the first place
// where something was taken out or changed.

import { NOTHING_BEFORE, readLine } from './audit-chain.ts'
import type { ChainedLine } from './audit-chain.ts'

/** What `audit verify` counts. */
export interface AuditSummary {
  readonly chains: number
  readonly records: number
  readonly decisions: number
  /** Allowed requests whose outcome is not there: on their way, or the process died meanwhile. */
  readonly open: number
  /** Records that were never written, as the chains themselves tell. */
  readonly lost: number
  /** Pieces of lines, which a crash or a full disk left behind, and a record after them tells of. */
  readonly torn: number
  /** Lines that are no records, such as those of the log. */
  readonly others: number
  /** True when the last line is a piece. */
  readonly endsTorn: boolean
  /** The number that the first record has, when earlier ones of its chain are not here; else 1. */
  readonly beginsAt: number
}

/** See `auditVerifier`. */
export interface AuditVerifier {
  /** Takes the next line, without its newline; returns what is wrong with it. */
  line(bytes: Buffer): string | undefined
  summary(): AuditSummary
}

interface End {
  readonly seq: number
  readonly hash: string
}

/** Processes whose records may be mixed; more are forgotten, oldest first. */
const CHAINS = 10_000

/** A verifier for one sequence of lines, which may come from several files. */
export function auditVerifier(): AuditVerifier {
  const ends = new Map<string, End>()
  const count = { chains: 0, records: 0, decisions: 0, open: 0, lost: 0, torn: 0, others: 0 }
  let pending = false
  let beginsAt = 1

  function fault(it: ChainedLine): string | undefined {
    if (pending && it.record['torn'] !== true) {
      return 'the record before this one is not whole, and no crash is told of'
    }
    const end = ends.get(it.chain)
    return end === undefined ? faultOfFirst(it) : faultOfNext(it, end)
  }
  function faultOfNext(it: ChainedLine, end: End): string | undefined {
    if (it.seq !== end.seq + 1) {
      const missing = it.seq - end.seq - 1
      return `record ${it.seq} of chain ${it.chain} follows ${end.seq}: ${
        missing > 0 ? `${missing} missing` : 'out of order'
      }`
    }
    return it.prev === end.hash
      ? undefined
      : `record ${it.seq} of chain ${it.chain} does not name the hash of record ${end.seq}: one of the two was changed`
  }
  function faultOfFirst(it: ChainedLine): string | undefined {
    if (count.records === 0) return undefined
    if (it.seq !== 1) return `chain ${it.chain} begins with record ${it.seq}: ${it.seq - 1} missing`
    const after = afterOf(it)
    if (after === undefined) {
      return it.prev === NOTHING_BEFORE
        ? undefined
        : `chain ${it.chain} does not say what it follows`
    }
    const end = ends.get(after.chain)
    if (end === undefined) {
      return `chain ${it.chain} follows chain ${after.chain}, which is not here`
    }
    if (end.seq < after.seq) {
      return `chain ${it.chain} follows record ${after.seq} of chain ${after.chain}, which ends with ${end.seq}`
    }
    // A process that was still draining may have gone on; its own chain speaks for those records.
    return end.seq === after.seq && end.hash !== it.prev
      ? `chain ${it.chain} does not name the hash of the record that it follows: one of the two was changed`
      : undefined
  }

  return {
    line(bytes) {
      const read = readLine(bytes)
      if (read === 'other') {
        if (bytes.length > 0) count.others += 1
        return undefined
      }
      if (read === 'torn') {
        if (pending) return 'this record and the one before it are not whole'
        pending = true
        return undefined
      }
      const found = fault(read)
      if (found !== undefined) return found
      if (pending) count.torn += 1
      pending = false
      if (count.records === 0) beginsAt = read.seq
      if (!ends.has(read.chain)) count.chains += 1
      // Moved to the end: the order is that of the last record.
      ends.delete(read.chain)
      ends.set(read.chain, { seq: read.seq, hash: read.hash })
      const [oldest] = ends.keys()
      if (ends.size > CHAINS && oldest !== undefined) ends.delete(oldest)
      const { event, ahead, lost } = read.record
      count.records += 1
      if (event === 'decision') count.decisions += 1
      if (ahead === true) count.open += 1
      if (event === 'outcome') count.open -= 1
      if (typeof lost === 'number') count.lost += lost
      return undefined
    },
    summary: () => ({ ...count, open: Math.max(0, count.open), endsTorn: pending, beginsAt }),
  }
}

function afterOf({ record }: ChainedLine): { chain: string; seq: number } | undefined {
  const { after } = record
  if (typeof after !== 'object' || after === null) return undefined
  const { chain, seq } = after as { chain?: unknown; seq?: unknown }
  return typeof chain === 'string' && typeof seq === 'number' ? { chain, seq } : undefined
}
