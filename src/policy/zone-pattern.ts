// Which zones (or registered domains) a grant is about: exact names, everything below a name, or all.

import { canonicalName } from '../opusdns/name.ts'

/** `example.com`, `*.example.com` (every zone below, not itself), or `*`; canonical. */
export type ZonePattern = string

/** The canonical form of a pattern, or `undefined` when `text` is none. */
export function zonePattern(text: string): ZonePattern | undefined {
  if (text === '*') return text
  const below = text.startsWith('*.')
  const name = canonicalName(below ? text.slice(2) : text)
  if (name === undefined || name.includes('*')) return undefined
  return below ? `*.${name}` : name
}

/** Whether a canonical name is within the patterns. */
export type ZoneMatcher = (name: string) => boolean

/** Compiles patterns; a look-up takes a step for each label. */
export function zoneMatcher(patterns: readonly ZonePattern[]): ZoneMatcher {
  if (patterns.includes('*')) return () => true
  const names = new Set(patterns)
  const hasBelow = patterns.some((pattern) => pattern.startsWith('*.'))
  return function within(name) {
    if (names.has(name)) return !name.startsWith('*')
    if (!hasBelow) return false
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (names.has(`*${name.slice(dot)}`)) return true
    }
    return false
  }
}
