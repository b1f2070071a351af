// Audit logs to write to in a test, and what they say.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

import { auditFile } from '../../src/observe/audit-file.ts'
import { auditVerifier } from '../../src/observe/audit-verify.ts'
import type { AuditSummary } from '../../src/observe/audit-verify.ts'
import { auditLog } from '../../src/observe/audit.ts'
import type { AuditLog } from '../../src/observe/audit.ts'
import type { AuditDecision, AuditOutcome } from '../../src/observe/audit-record.ts'
import type { AuditSink } from '../../src/observe/audit-sink.ts'
import { manualClock } from '../support/manual-clock.ts'
import type { ManualClock } from '../support/manual-clock.ts'

export const READ: AuditDecision = {
  id: 'r-1',
  consumer: 'certbot',
  by: 'key:k7x2',
  method: 'GET',
  operation: '/v1/dns/{zone_name}',
  classes: ['read'],
  path: '/v1/dns/example.com',
  zones: ['example.com'],
  names: [],
  changes: [],
  dryRun: false,
  decision: 'allow',
  grant: 'read',
  reason: undefined,
  bodySha256: undefined,
}
export const WRITE: AuditDecision = {
  ...READ,
  id: 'w-1',
  method: 'PATCH',
  operation: '/v1/dns/{zone_name}/rrsets',
  classes: ['write'],
  path: '/v1/dns/example.com/rrsets',
  names: ['_acme-challenge.example.com'],
  changes: ['upsert TXT _acme-challenge.example.com'],
  grant: 'acme: [example.com]',
  bodySha256: 'ab'.repeat(32),
}
export const PURCHASE: AuditDecision = { ...WRITE, id: 'p-1', classes: ['write', 'billable'] }
export const DENIED: AuditDecision = {
  ...WRITE,
  id: 'd-1',
  decision: 'deny',
  grant: undefined,
  reason: 'not_granted',
}
export const DONE: AuditOutcome = {
  status: 200,
  source: 'upstream',
  code: undefined,
  upstreamId: 'up-1',
  attempts: 1,
  complete: true,
  bodySha256: undefined,
}
export const REFUSED: AuditOutcome = {
  status: 403,
  source: 'policy',
  code: 'not_granted',
  upstreamId: undefined,
  attempts: 0,
  complete: true,
  bodySha256: undefined,
}

/** A folder that is gone after the test. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'audit-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

export interface Subject {
  readonly audit: AuditLog
  readonly clock: ManualClock
  /** Messages of the log, with their level. */
  readonly said: string[]
  /** What the metric counts. */
  lost(): number
}

/** An audit log that is not started yet. */
export function subject(
  sink: string | AuditSink,
  refuse: readonly string[] = ['billable', 'destructive'],
): Subject {
  const clock = manualClock()
  const said: string[] = []
  let lost = 0
  const log = {
    info: (_: unknown, message: string) => void said.push(`info: ${message}`),
    error: (fields: Record<string, unknown>, message: string) =>
      void said.push(`error: ${message} ${JSON.stringify(fields)}`),
  }
  const audit = auditLog(
    { refuse: new Set(refuse) },
    {
      sink: typeof sink === 'string' ? auditFile({ path: sink }, { clock, log }) : sink,
      clock,
      log,
      metrics: { auditLost: { inc: () => void lost++ } },
    },
  )
  return { audit, clock, said, lost: () => lost }
}

/** The records of `file`. */
export function records(file: string): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** What the verifier says of these files together: the first break, or its counts. */
export function verified(...files: readonly string[]): string | AuditSummary {
  return judged(Buffer.concat(files.map((file) => readFileSync(file))))
}

/** As `verified`, of bytes. */
export function judged(bytes: Buffer): string | AuditSummary {
  const verifier = auditVerifier()
  let start = 0
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start)
    const end = newline === -1 ? bytes.length : newline
    const broken = verifier.line(bytes.subarray(start, end))
    if (broken !== undefined) return broken
    start = end + 1
  }
  return verifier.summary()
}
