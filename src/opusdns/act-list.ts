// The acts of one request while they are gathered, bounded.

import { notUnderstood } from '../base/body-fault.ts'
import type { Act } from './act.ts'
import { canonicalName, isInternational, plainName } from './name.ts'

/** As many acts as one request may stand for: the most commands that OpusDNS takes in one batch. */
export const MAX_ACTS = 50_000

/**
 * International names that are judged in one request, in characters: each label costs microseconds, a
 * hundred times what others do. Some thousand names, for one that repeats counts once.
 */
const MAX_INTERNATIONAL = 40_000

/** Gathers acts. */
export interface ActList {
  readonly acts: readonly Act[]
  /** Throws a `body_not_understood` Fault beyond `MAX_ACTS`. */
  add(act: Act): void
  /** True when called with this very value before: what a template shares is looked at once. */
  knows(value: object): boolean
  /**
   * See `canonicalName`; looks at an international name once. Throws a `body_not_understood` Fault when
   * there are too many of them.
   */
  nameOf(text: string): string | undefined
}

/** An empty list. */
export function actList(): ActList {
  const acts: Act[] = []
  const known = new WeakSet<object>()
  const names = new Map<string, string | undefined>()
  let international = 0
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
    nameOf(text) {
      const plain = plainName(text)
      if (plain !== undefined) return plain
      if (!isInternational(text)) return canonicalName(text)
      const before = names.get(text)
      if (before !== undefined || names.has(text)) return before
      international += text.length
      if (international > MAX_INTERNATIONAL) {
        const fault = 'It holds too many international names to be judged at once.'
        throw notUnderstood(undefined, fault, 'Send it in parts.')
      }
      const name = canonicalName(text)
      names.set(text, name)
      return name
    },
  }
}
