// Identifiers in the manner of the API: a prefix and 26 digits of Crockford's base 32.

import { randomBytes } from 'node:crypto'

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'

/** A new random identifier such as `zone_0…`. */
export function typeid(prefix: string): string {
  const digits = Array.from(randomBytes(25), (byte) => DIGITS[byte % 32])
  return `${prefix}_0${digits.join('')}`
}

/** True when `text` has the form of an identifier with this prefix. */
export function isTypeid(prefix: string, text: string): boolean {
  return (
    text.startsWith(`${prefix}_`) &&
    /^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text.slice(prefix.length + 1))
  )
}
