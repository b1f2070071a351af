// The table, and how the figures stand against the targets.

import type { Crowd } from './crowd.ts'
import type { Result, Turn } from './rounds.ts'
import { median } from './rounds.ts'
import type { Start } from './start.ts'

/** At most this share of the other's CPU time. */
const TARGETS: Readonly<Record<string, number>> = { before: 1.1, Caddy: 0.75, 'Hono proxy()': 0.25 }
const READY_TARGET = 500
const MEMORY_TARGET = 90
const CROWD_TARGET = 3
const MEGABYTE = 1_000_000

const COLUMNS = [
  ['proxy', 20],
  ['µs CPU/req', 11],
  ['spread', 13],
  ['ours/it', 9],
  ['req/s', 8],
  ['p50 ms', 8],
  ['p99 ms', 8],
  ['RSS MB', 8],
] as const

/** The table as lines. */
export function table(results: readonly Result[]): string[] {
  return [
    row(COLUMNS.map(([title]) => title)),
    ...results.map((result) => row(cells(result, results))),
  ]
}

/** One line for each target; none for an older checkout when there is none. */
export function verdicts(
  results: readonly Result[],
  start: Start | undefined,
  crowd: Crowd | undefined,
): string[] {
  const named = Object.entries(TARGETS).filter(
    ([name]) => name !== 'before' || results.some((it) => it.name === name),
  )
  const lines = named.map(([name, most]) => {
    const ratio = ratioTo(name, results)
    const figure = ratio === undefined ? 'not measured' : ratio.toFixed(2)
    return `CPU vs ${name} ${figure} (target <= ${most.toFixed(2)})${mark(ratio, most)}`
  })
  if (crowd !== undefined) lines.push(crowdLine(crowd))
  if (start === undefined) return lines
  const memory = start.idleMemory === undefined ? undefined : start.idleMemory / MEGABYTE
  lines.push(
    `start to ready ${start.ready.toFixed(0)} ms (target < ${READY_TARGET})${mark(start.ready, READY_TARGET)}`,
    `idle RSS ${memory?.toFixed(0) ?? 'not measured'} MB (target < ${MEMORY_TARGET})${mark(memory, MEMORY_TARGET)}`,
  )
  return lines
}

function crowdLine({ size, alone, beside, failures, memory }: Crowd): string {
  const ratio = beside / alone
  return (
    `p99 beside ${size} slow connections ${beside.toFixed(1)} ms, alone ${alone.toFixed(1)} ms: ` +
    `${ratio.toFixed(2)} (target < ${CROWD_TARGET})${mark(ratio, CROWD_TARGET)}; ` +
    `${failures} failed; RSS ${((memory ?? Number.NaN) / MEGABYTE).toFixed(0)} MB`
  )
}

function cells(result: Result, all: readonly Result[]): string[] {
  const name = `${result.name} ${result.version}`.trim()
  if (result.problem !== undefined) return [name, `  ${result.problem}`]
  const { turns } = result
  const cpu = cpus(turns)
  const failures = turns.reduce((sum, it) => sum + it.failures, 0)
  const spread =
    cpu.length === 0 ? '' : `${Math.min(...cpu).toFixed(1)}-${Math.max(...cpu).toFixed(1)}`
  return [
    name,
    cpu.length === 0 ? '-' : median(cpu).toFixed(1),
    spread,
    ratioTo(result.name, all)?.toFixed(2) ?? '-',
    median(turns.map(({ perSecond }) => perSecond)).toFixed(0),
    median(turns.map(({ p50 }) => p50)).toFixed(2),
    median(turns.map(({ p99 }) => p99)).toFixed(2),
    result.memory === undefined ? '-' : (result.memory / MEGABYTE).toFixed(0),
    failures === 0 ? '' : `  ${failures} FAILED`,
  ]
}

function row(values: readonly string[]): string {
  return values
    .map((value, at) => {
      const width = COLUMNS[at]?.[1] ?? 0
      return at === 0 ? value.padEnd(width) : value.padStart(width)
    })
    .join('')
    .trimEnd()
}

/** Our CPU time by that of `name`: the median over rounds, since a round's noise is shared. */
function ratioTo(name: string, results: readonly Result[]): number | undefined {
  const mine = results.find((it) => it.name === 'ours')
  const other = results.find((it) => it.name === name)
  const ratios = (mine?.turns ?? []).flatMap(({ cpu }, round) => {
    const theirs = other?.turns[round]?.cpu
    return cpu === undefined || theirs === undefined ? [] : [cpu / theirs]
  })
  return ratios.length === 0 ? undefined : median(ratios)
}

function cpus(turns: readonly Turn[]): number[] {
  return turns.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu]))
}

/** Whether `figure` is what it may be at most. */
export function mark(figure: number | undefined, most: number): string {
  if (figure === undefined) return ''
  return figure <= most ? ' met' : ' MISSED'
}
