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

/** Field names in a value of `Connection`; `undefined` for the two values that name none. */
export function namedIn(connection: string): string[] | undefined {
  if (connection === 'keep-alive' || connection === 'close') return undefined
  return connection.split(',').map((name) => name.trim().toLowerCase())
}

/** Takes the fields with these names out of a flat list, in place. */
export function dropNamed(fields: string[], named: readonly string[]): void {
  let kept = 0
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (named.includes(name.toLowerCase())) continue
    fields[kept] = name
    fields[kept + 1] = fields[index + 1] ?? ''
    kept += 2
  }
  fields.length = kept
}
