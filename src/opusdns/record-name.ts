// Which names a record's name in a body may stand for. The API takes `@`, the empty text, relative
// names and full names with and without a final dot, and does not say which wins where two fit.

import { NAME_LENGTH, canonicalName } from './name.ts'

/**
 * Every absolute name, canonical, that OpusDNS may understand by `name` in the canonical `zone`. A
 * name with a final dot is absolute, be it in the zone or not; one without is relative, and absolute
 * too where it is the zone or ends in it. Empty when `name` is no name.
 */
export function readings(
  name: string,
  zone: string,
  nameOf: (text: string) => string | undefined = canonicalName,
): readonly string[] {
  if (name === '@' || name === '') return [zone]
  const canonical = nameOf(name)
  if (canonical === undefined) return []
  if (name.endsWith('.')) return [canonical]
  const relative = `${canonical}.${zone}`
  // A name that is too long nobody can take for one.
  const readable = relative.length <= NAME_LENGTH ? [relative] : []
  if (canonical.endsWith(zone) && isWithin(canonical, zone)) readable.push(canonical)
  return readable
}

function isWithin(name: string, zone: string): boolean {
  return name.length === zone.length || name[name.length - zone.length - 1] === '.'
}
