// How commands speak to a person: problems with place, fault and remedy, and nothing secret.

import { Fault } from '../base/fault.ts'
import { framesOf } from '../base/frames.ts'

/** A fault as text: its detail, then each problem in three lines. Ends with a newline. */
export function printFault(error: unknown): string {
  const fault = Fault.from(error)
  const lines = [`error: ${fault.message}`]
  for (const { place, fault: what, remedy } of fault.problems) {
    lines.push('', `  ${place}`, `    fault:  ${what}`, `    remedy: ${remedy}`)
  }
  if (fault.code === 'internal') lines.push('', ...framesOf(fault.cause))
  return `${lines.join('\n')}\n`
}

/** Milliseconds as `59 min 3 s`, for a person. */
export function printDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 120) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
