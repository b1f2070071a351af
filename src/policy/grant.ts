// One grant, compiled: what it covers of what a request does.

import type { Act } from '../opusdns/act.ts'
import type { Operation } from '../opusdns/operations.ts'

/**
 * How much of an operation a grant covers: `whole`, whatever its target and body; `part`, by what the
 * request does; or `none`.
 */
export type Reach = 'whole' | 'part' | 'none'

/** See the top of the file. Built once for each consumer; asked for every request. */
export interface Grant {
  /** As in the file. */
  readonly text: string
  reach(operation: Operation): Reach
  /** Whether one act is covered. */
  covers(act: Act): boolean
  /** Whether something could be covered in the zone; `covers` tells. */
  knows(zone: string): boolean
  /** Whether a list may show what has this canonical name. */
  sees(operation: Operation, name: string): boolean
  /** Whether the request line alone is covered. */
  matches(method: string, path: string): boolean
}

/** What a grant does that says nothing else. */
export const NOTHING: Omit<Grant, 'text' | 'reach'> = {
  covers: () => false,
  knows: () => false,
  sees: () => false,
  matches: () => false,
}
