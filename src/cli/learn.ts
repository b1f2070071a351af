// `learn`: prints the least grants that would let the traffic of audit files pass. Memory is bounded by
// how much grants tell apart, not by the size of the files.

import { errorCode } from '../base/fault.ts'
import { readLine } from '../observe/audit-chain.ts'
import { leastGrants } from '../policy/least-grants.ts'
import type { LeastGrants } from '../policy/least-grants.ts'
import { learntRecord } from './learnt-record.ts'
import type { LearntRecord, Useless } from './learnt-record.ts'
import { linesOf } from './lines.ts'
import { outcomes } from './outcomes.ts'
import type { ExitCode, World } from './world.ts'

/** See `learnCommand`. */
export interface LearnOptions {
  /** Only this one. */
  readonly consumer?: string
  /** Only what report mode let pass, although no grant covers it. */
  readonly deniedOnly?: boolean
}

/** What was seen of one consumer. */
interface Learnt {
  readonly least: LeastGrants
  requests: number
  reported: number
  denied: number
  readonly useless: Record<Useless, number>
  /** Of single records, beside those of `least`. */
  readonly notes: Map<string, number>
  first: string
  last: string
}

const MOST_CONSUMERS = 1000

const USELESS: Readonly<Record<Useless, string>> = {
  in_vain: 'look-ups of what is no zone',
  refused: 'that were answered 4xx, of which nothing came',
  unread: 'whose body is larger than limits.judged_body_size, or not understood',
}

/** Prints YAML; returns 1 when a file cannot be read, or nothing is learnt. */
export async function learnCommand(
  files: readonly string[],
  options: LearnOptions,
  world: Pick<World, 'out' | 'err'>,
): Promise<ExitCode> {
  const learnt = new Map<string, Learnt>()
  const whole = outcomes((found) => {
    const record = learntRecord(found)
    if (record !== undefined) learnFrom(record, options, learnt)
  })
  for (const file of files) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one at a time keeps the memory small
      for await (const line of linesOf(file)) {
        const read = line === undefined ? 'other' : readLine(line)
        if (typeof read !== 'string') whole.take(read)
      }
    } catch (error) {
      world.err(`error: ${file} cannot be read (${errorCode(error) || 'unexpected'})\n`)
      return 1
    }
  }
  whole.end()
  const found = [...learnt].filter(([, { requests }]) => requests > 0)
  if (found.length === 0) {
    world.err('There is nothing to learn from in here: no decision of this kind.\n')
    return 1
  }
  world.out(
    [
      '# The least grants for the traffic seen. Look through them before you use them.',
      'consumers:',
    ]
      .concat(...found.map(([name, one]) => linesFor(name, one)), '')
      .join('\n'),
  )
  return 0
}

function learnFrom(
  record: LearntRecord,
  { consumer, deniedOnly }: LearnOptions,
  learnt: Map<string, Learnt>,
): void {
  if (consumer !== undefined && record.consumer !== consumer) return
  let one = learnt.get(record.consumer)
  if (one === undefined) {
    if (learnt.size === MOST_CONSUMERS) return
    const { time } = record
    one = {
      least: leastGrants(),
      notes: new Map(),
      requests: 0,
      reported: 0,
      denied: 0,
      useless: { in_vain: 0, refused: 0, unread: 0 },
      first: time,
      last: time,
    }
    learnt.set(record.consumer, one)
  }
  one.last = record.time
  if (record.decision === 'deny' && record.useless !== 'in_vain') one.denied += 1
  else if (record.useless !== undefined) one.useless[record.useless] += 1
  else if (deniedOnly !== true || record.decision === 'reported') {
    one.requests += 1
    if (record.decision === 'reported') one.reported += 1
    const { method, path, operation, acts } = record
    // Nothing of it is known: what the path says would be more than was seen.
    if (acts.length > 0 || record.notes.length === 0) one.least.add(method, path, operation, acts)
    for (const note of record.notes) one.notes.set(note, (one.notes.get(note) ?? 0) + 1)
  }
}

function linesFor(name: string, it: Learnt): string[] {
  const counts = [
    `${it.requests} requests from ${day(it.first)} to ${day(it.last)}`,
    ...(it.reported > 0 ? [`${it.reported} of them would have been denied`] : []),
    ...(it.denied > 0 ? [`not learnt: ${it.denied} that were denied`] : []),
    ...(Object.keys(USELESS) as Useless[])
      .filter((why) => it.useless[why] > 0)
      .map((why) => `not learnt: ${it.useless[why]} ${USELESS[why]}`),
  ]
  const grants = it.least.grants()
  const notes = [...it.least.notes(), ...it.notes].map(
    ([note, count]) => `    # ${count} times: ${note}`,
  )
  return [
    `  ${/^[a-z]/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(name) ? name : `'${name}'`}:`,
    ...counts.map((text) => `    # ${text}`),
    ...notes,
    ...(grants.length === 0
      ? ['    grants: []']
      : ['    grants:', ...grants.map((grant) => `      - ${grant}`)]),
  ]
}

function day(time: string): string {
  return /^\d{4}-\d\d-\d\d/.exec(time)?.[0] ?? 'an unknown day'
}
