// The acts of one request while they are gathered, bounded.

import { notUnderstood } from '../base/body-fault.ts'
import type { Act } from './act.ts'

/** As many acts as one request may stand for: the most commands that OpusDNS takes in one batch. */
export const MAX_ACTS = 50_000

/** Gathers acts. */
export interface ActList {
  readonly acts: readonly Act[]
  /** Throws a `body_not_understood` Fault beyond `MAX_ACTS`. */
  add(act: Act): void
  /** True when called with this very value before: what a template shares is looked at once. */
  knows(value: object): boolean
}

/** An empty list. */
export function actList(): ActList {
  const acts: Act[] = []
  const known = new WeakSet<object>()
  return {
    acts,
    add(act) {
      if (acts.length === MAX_ACTS) {
        const fault = `It asks for more than ${MAX_ACTS} things at once.`
        throw notUnderstood(undefined, fault, 'Send it in parts.')
      }
      acts.push(act)
    },
    knows(value) {
      if (known.has(value)) return true
      known.add(value)
      return false
    },
  }
}
