// Counts who uses something, so that it is ended by the last of them and not under anybody's hands.

/** The users of one thing. */
export interface Usage {
  /** One user more; the returned function is one less: to be called once. It is the same for all. */
  begin(): () => void
  /** Nobody new comes: calls `end` when there is no user, at once if there is none now. */
  retire(end: () => void): void
}

/** Counts from none. */
export function usage(): Usage {
  let users = 0
  let last: (() => void) | undefined
  function done(): void {
    users--
    if (users === 0) last?.()
  }
  return {
    begin() {
      users++
      return done
    },
    retire(end) {
      last = end
      if (users === 0) end()
    },
  }
}
