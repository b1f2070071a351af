// Which names within a zone a grant is about, written as in a zone file: relative to the zone, `@` for
// the zone itself, `*` for one label, `**` for any number of them. A record at a label `*` answers for
// names of any depth (RFC 4592), so that only `**` is as much.

const LABEL = /^(?:\*\*?|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/

/** Lower-case labels of a pattern; none stand for the zone itself. */
export type NamePattern = readonly string[]

/** The pattern that `text` writes, or `undefined` when it is none. */
export function namePattern(text: string): NamePattern | undefined {
  if (text === '@') return []
  const labels = text.toLowerCase().split('.')
  return labels.every((label) => LABEL.test(label)) ? labels : undefined
}

/** Whether an absolute canonical name lies in `zone` and is one of the patterns. */
export type NameMatcher = (name: string, zone: string) => boolean

/** Compiles patterns. */
export function nameMatcher(patterns: readonly NamePattern[]): NameMatcher {
  return function within(name, zone) {
    const labels = labelsIn(name, zone)
    return labels !== undefined && patterns.some((pattern) => fits(pattern, 0, labels, 0))
  }
}

/** Whether `name` is that of `zone`, or lies below it; both absolute and canonical. */
export function isIn(name: string, zone: string): boolean {
  if (!name.endsWith(zone)) return false
  const before = name.length - zone.length
  return before === 0 || name[before - 1] === '.'
}

/** The labels of `name` before those of `zone`; `undefined` when it lies outside. */
export function labelsIn(name: string, zone: string): readonly string[] | undefined {
  if (name === zone) return []
  if (!isIn(name, zone)) return undefined
  return name.slice(0, -zone.length - 1).split('.')
}

// A name has at most 127 labels and a pattern few `**`, so that trying costs little.
function fits(pattern: NamePattern, at: number, labels: readonly string[], from: number): boolean {
  if (at === pattern.length) return from === labels.length
  const wanted = pattern[at]
  if (wanted === '**') {
    for (let next = from + 1; next <= labels.length; next += 1) {
      if (fits(pattern, at + 1, labels, next)) return true
    }
    return false
  }
  const label = labels[from]
  if (label === undefined || (wanted === '*' ? label === '*' : wanted !== label)) return false
  return fits(pattern, at + 1, labels, from + 1)
}
