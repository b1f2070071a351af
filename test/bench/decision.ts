// What a decision costs: by the request line alone, and by a 4 KB body, beside JSON.parse of the same
// body in the same run.

import { bodyActs } from '../../src/opusdns/acts.ts'
import { grantedOperationOf } from '../../src/opusdns/operations.ts'
import { policy } from '../../src/policy/policy.ts'

const BATCH = 2000
const ROUNDS = 15
/** Targets, in µs. */
const BY_LINE = 5
const BY_BODY = 50

/** One thing that was measured; µs of CPU for one. */
export interface DecisionCost {
  readonly name: string
  readonly microseconds: number
  /** What it may be at most, where there is a target. */
  readonly most?: number
}

/** A PATCH of records of about 4 KB, all of them within the grant. */
function patch(): Buffer {
  const ops = []
  for (let at = 0; Buffer.byteLength(JSON.stringify({ ops })) < 4000; at++) {
    const name = `_acme-challenge.host-${at}.example.com.`
    ops.push({ op: 'upsert', record: { name, type: 'TXT', ttl: 60, rdata: '"0123456789abcdef"' } })
  }
  return Buffer.from(JSON.stringify({ ops }))
}

/** Median over rounds of the CPU time that `work` takes. */
export function cost(name: string, work: () => unknown, most?: number): DecisionCost {
  const times: number[] = []
  for (let round = 0; round < ROUNDS + 3; round++) {
    const before = process.cpuUsage()
    for (let at = 0; at < BATCH; at++) work()
    const { user, system } = process.cpuUsage(before)
    if (round >= 3) times.push((user + system) / BATCH)
  }
  times.sort((a, b) => a - b)
  const microseconds = times[Math.floor(times.length / 2)] ?? Number.NaN
  return { name, microseconds, ...(most === undefined ? {} : { most }) }
}

/** Measures all of them in this process. */
export function measureDecisions(): readonly DecisionCost[] {
  const zones = Array.from({ length: 50 }, (_, at) => `zone-${at}.example`)
  const { decide, judge } = policy([
    { kind: 'acme', zones: [...zones, 'example.com'] },
    { kind: 'domains:read' },
    { kind: 'operation', operations: ['GET /v1/contacts/{contact_id}'] },
    { kind: 'path', paths: ['GET /v1/tags/**'] },
  ])
  const body = patch()
  const path = '/v1/dns/example.com/records'
  const patchRecords = grantedOperationOf('PATCH', path)
  const byLine = (asked: string) => () => decide('GET', asked, grantedOperationOf('GET', asked))
  return [
    cost(
      'by the request line: operation',
      byLine('/v1/contacts/contact_01h45ytscbebyvny4gc8cr8ma2'),
      BY_LINE,
    ),
    cost('by the request line: zone', byLine('/v1/dns/example.com'), BY_LINE),
    cost('by the request line: denied', byLine('/v1/dns/example.org'), BY_LINE),
    cost(
      `by a body of ${body.length} bytes`,
      () =>
        judge(
          'PATCH',
          path,
          patchRecords,
          bodyActs(patchRecords, path, body, 'application/json', undefined),
        ),
      BY_BODY,
    ),
    cost('JSON.parse of that body alone', () => JSON.parse(body.toString())),
  ]
}
