// Masks a secret that comes back in a reply, in every form in which it may: raw, base64, hex,
// percent-escaped, JSON-escaped. Masking writes `*` over it, so that no length changes.
// What holds no echo costs a search that jumps, and is passed on as the same object.

import { SHORTEST_NEEDLE } from '../base/needles.ts'
import type { Secret } from '../base/secret.ts'
import { echoSearch } from './echo-search.ts'
import type { EchoSearch } from './echo-search.ts'

const STAR = 0x2a

/** Masks the echoes of one set of secrets. Immutable, shared by all replies, and shows no secret. */
export interface EchoFilter {
  /** No echo is shorter: what has fewer bytes need not be shown. `Infinity` without patterns. */
  readonly minLength: number
  /**
   * `bytes`, a whole value, without echoes: the same object when there is none, else a masked copy
   * of the same length.
   */
  redact(bytes: Buffer): Buffer
  /** A filter for one body that comes in pieces. */
  stream(): EchoStream
}

/** Masks the echoes in one body, however it is cut. What it puts out is as long as what it got. */
export interface EchoStream {
  /**
   * What may be passed on now: the same object when nothing in it is suspect. What could be the
   * beginning of an echo is held back: less than six bytes for each of the longest pattern.
   * `piece` is not changed, and not kept.
   */
  push(piece: Buffer): Buffer | undefined
  /** What was held back, when no more pieces come. */
  end(): Buffer | undefined
}

/**
 * A filter for `secrets`, as they are now: a new token needs a new filter. Secrets of fewer than 8
 * bytes are not filtered, for they would be found by chance.
 */
export function echoFilter(secrets: readonly Secret[]): EchoFilter {
  const patterns = secrets.flatMap((secret) => formsOf(Buffer.from(secret.reveal())))
  const minLength = Math.min(...patterns.map((it) => it.length))
  const search = echoSearch(patterns)

  function redact(bytes: Buffer): Buffer {
    if (bytes.length < minLength) return bytes
    const { spans } = search.search(bytes)
    return spans.length === 0 ? bytes : mask(Buffer.from(bytes), spans)
  }

  return {
    minLength,
    redact,
    stream: () => (patterns.length === 0 ? PASS : echoStream(search, redact)),
  }
}

const PASS: EchoStream = { push: (piece) => piece, end: () => undefined }

function echoStream(echoes: EchoSearch, redact: (bytes: Buffer) => Buffer): EchoStream {
  // As it came, for a later echo may begin in it; its first `covered` bytes belong to one that
  // began before, and leave masked.
  let held: Buffer | undefined
  let covered = 0

  function push(piece: Buffer): Buffer | undefined {
    if (held === undefined) return pass(piece, false)
    const bytes = Buffer.concat([held, piece])
    // Without this, an echo sent byte by byte would be searched from end to end for each of them.
    if (!echoes.opens(bytes)) return pass(bytes, true)
    held = bytes
    return undefined
  }

  /** Passes on what is certain of `bytes`, which may be written to if they are `ours`. */
  function pass(bytes: Buffer, ours: boolean): Buffer | undefined {
    const { spans, open } = echoes.search(bytes)
    const all = open === bytes.length
    held = all ? undefined : Buffer.from(bytes.subarray(open))
    let certain = all ? bytes : bytes.subarray(0, open)
    if (spans.length > 0 || covered > 0) {
      if (!ours) certain = Buffer.from(certain)
      certain.fill(STAR, 0, Math.min(covered, open))
      mask(certain, spans)
      covered = Math.max(0, covered - open)
      // What begins in the held bytes is found again with the next piece.
      for (let at = 0; at < spans.length; at += 2) {
        if ((spans[at] as number) < open)
          covered = Math.max(covered, (spans[at + 1] as number) - open)
      }
    }
    return open === 0 && !all ? undefined : certain
  }

  function end(): Buffer | undefined {
    if (held === undefined) return undefined
    const last = Buffer.from(redact(held)).fill(STAR, 0, covered)
    held = undefined
    covered = 0
    return last
  }

  return { push, end }
}

/** Overwrites the `spans` of `bytes`; what of them lies beyond its end is left out. */
function mask(bytes: Buffer, spans: readonly number[]): Buffer {
  const size = bytes.length
  for (let at = 0; at < spans.length; at += 2) {
    const start = spans[at] as number
    if (start < size) bytes.fill(STAR, start, Math.min(size, spans[at + 1] as number))
  }
  return bytes
}

/** Every way in which `secret` may be written, but for escapes, which the search knows. */
function formsOf(secret: Buffer): Buffer[] {
  if (secret.length < SHORTEST_NEEDLE) return []
  const hex = secret.toString('hex')
  const texts = [hex, hex.toUpperCase()]
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), secret])
    // Only characters made of the secret's bits alone: what it was encoded with is unknown.
    const first = Math.ceil((before * 8) / 6)
    const last = Math.floor((padded.length * 8) / 6)
    texts.push(padded.toString('base64').slice(first, last))
    texts.push(padded.toString('base64url').slice(first, last))
  }
  return [secret, ...[...new Set(texts)].map((it) => Buffer.from(it))]
}
