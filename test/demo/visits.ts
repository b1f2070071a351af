// One line for each request that a visitor sends after the tour, so that curl in one terminal shows
// its effect in the other.

import type { Simulator } from '../opusdns/simulator.ts'
import { credentialsOf } from './witness.ts'

/** One parsed line of the proxy's log. */
export type LogLine = Readonly<Record<string, unknown>>

/** `line` in words; `undefined` when it is about no request, or one that came before `from` (wall clock). */
export function visit(line: LogLine, simulator: Simulator, from: number): string | undefined {
  if (line['msg'] !== 'request' || Number(line['time']) < from) return undefined
  const path = text(line, 'path') || '(a refused path)'
  const what = `${text(line, 'method')} ${path} -> ${Number(line['status'])}`
  if (line['source'] !== 'upstream') {
    return `${what} by the proxy (${text(line, 'code') || 'answered here'})`
  }
  const seen = simulator.requests.findLast(({ target }) => target.split('?')[0] === path)
  const credential = seen === undefined ? '' : `\n    ${credentialsOf(seen)}`
  return `${what} by OpusDNS; ${simulator.tokenRequests} token requests so far${credential}`
}

function text(line: LogLine, name: string): string {
  const value = line[name]
  return typeof value === 'string' ? value : ''
}
