// Who waits for a connection, and whose turn it is. The client library has a queue too, but keeps in it
// what was given up, request body and all, until its turn comes, and knows nothing of consumers.

/** Places, and those who wait for one: one of each party in turn, first come first served within it. */
export interface Queue {
  /**
   * Calls `begin` when there is a place: at once, and then returns `undefined`; or later, and then
   * returns the function that takes it back, of which nothing stays behind. A party that asks for much
   * delays another by at most one place in each round.
   */
  take(party: string, begin: () => void): (() => void) | undefined
  /** Gives a place back. One function for all, to be called once for each `begin`. */
  readonly release: () => void
  /** Sets the number of places; those that are taken stay so. With 0, all wait. */
  resize(places: number): void
  /** Places that are taken. */
  readonly busy: number
  /** How many wait. */
  readonly waiting: number
  /** Resolves when nobody has a place, nor waits for one. */
  empty(): Promise<void>
}

/** A queue for `places` places. */
export function queue(places: number): Queue {
  // In the order of their turns: whoever was served goes to the end.
  const parties = new Map<string, Set<() => void>>()
  let open = places
  let busy = 0
  let waiting = 0
  let serving = false
  let emptied: (() => void)[] = []

  function serve(): void {
    // What begins may end at once, and come back here: as a loop, not as a tower of calls.
    if (serving) return
    serving = true
    while (busy < open) {
      const begin = next()
      if (begin === undefined) break
      busy += 1
      begin()
    }
    serving = false
  }

  function next(): (() => void) | undefined {
    const turn = parties.entries().next().value
    if (turn === undefined) return undefined
    const [party, entries] = turn
    parties.delete(party)
    const begin = entries.values().next().value
    if (begin === undefined) throw new Error('a party without requests has a turn')
    entries.delete(begin)
    waiting -= 1
    if (entries.size > 0) parties.set(party, entries)
    return begin
  }

  function leave(party: string, entry: () => void): void {
    const entries = parties.get(party)
    if (entries?.delete(entry) !== true) return
    waiting -= 1
    if (entries.size === 0) parties.delete(party)
    tellEmpty()
  }

  function tellEmpty(): void {
    if (busy > 0 || waiting > 0 || emptied.length === 0) return
    for (const resolve of emptied) resolve()
    emptied = []
  }

  return {
    take(party, begin) {
      if (busy < open) {
        busy += 1
        begin()
        return undefined
      }
      // Of its own, for two may wait with the same function.
      const entry = () => begin()
      const entries = parties.get(party)
      if (entries === undefined) parties.set(party, new Set([entry]))
      else entries.add(entry)
      waiting += 1
      return () => leave(party, entry)
    },
    release() {
      busy -= 1
      serve()
      tellEmpty()
    },
    resize(wanted) {
      open = wanted
      serve()
    },
    get busy() {
      return busy
    },
    get waiting() {
      return waiting
    },
    empty() {
      if (busy === 0 && waiting === 0) return Promise.resolve()
      return new Promise((resolve) => void emptied.push(resolve))
    },
  }
}
