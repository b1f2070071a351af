// Finds patterns in bytes whose characters may each be written raw, percent-escaped or
// JSON-escaped, in any mixture. It does not decode and then look, for what stands before an echo
// (`%4` before a secret that begins with `1`) could hide it: it tries every reading at every start.

import { needles } from '../base/needles.ts'
import type { Budget } from '../base/needles.ts'

/** The longest way to write one byte: `\u0053`. */
export const LONGEST_ESCAPE = 6

const PERCENT = 0x25
const BACKSLASH = 0x5c
const ZERO = 0x30
const LETTER_U = 0x75
const LETTER_X = 0x78
/** No escape begins here. */
const NONE = -1
/** The bytes end within what may become an escape. */
const CUT = -2

const NO_PATTERNS: Uint8Array[] = []

// What a search may compare; ordinary texts need about one byte for each of theirs.
const PER_BYTE = 64
const AT_LEAST = 65_536

/** The answer for bytes that are made to be costly: all of them count as echo. */
function everything(bytes: Uint8Array): Echoes {
  return { spans: [0, bytes.length], open: bytes.length }
}

/** What was found in some bytes. */
export interface Echoes {
  /** Start and end of each echo, in turns; in no order, and they may overlap. */
  readonly spans: readonly number[]
  /** Where the earliest echo begins that more bytes could complete; their length if there is none. */
  readonly open: number
}

/** A search for all echoes of some patterns, in every way of escaping them. */
export interface EchoSearch {
  /** All echoes in `bytes`. The answer belongs to the caller. */
  search(bytes: Uint8Array): Echoes
  /** True when `bytes`, from the first to the last, are the beginning of an echo. */
  opens(bytes: Uint8Array): boolean
}

/** A search for `patterns`, each of at least `SHORTEST_NEEDLE` bytes. */
export function echoSearch(patterns: readonly Uint8Array[]): EchoSearch {
  const plain = needles(patterns)
  const byFirst: Uint8Array[][] = Array.from({ length: 256 }, () => NO_PATTERNS)
  // One bit for each pattern (shared beyond 32): which may have this byte first, which second.
  const firsts = new Int32Array(256)
  const seconds = new Int32Array(256)
  const alphabet = new Uint8Array(256)
  for (const [index, pattern] of patterns.entries()) {
    const first = pattern[0] as number
    const second = pattern[1] as number
    byFirst[first] = [...(byFirst[first] as Uint8Array[]), pattern]
    firsts[first] = (firsts[first] as number) | (1 << index)
    seconds[second] = (seconds[second] as number) | (1 << index)
    for (let at = 0; at < pattern.length; at++) alphabet[pattern[at] as number] = 1
  }
  seconds[PERCENT] = seconds[BACKSLASH] = -1

  // The outcome of the last `attempt`: where the longest echo ends (0: none), and whether there is
  // one that the bytes cut off.
  let end = 0
  let cut = false
  let seen: Set<number> | undefined
  const budget: Budget = { left: 0 }

  /** Tries all readings of the echo of any pattern that begins at `start`. */
  function attempt(bytes: Uint8Array, start: number): void {
    end = 0
    cut = false
    const byte = bytes[start] as number
    walkAll(bytes, start, byte)
    if (byte !== PERCENT && byte !== BACKSLASH) return
    const escape = escapeAt(bytes, start)
    if (escape === CUT) cut = true
    if (escape >= 0 && (escape & 0xff) !== byte) walkAll(bytes, start, escape & 0xff)
  }

  function walkAll(bytes: Uint8Array, start: number, first: number): void {
    const candidates = byFirst[first] as Uint8Array[]
    if (candidates.length === 0) return
    for (const pattern of candidates) {
      seen = undefined
      walk(bytes, start, pattern, 0)
    }
  }

  /**
   * Reads `pattern` from its byte `next` on in `bytes` from `at` on. Only a pattern that holds `%`
   * or `\` itself can be read in two ways; `seen` keeps such forks from multiplying.
   */
  function walk(bytes: Uint8Array, start: number, pattern: Uint8Array, from: number): void {
    let at = start
    let next = from
    while (next < pattern.length) {
      if (at >= bytes.length) {
        cut = true
        return
      }
      const byte = bytes[at]
      const wanted = pattern[next]
      budget.left -= 1
      if (budget.left < 0) return
      const escape = byte === PERCENT || byte === BACKSLASH ? escapeAt(bytes, at) : NONE
      const fits = escape === CUT || (escape !== NONE && (escape & 0xff) === wanted)
      if (!fits) {
        if (byte !== wanted) return
        at++
        next++
        continue
      }
      if (byte === wanted) {
        const fork = at * pattern.length + next
        if (seen?.has(fork) === true) return
        seen = (seen ?? new Set()).add(fork)
        walk(bytes, at + 1, pattern, next + 1)
      }
      if (escape === CUT) {
        cut = true
        return
      }
      at += escape >> 8
      next++
    }
    end = Math.max(end, at)
  }

  function searchPlain(bytes: Uint8Array, spans: number[]): void {
    // From the next start, not from the end: what overlaps an echo is masked too.
    for (let it = plain.find(bytes, 0, budget); it; it = plain.find(bytes, it.start + 1, budget)) {
      spans.push(it.start, it.end)
    }
  }

  /** The earliest start of a cut echo, or the length of `bytes`. */
  function searchEscaped(bytes: Uint8Array, spans: number[]): number {
    let open = bytes.length

    function note(start: number): void {
      attempt(bytes, start)
      if (end > 0) spans.push(start, end)
      if (cut && start < open) open = start
    }

    // An echo has its first escape after a whole window of raw bytes, where it is found like any
    // pattern; or earlier, so that it begins less than a window before a `%` or `\`.
    for (let at = plain.head(bytes, 0); at !== -1; at = plain.head(bytes, at + 1)) note(at)
    let tried = 0
    for (let mark = nextMark(bytes, 0); mark < bytes.length; mark = nextMark(bytes, mark + 1)) {
      // No echo reaches over what is in no pattern, such as the `\"` and `\n` of ordinary JSON.
      if (alphabet[bytes[mark] as number] === 0) {
        const escape = escapeAt(bytes, mark)
        if (escape === NONE || (escape !== CUT && alphabet[escape & 0xff] === 0)) continue
      }
      for (let at = Math.max(tried, mark - plain.window + 1); at < mark; at++) {
        const bits = firsts[bytes[at] as number] as number
        if ((bits & (seconds[bytes[at + 1] as number] as number)) !== 0) note(at)
      }
      note(mark)
      tried = mark + 1
    }
    return open
  }

  return {
    search(bytes) {
      const spans: number[] = []
      budget.left = PER_BYTE * bytes.length + AT_LEAST
      if (bytes.indexOf(PERCENT) === -1 && bytes.indexOf(BACKSLASH) === -1) {
        searchPlain(bytes, spans)
        const tail = plain.tail(bytes, budget)
        return budget.left < 0 ? everything(bytes) : { spans, open: bytes.length - tail }
      }
      const open = searchEscaped(bytes, spans)
      const tail = plain.tail(bytes, budget)
      if (budget.left < 0) return everything(bytes)
      return { spans, open: Math.min(open, bytes.length - tail) }
    },

    opens(bytes) {
      if (bytes.length === 0) return false
      budget.left = PER_BYTE * bytes.length + AT_LEAST
      attempt(bytes, 0)
      return cut && budget.left >= 0
    },
  }
}

/** Where the next `%` or `\` stands, from `from` on; the length of `bytes` if there is none. */
function nextMark(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && bytes[at] !== PERCENT && bytes[at] !== BACKSLASH) at++
  return at
}

/** The byte that the escape at `at` stands for, with the escape's length times 256 added. */
function escapeAt(bytes: Uint8Array, at: number): number {
  if (bytes[at] === PERCENT) return hexPair(bytes, at + 1, 3)
  const kind = bytes[at + 1]
  if (kind === undefined) return CUT
  if (kind === LETTER_X) return hexPair(bytes, at + 2, 4)
  if (kind !== LETTER_U) {
    // `\/`, `\"`, `\\`, and what else someone may escape needlessly; `\n` is no visible character.
    return isLetterOrDigit(kind) ? NONE : (2 << 8) | kind
  }
  for (const zero of [at + 2, at + 3]) {
    if (zero >= bytes.length) return CUT
    if (bytes[zero] !== ZERO) return NONE
  }
  return hexPair(bytes, at + 4, LONGEST_ESCAPE)
}

function hexPair(bytes: Uint8Array, at: number, length: number): number {
  if (at >= bytes.length) return CUT
  const high = hexDigit(bytes[at] as number)
  if (high === NONE) return NONE
  if (at + 1 >= bytes.length) return CUT
  const low = hexDigit(bytes[at + 1] as number)
  return low === NONE ? NONE : (length << 8) | (high << 4) | low
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : NONE
}

function isLetterOrDigit(byte: number): boolean {
  const lower = byte | 0x20
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x7a)
}
