// The types of records that OpusDNS takes.

/** Record types of the public specification (`DnsRrsetType`). */
export const RECORD_TYPES = [
  'A',
  'AAAA',
  'ALIAS',
  'CAA',
  'CERT',
  'CNAME',
  'DNSKEY',
  'DS',
  'HTTPS',
  'MX',
  'NAPTR',
  'NS',
  'PTR',
  'SMIMEA',
  'SOA',
  'SRV',
  'SSHFP',
  'SVCB',
  'TLSA',
  'TXT',
  'URI',
] as const

/** See `RECORD_TYPES`. */
export type RecordType = (typeof RECORD_TYPES)[number]

const BY_NAME: ReadonlyMap<string, RecordType> = new Map(RECORD_TYPES.map((type) => [type, type]))
// Beyond ASCII some letters have capitals within it: a long s (U+017F) would become S.
const LETTERS = /^[A-Za-z]{1,10}$/

/** The type that `text` names, in any case, or `undefined`. */
export function recordType(text: string): RecordType | undefined {
  return BY_NAME.get(text) ?? (LETTERS.test(text) ? BY_NAME.get(text.toUpperCase()) : undefined)
}
