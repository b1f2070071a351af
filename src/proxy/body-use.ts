// What the body of a request is for besides being forwarded, which says how much of it is held.

import { needsBody } from '../opusdns/acts.ts'
import { hasDryRun } from '../opusdns/zone-write.ts'
import type { Exchange } from './exchange.ts'
import type { Body } from './request-body.ts'

/**
 * Needed whole, for the decision or a dry run; looked at where it can be held, to tell what it does; or
 * nothing.
 */
export type BodyUse = 'needed' | 'watched' | 'passed'

/**
 * The use of the body of `exchange`: `undecided` where the decision depends on it, `lenient` where it
 * passes all the same (report mode), `recorded` where the audit tells what it does.
 */
export function useOf(
  { dryRun, operation }: Exchange,
  undecided: boolean,
  lenient: boolean,
  recorded: boolean,
): BodyUse {
  if ((dryRun && hasDryRun(operation)) || (undecided && !lenient)) return 'needed'
  return undecided || ((lenient || recorded) && needsBody(operation)) ? 'watched' : 'passed'
}

/** A body that is held whole, of which there may be none; `undefined` for one that was too large. */
export function wholeBody(body: Body): Buffer | undefined {
  if (body === null) return Buffer.alloc(0)
  return Buffer.isBuffer(body) ? body : undefined
}
