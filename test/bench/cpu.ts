// What a process and its children have used: CPU time and memory, as Linux counts them. Elsewhere
// there is no /proc, and the bench says so.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** True where the figures can be had. */
export const CAN_MEASURE = process.platform === 'linux'

const TICK = CAN_MEASURE ? 1_000_000 / ticksPerSecond() : 0

/** CPU time, user and system, of `pid` and all its children so far, in microseconds. */
export function cpuOf(pid: number): number {
  let ticks = 0
  for (const one of familyOf(pid)) {
    const text = read(`/proc/${one}/stat`)
    // The name may hold spaces and brackets; the fields begin after its last bracket.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    for (const field of fields.slice(11, 15)) ticks += Number(field)
  }
  return ticks * TICK
}

/** Resident memory of `pid` and its children, in bytes. Shared pages count in each. */
export function memoryOf(pid: number): number {
  let kilobytes = 0
  for (const one of familyOf(pid)) {
    kilobytes += Number(/^VmRSS:\s*(\d+)/m.exec(read(`/proc/${one}/status`))?.[1] ?? 0)
  }
  return kilobytes * 1024
}

function familyOf(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))]
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It has just ended.
    return ''
  }
}

function ticksPerSecond(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100
  } catch {
    return 100
  }
}
