// How fast OpusDNS may be asked with one credential. OpusDNS documents no figures, so this learns them
// from its refusals (429, or 503 with Retry-After), which count for all who share the credential.

import type { Clock } from '../base/clock.ts'

/** See `upstreamLimit`. */
export interface UpstreamLimitOptions {
  /** Requests at once at most. */
  readonly most: number
}

/** What the limit acts on. */
export interface UpstreamLimitDeps {
  readonly clock: Clock
  /** Requests that are on their way now. */
  readonly busy: () => number
  /** Told how many requests there may be at once: 0 while all wait. */
  readonly resize: (places: number) => void
}

/** One answer of OpusDNS. */
export interface UpstreamAnswer {
  readonly status: number
  /** Milliseconds that it asked to wait; `undefined` when it did not say. */
  readonly wait: number | undefined
  /** What was asked for: organization, method and path. */
  readonly target: string
  /** `round` when the request was sent. */
  readonly round: number
}

/** See the top of the file. */
export interface UpstreamLimit {
  /** Rises with each cut: an answer of an earlier round says nothing of the present limit. */
  readonly round: number
  /** Requests at once, from 1 to `most`; while all wait, what holds afterwards. */
  readonly places: number
  /** Milliseconds until anything may be asked for; 0 for now. */
  heldFor(): number
  /**
   * Milliseconds to tell a request for `target` that can wait for `patience` at most and had better not be
   * sent; 0 to send it, or to let it wait.
   */
  refusalOf(target: string, patience: number): number
  /**
   * Learns from an answer. A refusal halves the requests that were at once (once for all of a round) and
   * has all wait for its Retry-After, or for one second; as many successes as there are places add one.
   * One that asks for more than a minute halves them too, but holds its target alone: unless another target
   * is held so already, for then it is no matter of single operations.
   */
  answered(answer: UpstreamAnswer): void
}

/** A rate limit of a service is over in a minute; longer are the cool-downs of single operations. */
const LONGEST_HOLD = 60_000
const DEFAULT_HOLD = 1000
/** Nothing is held for longer, whatever was asked for. */
const LONGEST_LONG_HOLD = 3_600_000
const NEVER = Number.NEGATIVE_INFINITY
/** Targets that are held at once; more pass, and get the answer of OpusDNS itself. */
const MOST_TARGETS = 1000

/** Builds the limit; it begins with all places. */
export function upstreamLimit(
  { most }: UpstreamLimitOptions,
  { clock, busy, resize }: UpstreamLimitDeps,
): UpstreamLimit {
  let places = most
  let round = 0
  let successes = 0
  let heldUntil = NEVER
  /** When each may be asked for again. */
  const targets = new Map<string, number>()

  function cut(sentIn: number): void {
    if (sentIn !== round) return
    round += 1
    successes = 0
    places = Math.max(1, Math.floor(Math.min(places, busy()) / 2))
  }

  function hold(ms: number): void {
    const until = clock.now() + ms
    if (until <= heldUntil) return
    heldUntil = until
    resize(0)
    clock.after(ms, () => {
      // A later refusal has its own timer.
      if (heldUntil === until) resize(places)
    })
  }

  /** Holds `target`, and everything when it is not the only one. */
  function holdLong(target: string, wait: number): void {
    const now = clock.now()
    const ms = Math.min(wait, LONGEST_LONG_HOLD)
    for (const [name, until] of targets) if (until <= now) targets.delete(name)
    const alone = targets.size === 0 || (targets.size === 1 && targets.has(target))
    if (targets.size < MOST_TARGETS) targets.set(target, now + ms)
    if (!alone) hold(ms)
    else if (now >= heldUntil) resize(places)
  }

  function succeed(sentIn: number): void {
    if (places >= most || sentIn !== round) return
    successes += 1
    if (successes < places) return
    successes = 0
    places += 1
    if (clock.now() >= heldUntil) resize(places)
  }

  return {
    get round() {
      return round
    },
    get places() {
      return places
    },
    heldFor: () => Math.max(0, heldUntil - clock.now()),
    refusalOf(target, patience) {
      if (targets.size === 0 && heldUntil === NEVER) return 0
      const now = clock.now()
      const until = targets.get(target) ?? NEVER
      if (until <= now) targets.delete(target)
      const wait = Math.max(until - now, 0)
      return heldUntil - now > patience ? Math.max(wait, heldUntil - now) : wait
    },
    answered({ status, wait, target, round: sentIn }) {
      if (status < 429) {
        succeed(sentIn)
        return
      }
      if (status !== 429 && (status !== 503 || wait === undefined)) return
      cut(sentIn)
      if (wait !== undefined && wait > LONGEST_HOLD) holdLong(target, wait)
      else hold(wait ?? DEFAULT_HOLD)
    },
  }
}
