// From the bytes that a source yields to a Secret. Nothing here ever quotes what it looks at.

import { Fault } from '../base/fault.ts'
import { Secret } from '../base/secret.ts'
import { extracted } from './extraction.ts'
import type { Extraction } from './extraction.ts'

/** Longest secret that is accepted, in bytes, the trailing newline included. */
export const MAX_SECRET_BYTES = 64 * 1024

/** What is wrong with a text that should be a secret, in fixed words. */
export interface SecretDefect {
  readonly fault: string
  readonly remedy: string
}

/**
 * The Secret that `text` holds, with one trailing newline (`\n` or `\r\n`) trimmed, for editors and
 * `echo` add one; or what is wrong with it. Only visible ASCII is accepted: a key or client secret
 * goes into a header or a form, where a space or line break in its midst is always an accident, and
 * a line break would be header injection.
 */
export function secretFromText(text: string): Secret | SecretDefect {
  const trimmed = text.replace(/\r?\n$/, '')
  if (trimmed === '') {
    return { fault: 'is empty', remedy: 'put the secret there' }
  }
  if (trimmed.length > MAX_SECRET_BYTES) {
    return { fault: 'is longer than 64 KiB', remedy: 'name the place that holds only the secret' }
  }
  if (!/^[\x21-\x7e]+$/.test(trimmed)) {
    return {
      fault: 'holds a character that no key has (a space, a second line, a byte order mark)',
      remedy: 'keep the bare secret there, in visible ASCII, and nothing else',
    }
  }
  return Secret.of(trimmed)
}

/**
 * The Secret that was read from `reference`; throws a Fault `secret_unavailable` where `extraction`
 * finds nothing, or `secretFromText` a defect. Reads at most `MAX_SECRET_BYTES`.
 */
export function secretFromBytes(
  bytes: Uint8Array,
  reference: string,
  extraction: Extraction = {},
): Secret {
  const secretBytes = extracted(bytes, extraction, reference)
  // Latin-1 maps every byte to one character, so that bytes beyond ASCII are seen and refused.
  const text = Buffer.from(secretBytes).toString('latin1')
  const found = secretFromText(text)
  if (found instanceof Secret) return found
  throw new Fault('secret_unavailable', { detail: `${reference} ${found.fault}: ${found.remedy}.` })
}
