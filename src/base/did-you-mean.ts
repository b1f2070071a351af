// The known word that somebody most likely meant.

/** The nearest of `known` to `word`, if it is near enough to be a slip; else `undefined`. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const bound = Math.max(1, Math.floor(word.length / 3))
  let best: string | undefined
  let least = bound + 1
  for (const candidate of known) {
    const slips = distance(normal(word), normal(candidate), least)
    if (slips < least) {
      least = slips
      best = candidate
    }
  }
  return best
}

/** Case and separators are the most common slips and count as none. */
function normal(word: string): string {
  return word.toLowerCase().replaceAll(/[-_.]/g, '')
}

/** Levenshtein distance; `enough` or more when it is at least that. */
function distance(one: string, other: string, enough: number): number {
  if (Math.abs(one.length - other.length) >= enough) return enough
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i++) {
    const next = [i]
    for (let j = 1; j <= other.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[other.length] ?? enough
}
