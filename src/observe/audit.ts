// The audit log: one record for each decision, chained by hashes. A request that does more than read is
// written down before it is forwarded, in the hands of the kernel, and its outcome afterwards.

import { randomBytes } from 'node:crypto'

import type { Clock } from '../base/clock.ts'
import { NOTHING_BEFORE, chainedLine, lineHash } from './audit-chain.ts'
import type { AuditSettings } from './audit-options.ts'
import { decisionFields, endFields, outcomeFields } from './audit-record.ts'
import type { AuditDecision, AuditOutcome } from './audit-record.ts'
import type { AuditSink } from './audit-sink.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

/** Whether a record is in the hands of the kernel. */
export type Written = 'written' | 'lost'

/** The record of one request. */
export interface AuditEntry {
  /** True when the request must not be forwarded: its record is lost, and it may not go without. */
  readonly refuse: boolean
  /** Says how the request ended. Call it once, on every path. */
  close(outcome: AuditOutcome): Written
}

/** State of the audit log, for readiness. */
export interface AuditStatus {
  /** False while the last record could not be written. */
  readonly ok: boolean
  /** Records lost since the start. */
  readonly lost: number
  /** Code of the error that keeps records out, such as `ENOSPC`. */
  readonly error: string | undefined
}

/** See the top of the file. */
export interface AuditLog {
  /** Opens the sink and begins the chain. Throws a Fault `config_invalid` if it cannot be opened. */
  start(): void
  /**
   * Takes a decision down, right before the request is forwarded. Writes at once what does more than
   * read (or has a class that may not go without a record); the rest is one line, written by `close`.
   */
  open(decision: AuditDecision): AuditEntry
  /** Records in one line what was not forwarded, and how it ended. */
  record(decision: AuditDecision, outcome: AuditOutcome): Written
  status(): AuditStatus
  /** Opens the file anew, after its rotation. */
  reopen(): void
  /** Ends the chain, if it was begun. */
  stop(): void
}

/** See `auditLog`. */
export interface AuditDeps {
  readonly sink: AuditSink
  readonly clock: Pick<Clock, 'wall'>
  readonly log: Pick<Log, 'info' | 'error'>
  readonly metrics: { readonly auditLost: Pick<Metrics['auditLost'], 'inc'> }
}

/** Builds the audit log; it does no I/O before `start`. */
export function auditLog(
  { refuse }: Pick<AuditSettings, 'refuse'>,
  { sink, clock, log, metrics }: AuditDeps,
): AuditLog {
  const chain = randomBytes(8).toString('hex')
  let begun = false
  let seq = 0
  let prev = NOTHING_BEFORE
  let torn = false
  let lost = 0
  /** Lost since the last record that was written. */
  let missing = 0
  /** Fields of the first record, until it is written. */
  let first: string | undefined
  let error: string | undefined

  /**
   * Writes one record behind what has to be said first; returns its number, or `undefined` when it is
   * lost.
   */
  function append(fields?: string): number | undefined {
    const back = comeback()
    const all = [back, fields].filter((one) => one !== undefined)
    const time = clock.wall()
    const lines: string[] = []
    const hashes: string[] = []
    for (const one of all) {
      const line = chainedLine(chain, seq + lines.length + 1, hashes.at(-1) ?? prev, time, one)
      lines.push(line)
      hashes.push(lineHash(line.slice(0, -1)))
    }
    const result = sink.append(lines)
    if (result.whole > 0) {
      seq += result.whole
      prev = hashes[result.whole - 1] ?? prev
      if (back !== undefined) {
        first = undefined
        torn = false
        missing = 0
      }
    }
    if (result.torn) torn = true
    if (result.whole === lines.length) {
      if (error !== undefined) log.info({ lost }, 'audit records are written again')
      error = undefined
      return seq
    }
    if (fields !== undefined) {
      lost += 1
      missing += 1
      metrics.auditLost.inc()
    }
    const code = result.error ?? 'EIO'
    if (error === undefined) log.error({ code }, 'audit records cannot be written')
    error = code
    return undefined
  }
  /** What has to be said before the next record. */
  function comeback(): string | undefined {
    const gap = missing > 0 ? `,"lost":${missing}` : ''
    if (first !== undefined) return first + gap
    return torn || missing > 0 ? `"event":"resumed"${torn ? ',"torn":true' : ''}${gap}` : undefined
  }
  function written(number: number | undefined): Written {
    return number === undefined ? 'lost' : 'written'
  }
  function record(decision: AuditDecision, outcome: AuditOutcome): Written {
    return written(append(`${decisionFields(decision, false)},${endFields(outcome)}`))
  }

  return {
    start() {
      const before = sink.open()
      begun = true
      const { last } = before
      if (last !== undefined) prev = last.hash
      first =
        `"event":"${last === undefined && !before.torn ? 'begun' : 'resumed'}"` +
        (before.torn ? ',"torn":true' : '') +
        (last === undefined ? '' : `,"after":{"chain":"${last.chain}","seq":${last.seq}}`)
      append()
    },
    open(decision) {
      const must = decision.classes.some((one) => refuse.has(one))
      const ahead = must || decision.classes.some((one) => one !== 'read')
      const number = ahead ? append(decisionFields(decision, true)) : undefined
      return {
        refuse: must && number === undefined,
        close(outcome) {
          if (number === undefined) return record(decision, outcome)
          return written(append(outcomeFields(outcome, decision.id, number)))
        },
      }
    },
    record,
    status: () => ({ ok: error === undefined, lost, error }),
    reopen: () => sink.reopen(),
    stop() {
      if (!begun) return
      append('"event":"stopped"')
      sink.close()
    },
  }
}
