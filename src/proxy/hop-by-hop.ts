// Fields that concern one connection only and are never forwarded (RFC 9110 section 7.6.1).

/** Lower-case names, `TE` and `Trailer` included, for trailers are not forwarded. */
export const HOP_BY_HOP: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * The field names in a value of `Connection` beside those `before`; `before` for the two values that name
 * none. A head may hold thousands: adding them costs the same for each.
 */
export function namedIn(
  connection: string,
  before: Set<string> | undefined,
): Set<string> | undefined {
  if (connection === 'keep-alive' || connection === 'close') return before
  const named = before ?? new Set()
  for (const name of connection.split(',')) named.add(name.trim().toLowerCase())
  return named
}

/** Takes the fields with these names out of a flat list, in place. */
export function dropNamed(fields: string[], named: ReadonlySet<string>): void {
  let kept = 0
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (named.has(name.toLowerCase())) continue
    fields[kept] = name
    fields[kept + 1] = fields[index + 1] ?? ''
    kept += 2
  }
  fields.length = kept
}
