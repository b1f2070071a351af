// Puts decisions of the audit log that were written ahead together with their outcomes, which stand some
// lines below.

import type { ChainedLine } from '../observe/audit-chain.ts'

type AuditRecord = ChainedLine['record']

/** See `outcomes`. */
export interface Outcomes {
  /** Takes the next record. */
  take(line: ChainedLine): void
  /** Lets go of the decisions whose outcome was not found. */
  end(): void
}

/** Decisions that are kept at once; more than are usually on their way together. */
const MOST = 2000

/**
 * Hands each record to `found`: a decision that was written ahead with the fields of its outcome too, as
 * far as that comes among the next ones.
 */
export function outcomes(found: (record: AuditRecord) => void): Outcomes {
  const ahead = new Map<string, AuditRecord>()

  return {
    take({ chain, seq, record }) {
      if (record['ahead'] === true) {
        ahead.set(`${chain} ${seq}`, record)
        const [oldest] = ahead
        if (oldest === undefined || ahead.size <= MOST) return
        ahead.delete(oldest[0])
        found(oldest[1])
      } else if (record['event'] === 'outcome') {
        const of = `${chain} ${String(record['of'])}`
        const decision = ahead.get(of)
        if (decision === undefined || !ahead.delete(of)) return
        found({ ...decision, status: record['status'] })
      } else found(record)
    },
    end() {
      for (const record of ahead.values()) found(record)
      ahead.clear()
    },
  }
}
