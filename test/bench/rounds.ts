// The measurement: every contender runs at once, idle but for the one under load, and they take turns,
// so that a noisy minute of the machine hits all of them.

import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Found } from './contenders.ts'
import { CAN_MEASURE, cpuOf, memoryOf } from './cpu.ts'
import type { Load } from './load.ts'
import { answering, end, freePort, launch } from './process.ts'

const FIRST_WARM_UP = 5
const WARM_UP = 1

/** See `measureRounds`. */
export interface RoundsOptions {
  readonly rounds: number
  /** Length of one turn. */
  readonly seconds: number
  readonly upstreamPort: number
  readonly key: string
  readonly load: (port: number, seconds: number) => Promise<Load>
  /** Told before each round, from 1 on. */
  readonly onRound: (round: number) => void
}

/** One turn of one contender. */
export interface Turn extends Load {
  /** Microseconds of CPU time a request; `undefined` where it cannot be measured. */
  readonly cpu: number | undefined
}

/** What a contender did. */
export interface Result {
  readonly name: string
  readonly version: string
  readonly turns: Turn[]
  /** Bytes after the last turn. */
  memory: number | undefined
  /** Why it has no turns. */
  problem: string | undefined
}

interface Entry {
  readonly result: Result
  readonly child: ChildProcess
  readonly port: number
  readonly folder: string
}

/** Middle value; of an even number the mean of the middle two; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const low = sorted[Math.ceil(middle) - 1] ?? Number.NaN
  return (low + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

/** Starts all, measures in turns, ends all. A contender that does not answer is told as a problem. */
export async function measureRounds(
  found: readonly Found[],
  options: RoundsOptions,
): Promise<Result[]> {
  const entries: Entry[] = []
  for (const it of found) entries.push(await enter(it, options))
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      options.onRound(round)
      for (const entry of entries) {
        if (entry.result.problem !== undefined) continue
        await options.load(entry.port, round === 1 ? FIRST_WARM_UP : WARM_UP)
        entry.result.turns.push(await turn(entry, options))
      }
    }
    for (const { result, child } of entries) {
      if (CAN_MEASURE && child.pid !== undefined) result.memory = memoryOf(child.pid)
    }
  } finally {
    await Promise.all(entries.map(({ child }) => end(child)))
    for (const { folder } of entries) rmSync(folder, { recursive: true })
  }
  return entries.map(({ result }) => result)
}

async function enter({ contender, version }: Found, options: RoundsOptions): Promise<Entry> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const [port, sparePort] = [await freePort(), await freePort()]
  const { upstreamPort, key } = options
  const command = contender.prepare({ port, sparePort, upstreamPort, folder, key })
  const child = launch(command, 'proxy', 'ignore')
  const problem = await answering(port).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : 'it failed'),
  )
  const { name } = contender
  return { result: { name, version, turns: [], memory: undefined, problem }, child, port, folder }
}

async function turn({ child, port }: Entry, options: RoundsOptions): Promise<Turn> {
  const pid = CAN_MEASURE ? child.pid : undefined
  const before = pid === undefined ? 0 : cpuOf(pid)
  const load = await options.load(port, options.seconds)
  const used = pid === undefined ? undefined : cpuOf(pid) - before
  return { ...load, cpu: used === undefined ? undefined : used / load.requests }
}
