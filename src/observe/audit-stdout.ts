// Audit records on stdout, among the lines of the log; whoever gathers those keeps them.

import type { AuditSink } from './audit-sink.ts'
import type { OrderedSink } from './ordered-sink.ts'

/** The sink of `audit.to: stdout`. Each process begins a chain of its own. */
export function auditStdout(stdout: Pick<OrderedSink, 'writeNow'>): AuditSink {
  return {
    open: () => ({ last: undefined, torn: false }),
    append(lines) {
      const error = stdout.writeNow(lines.join(''))
      return { whole: error === undefined ? lines.length : 0, torn: false, error }
    },
    reopen: () => undefined,
    close: () => undefined,
  }
}
