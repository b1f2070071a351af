// Searches bytes for several patterns at once, made for the case that nearly never is one there:
// it looks at two bytes, and from them knows how far it may jump (Wu and Manber, 1994).
// Patterns may be secrets: they live in the closure, and nothing here prints them.

const BLOCKS = 65_536
/** A longer window jumps farther, but more pairs of bytes then stand in it, and those stop it. */
const LONGEST_WINDOW = 32
/** Shorter patterns would be found by chance, and make every jump short. */
export const SHORTEST_NEEDLE = 8

/**
 * Bounds a search: bytes that may still be compared beyond the first look. Only texts and patterns that
 * are made to be alike, such as one letter again and again, need many.
 */
export interface Budget {
  left: number
}

/** A half-open range of positions. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A set of patterns to search for. Immutable; the caller's buffers are never changed. */
export interface Needles {
  /** Every pattern is at least this long; `heads` compares as many bytes. 0 without patterns. */
  readonly window: number
  /**
   * The next position, from `from` on, at which the first `window` bytes of a pattern stand, or -1.
   */
  head(bytes: Uint8Array, from: number): number
  /** The earliest whole pattern from `from` on; the longest of those with the same start. */
  find(bytes: Uint8Array, from: number, budget?: Budget): Span | undefined
  /**
   * Length of the longest suffix of `bytes` that begins a pattern without being all of it: what has
   * to be held back until the next bytes are known. Both end early, with no answer that means
   * anything, when the budget falls below 0.
   */
  tail(bytes: Uint8Array, budget?: Budget): number
}

/** A search for `patterns`. Those of fewer than `SHORTEST_NEEDLE` bytes are ignored. */
export function needles(patterns: readonly Uint8Array[]): Needles {
  const long = patterns.filter((it) => it.length >= SHORTEST_NEEDLE)
  const sorted = long.toSorted((one, other) => other.length - one.length)
  const shortest = sorted.at(-1)
  if (shortest === undefined) return NOTHING
  const window = Math.min(shortest.length, LONGEST_WINDOW)
  const longest = sorted[0]?.length ?? 0
  const shifts = shiftsOf(sorted, window)
  const firsts = new Uint8Array(256)
  for (const pattern of sorted) firsts[pattern[0] as number] = 1

  function head(bytes: Uint8Array, from: number): number {
    const end = bytes.length
    let last = from + window - 1
    while (last < end) {
      const block = ((bytes[last - 1] as number) << 8) | (bytes[last] as number)
      const shift = shifts[block] as number
      if (shift === 0) {
        const start = last - window + 1
        if (sorted.some((it) => alike(bytes, start, it, window) === window)) return start
        last++
      } else {
        last += shift
      }
    }
    return -1
  }

  function find(bytes: Uint8Array, from: number, budget = endless()): Span | undefined {
    for (let start = head(bytes, from); start !== -1; start = head(bytes, start + 1)) {
      if (budget.left < 0) return undefined
      const room = bytes.length - start
      for (const pattern of sorted) {
        const size = pattern.length
        if (size > room) continue
        const same = alike(bytes, start, pattern, size)
        budget.left -= same
        if (same === size) return { start, end: start + size }
      }
    }
    return undefined
  }

  /** True when all of `bytes` from `start` on is the beginning of a longer pattern. */
  function begins(bytes: Uint8Array, start: number, budget: Budget): boolean {
    const size = bytes.length - start
    for (const pattern of sorted) {
      if (size >= pattern.length) continue
      const same = alike(bytes, start, pattern, size)
      budget.left -= same
      if (same === size) return true
    }
    return false
  }

  function tail(bytes: Uint8Array, budget = endless()): number {
    const end = bytes.length
    // Where a whole window is left, jump from head to head; the few last bytes are tried one by one.
    for (
      let start = head(bytes, Math.max(0, end - longest + 1));
      start !== -1;
      start = head(bytes, start + 1)
    ) {
      if (begins(bytes, start, budget)) return end - start
      if (budget.left < 0) return 0
    }
    for (let start = Math.max(0, end - window + 1); start < end; start++) {
      if (firsts[bytes[start] as number] === 1 && begins(bytes, start, budget)) return end - start
    }
    return 0
  }

  return { window, head, find, tail }
}

const NOTHING: Needles = {
  window: 0,
  head: () => -1,
  find: () => undefined,
  tail: () => 0,
}

/** For each pair of bytes: how far the window may move when it ends with that pair. */
function shiftsOf(patterns: readonly Uint8Array[], window: number): Uint8Array {
  const shifts = new Uint8Array(BLOCKS).fill(window - 1)
  for (const pattern of patterns) {
    for (let at = 1; at < window; at++) {
      const block = ((pattern[at - 1] as number) << 8) | (pattern[at] as number)
      shifts[block] = Math.min(shifts[block] as number, window - 1 - at)
    }
  }
  return shifts
}

/** How many of the first `size` bytes of `pattern` stand in `bytes` at `start`; there is room. */
function alike(bytes: Uint8Array, start: number, pattern: Uint8Array, size: number): number {
  let at = 0
  while (at < size && bytes[start + at] === pattern[at]) at++
  return at
}

function endless(): Budget {
  return { left: Infinity }
}
