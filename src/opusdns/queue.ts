// Who waits for a connection, and whose turn it is. The client library has a queue too, but keeps in it
// what was given up, request body and all, until its turn comes, and knows nothing of consumers.

/** Gives a place back; to be called once. */
export type Release = () => void

/** Places, and those who wait for one: one of each party in turn, first come first served within it. */
export interface Queue {
  /**
   * Calls `begin` when there is a place: at once, and then returns `undefined`; or later, and then
   * returns the function that takes it back, of which nothing stays behind. A party that asks for much
   * delays another by at most one place in each round. A `begin` that throws must not have given its
   * place back: the queue does; the error reaches who took the place, or gave back the one before.
   */
  take(party: string, begin: (release: Release) => void): (() => void) | undefined
  /** Sets the number of places; those that are taken stay so. With 0, all wait. */
  resize(places: number): void
  /** Places that are taken. */
  readonly busy: number
  /** How many wait. */
  readonly waiting: number
  /** Resolves when nobody has a place, nor waits for one. */
  empty(): Promise<void>
}

type Begin = (release: Release) => void

interface Party {
  /** Places that it has. */
  held: number
  readonly waiting: Set<Begin>
  readonly release: Release
}

/**
 * A queue for `places` places. A party gets another one only while it has less than `greed` times as many
 * as are free, so that one alone leaves `1 / (greed + 1)` of them to others, however long it keeps its own;
 * of so few that this is less than one, it leaves none.
 */
export function queue(places: number, greed = Number.POSITIVE_INFINITY): Queue {
  const parties = new Map<string, Party>()
  // Those who wait, in the order of their turns: whoever was served goes to the end.
  const turns = new Map<string, Party>()
  let open = places
  let busy = 0
  let waiting = 0
  let serving = false
  let emptied: (() => void)[] = []

  function partyOf(name: string): Party {
    let party = parties.get(name)
    if (party === undefined) {
      const made: Party = {
        held: 0,
        waiting: new Set(),
        release() {
          made.held -= 1
          busy -= 1
          serve()
          tellEmpty()
        },
      }
      parties.set(name, made)
      party = made
    }
    return party
  }
  function mayTake({ held }: Party): boolean {
    return busy < open && held < greed * (open - busy)
  }
  function start(party: Party, begin: Begin): void {
    busy += 1
    party.held += 1
    try {
      begin(party.release)
    } catch (error) {
      party.release()
      throw error
    }
  }

  function serve(): void {
    // What begins may end at once, and come back here: as a loop, not as a tower of calls.
    if (serving) return
    serving = true
    let failed: { readonly error: unknown } | undefined
    while (busy < open) {
      try {
        if (!serveNext()) break
      } catch (error) {
        // The others have their turns all the same.
        failed ??= { error }
      }
    }
    serving = false
    if (failed !== undefined) throw failed.error
  }

  /** False when nobody waits who may have a place. */
  function serveNext(): boolean {
    for (const [name, party] of turns) {
      if (!mayTake(party)) continue
      turns.delete(name)
      const begin = party.waiting.values().next().value
      if (begin === undefined) throw new Error('a party without requests has a turn')
      party.waiting.delete(begin)
      waiting -= 1
      if (party.waiting.size > 0) turns.set(name, party)
      start(party, begin)
      return true
    }
    return false
  }

  function leave(name: string, party: Party, entry: Begin): void {
    if (!party.waiting.delete(entry)) return
    waiting -= 1
    if (party.waiting.size === 0) turns.delete(name)
    tellEmpty()
  }

  function tellEmpty(): void {
    if (busy > 0 || waiting > 0 || emptied.length === 0) return
    for (const resolve of emptied) resolve()
    emptied = []
  }

  return {
    take(name, begin) {
      const party = partyOf(name)
      if (mayTake(party)) {
        start(party, begin)
        return undefined
      }
      // Of its own, for two may wait with the same function.
      const entry: Begin = (release) => begin(release)
      party.waiting.add(entry)
      turns.set(name, party)
      waiting += 1
      return () => leave(name, party, entry)
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
