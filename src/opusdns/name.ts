// DNS names in the one form in which they are compared. A name that two readers could take for two
// names has no such form, and is refused by whoever asks.

import { domainToASCII, domainToUnicode } from 'node:url'

// Most names; without `xn--`, which has to be looked at.
const PLAIN = /^(?!xn--)[a-z0-9_-]{1,63}(?:\.(?!xn--)[a-z0-9_-]{1,63})*\.?$/
const LABEL = /^(?:\*|[a-z0-9_-]{1,63})$/
const ASCII = /^[\0-\x7f]*$/
// IDNA 2003 and 2008 map these to different names: sharp s, final sigma, the joiners.
const DEVIATION = /[\u00df\u03c2\u200c\u200d]/
/** As many characters as a canonical name may have (RFC 1035 section 2.3.4, less the octets around). */
export const NAME_LENGTH = 253
/** No name of 253 A-label characters is written with more. */
const TEXT_LENGTH = 512

/** Whether `text` may hold a label of other than ASCII letters, which takes long to judge. */
export function isInternational(text: string): boolean {
  return !ASCII.test(text) || /xn--/i.test(text)
}

/** The canonical form of a name that is written plainly, as most are; `undefined` for all others. */
export function plainName(text: string): string | undefined {
  if (!PLAIN.test(text)) return undefined
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  return name.length > NAME_LENGTH ? undefined : name
}

/**
 * The canonical form of a DNS name: lower case, A-labels, no final dot. Takes letters, digits, hyphen,
 * underscore, `*` as a whole label, and international letters whose mapping is beyond doubt (both
 * ways, and in every version of IDNA). `undefined` for everything else: no escapes, no spaces, no
 * empty or overlong label, nothing over 253 characters.
 */
export function canonicalName(text: string): string | undefined {
  if (text.length > TEXT_LENGTH) return undefined
  const plain = plainName(text)
  if (plain !== undefined) return plain
  const dotless = text.endsWith('.') ? text.slice(0, -1) : text
  // Only then is lowering safe: the Kelvin sign would become an ASCII k.
  const ascii = ASCII.test(dotless)
  const lower = ascii ? dotless.toLowerCase() : dotless
  const labels: string[] = []
  for (const label of lower.split('.')) {
    const canonical = ASCII.test(label) ? asciiLabel(label.toLowerCase()) : aLabel(label)
    if (canonical === undefined) return undefined
    labels.push(canonical)
  }
  const name = labels.join('.')
  return name.length > NAME_LENGTH ? undefined : name
}

function asciiLabel(label: string): string | undefined {
  if (!LABEL.test(label)) return undefined
  if (!label.startsWith('xn--')) return label
  const unicode = domainToUnicode(label)
  return !ASCII.test(unicode) && domainToASCII(unicode) === label ? label : undefined
}

function aLabel(text: string): string | undefined {
  const lower = text.toLowerCase().normalize('NFC')
  if (ASCII.test(lower) || DEVIATION.test(lower)) return undefined
  const label = domainToASCII(lower)
  if (!label.startsWith('xn--') || !LABEL.test(label)) return undefined
  return domainToUnicode(label) === lower ? label : undefined
}
