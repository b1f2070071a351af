// One line for each request that a visitor sends after the tour, so that curl in one terminal shows
// its effect in the other.

import type { Simulator } from '../opusdns/simulator.ts'
import { credentialsOf } from './witness.ts'

/** One parsed line of the proxy's log. */
export type LogLine = Readonly<Record<string, unknown>>

/** See `visits`. */
export interface Visits {
  /** `line` in words; `undefined` when it is about no request, or about one of the tour. */
  tell(line: LogLine): string | undefined
  /** The tour is over; so many requests were its own. Their lines may still come. */
  begin(count: number): void
}

/** Builds the teller of visits. */
export function visits(simulator: Simulator): Visits {
  let lines = 0
  let own = Infinity

  return {
    tell(line) {
      if (line['msg'] !== 'request') return undefined
      lines += 1
      return lines <= own ? undefined : inWords(line, simulator)
    },
    begin(count) {
      own = count
    },
  }
}

function inWords(line: LogLine, simulator: Simulator): string {
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
