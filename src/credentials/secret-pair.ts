// One client secret, or two during a rotation: which to use now, and which has been refused.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import type { LiveSecret } from '../secrets/live-secret.ts'
import type { Side } from './events.ts'
import { within } from './patience.ts'

const COOL_DOWN = 15_000
const READ_LIMIT = 10_000

/** See `secretPair`. */
export interface SecretPairDependencies {
  readonly current: LiveSecret
  /** The other secret of a rotation, older or newer. */
  readonly previous?: LiveSecret | undefined
  readonly clock: Clock
}

/** One secret that is worth a try. */
export interface Candidate {
  readonly side: Side
  readonly secret: Secret
}

/** Two secrets that stand for one identity. */
export interface SecretPair {
  /** Whose token or key is in use. */
  serving(): Side
  /**
   * The secret to try next, none of `tried`: a Fault `secret_unavailable` when none can be read,
   * `undefined` when all that can be read were tried or cool down. Settles within 20 s.
   */
  candidate(tried: readonly Secret[]): Promise<Candidate | Fault | undefined>
  /** The endpoint took this one. Returns true when the other one served before. */
  served(candidate: Candidate): boolean
  /** The endpoint refused this one: not again for 15 s unless it changes; the other goes first. */
  refused(candidate: Candidate): void
  /** The monotonic moment when some secret is out of its cool-down; may lie in the past. */
  opensAt(): number
  /** True when `secret` is what `side` holds now. */
  holds(candidate: Candidate): boolean
  /** Begins to read and to watch. `changed` hears of every new value, its cool-down already over. */
  start(changed: (side: Side) => void): void
  stop(): void
}

/** Builds the pair. The choice sticks: what served last goes first, until it is refused. */
export function secretPair(deps: SecretPairDependencies): SecretPair {
  const { clock } = deps
  const live: Partial<Record<Side, LiveSecret>> = { current: deps.current }
  if (deps.previous !== undefined) live.previous = deps.previous
  const coolUntil: Record<Side, number> = {
    current: Number.NEGATIVE_INFINITY,
    previous: Number.NEGATIVE_INFINITY,
  }
  const ends: (() => void)[] = []
  let serving: Side = 'current'
  let first: Side = 'current'

  const other = (side: Side): Side => (side === 'current' ? 'previous' : 'current')
  const holds = (side: Side, secret: Secret) => live[side]?.current()?.equals(secret) === true
  const order = () => [first, other(first)].filter((side) => live[side] !== undefined)

  return {
    serving: () => serving,
    async candidate(tried) {
      let unreadable: Fault | undefined
      for (const side of order()) {
        if (clock.now() < coolUntil[side]) continue
        // oxlint-disable-next-line no-await-in-loop -- the second is read only if the first is no use
        const secret = await readable(live[side], clock)
        if (secret instanceof Fault) unreadable ??= secret
        else if (!tried.some((one) => one.equals(secret))) return { side, secret }
      }
      return unreadable
    },
    served({ side }) {
      const switched = serving !== side
      serving = side
      return switched
    },
    refused({ side, secret }) {
      // By value: both may hold the same text, and the refused one may have changed meanwhile.
      for (const each of order()) {
        if (holds(each, secret)) coolUntil[each] = clock.now() + COOL_DOWN
      }
      const still = holds(side, secret)
      if (still && first === side && live[other(side)] !== undefined) first = other(side)
    },
    opensAt: () => Math.min(...order().map((side) => coolUntil[side])),
    holds: ({ side, secret }) => holds(side, secret),
    start(changed) {
      for (const side of order()) {
        const each = live[side]
        if (each === undefined) continue
        ends.push(
          each.onChange(() => {
            coolUntil[side] = Number.NEGATIVE_INFINITY
            // A new current secret is what the operator wants to see in use.
            if (side === 'current') first = 'current'
            changed(side)
          }),
        )
        each.start()
      }
    },
    stop() {
      for (const end of ends.splice(0)) end()
      for (const side of order()) live[side]?.stop()
    },
  }
}

async function readable(live: LiveSecret | undefined, clock: Clock): Promise<Secret | Fault> {
  const nothing = new Fault('secret_unavailable', {
    detail: 'The client secret was not read in time.',
  })
  if (live === undefined) return nothing
  try {
    return live.current() ?? (await within(clock, READ_LIMIT, live.ready())) ?? nothing
  } catch (error) {
    return error instanceof Fault ? error : nothing
  }
}
