// Tries a credential at start and from time to time, so that a wrong key, a broad role or a near
// expiry is known before a request meets it. Its failures touch no request.

import { backoff } from '../base/backoff.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import type { ObserveCredential } from './events.ts'
import { introspect } from './introspection.ts'
import type { KeyFacts, Triable } from './introspection.ts'
import { expiryWarning, expiryWatch, keyWarnings } from './key-expiry.ts'

const RETRY = { first: 500, max: 5_000 } as const
const SHORTEST_WAIT = 100
const RECHECK = 6 * 3_600_000
/** A rejected credential is tried more often: it may be mended in the Dashboard. */
const RECHECK_SLOWLY = 60_000
const SPACING = 5_000

/** See `credentialProbe`. */
export interface ProbeOptions {
  /** Name of the credential, for events. */
  readonly name: string
}

/** See `credentialProbe`. */
export interface ProbeDependencies {
  readonly credential: Triable
  readonly upstream: Pick<Upstream, 'ask'>
  readonly clock: Clock
  /** Numbers in [0, 1), for jitter. */
  readonly random: () => number
  readonly observe: ObserveCredential
}

/** What the trials have shown so far. */
export interface ProbeStatus {
  readonly state: 'pending' | 'accepted' | 'rejected' | 'unreachable'
  /** One sentence for an operator. */
  readonly detail: string
  readonly role: string | undefined
  /** Wall-clock milliseconds. */
  readonly expiresOn: number | undefined
  /** Sentences about a role that is too broad, and an expiry that is near. */
  readonly warnings: readonly string[]
}

/** Tries one credential. */
export interface CredentialProbe {
  /** Begins the first trial; again it does nothing. */
  start(): void
  stop(): void
  /** Tries again soon: the value changed, or was rejected. At most one trial in 5 s comes of it. */
  again(): void
  status(): ProbeStatus
}

/** Builds a probe; tries nothing until `start`. */
export function credentialProbe(options: ProbeOptions, deps: ProbeDependencies): CredentialProbe {
  const { name } = options
  const { credential, upstream, clock, random, observe } = deps
  const waits = backoff(RETRY, random)
  const expiry = expiryWatch()
  const oauth = credential.kind === 'oauth'
  let facts: KeyFacts | undefined
  let told: string | undefined
  let running = false
  let trying = false
  let wanted = false
  let triedAt = Number.NEGATIVE_INFINITY
  let cancel: Cancel | undefined

  function state(): ProbeStatus['state'] {
    // A minted token is the proof; what introspection says beyond that is a courtesy.
    // Only when requests fail as well is a refused introspection taken at its word.
    const { usable, refused } = credential.status()
    if (oauth && usable && !(refused && facts?.outcome === 'rejected')) return 'accepted'
    if (facts === undefined) return 'pending'
    return facts.outcome === 'unknown' ? 'accepted' : facts.outcome
  }

  async function attempt(): Promise<void> {
    cancel?.()
    cancel = undefined
    trying = true
    wanted = false
    triedAt = clock.now()
    const found = await introspect(credential, upstream)
    trying = false
    // What was found of a credential that is no longer in use is nobody's business.
    if (!running) return
    // An unanswered trial takes back nothing that an earlier one has shown.
    const silent = found.outcome === 'unreachable' || found.outcome === 'unknown'
    facts =
      silent && facts !== undefined
        ? { ...facts, outcome: found.outcome, detail: found.detail }
        : found
    tell(facts)
    plan(found.outcome)
  }

  function plan(outcome: KeyFacts['outcome']): void {
    if (outcome !== 'unreachable') waits.reset()
    let wait = outcome === 'rejected' ? RECHECK_SLOWLY : RECHECK
    // Requests fail too, so somebody waits for the end of this.
    if (outcome === 'rejected' && credential.status().refused) wait = SPACING
    if (outcome === 'unreachable') {
      // Nobody waits for the role of an OAuth credential that has its token.
      const proven = oauth && credential.status().usable
      wait = proven ? RECHECK_SLOWLY : Math.max(SHORTEST_WAIT, waits.next())
    }
    if (wanted) wait = Math.min(wait, Math.max(0, triedAt + SPACING - clock.now()))
    cancel = clock.after(wait, () => void attempt())
  }

  function tell(found: KeyFacts): void {
    const { outcome, detail, role, expiresOn } = found
    // An expiry is told once for each step nearer, in an outage too.
    const nearer = expiry.nearer(expiresOn, clock.wall())
    // An outage is told once, not at every retry; all else is worth a line each time.
    const line = `${outcome} ${detail}`
    if (outcome === 'unreachable' && line === told && !nearer) return
    told = line
    const warnings = nearer ? warningsOf(found, clock.wall()) : keyWarnings(found)
    observe({ kind: 'probed', credential: name, outcome, detail, role, expiresOn, warnings })
  }

  return {
    start() {
      if (running) return
      running = true
      if (!trying) void attempt()
    },
    stop() {
      running = false
      cancel?.()
      cancel = undefined
    },
    again() {
      if (!running) return
      wanted = true
      if (trying) return
      cancel?.()
      cancel = clock.after(triedAt + SPACING - clock.now(), () => void attempt())
    },
    status: () => ({
      state: state(),
      detail: facts?.detail ?? 'The credential is being tried for the first time.',
      role: facts?.role,
      expiresOn: facts?.expiresOn,
      warnings: facts === undefined ? [] : warningsOf(facts, clock.wall()),
    }),
  }
}

function warningsOf(facts: KeyFacts, wall: number): string[] {
  const expiry = expiryWarning(facts.expiresOn, wall)
  return [...keyWarnings(facts), ...(expiry === undefined ? [] : [expiry])]
}
