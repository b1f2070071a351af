// Random choices that a seed repeats.

/** A source of choices. */
export interface Seeded {
  /** A whole number from 0, below `bound`. */
  below(bound: number): number
  pick<Item>(items: readonly [Item, ...Item[]]): Item
}

/** Choices by `seed` (mulberry32). */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0
  function below(bound: number): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * bound)
  }
  return { below, pick: (items) => items[below(items.length)] ?? items[0] }
}
