// Holds one access token and keeps it fresh by a timer, so that after the first token no request
// waits. Rules: DESIGN section 4, "Token rules".
//
// Invariants: at most one token request is under way, it belongs to no caller, and an older answer
// never replaces a newer one.

import type { Cancel, Clock } from '../base/clock.ts'
import type { Fault } from '../base/fault.ts'
import { accessToken } from './access-token.ts'
import type { AccessToken } from './access-token.ts'
import type { CredentialStatus } from './credential.ts'
import type { MintCause, ObserveCredential, Side } from './events.ts'
import { mintRound } from './mint-round.ts'
import type { FailedTry, Minted, Round } from './mint-round.ts'
import { oauthStatus } from './oauth-status.ts'
import { refreshSchedule } from './refresh-schedule.ts'
import type { SecretPair } from './secret-pair.ts'
import type { Mint } from './token-endpoint.ts'
import { tokenFault } from './token-fault.ts'

const REPEATED_TOKEN_WAIT = 5_000

/** See `tokenKeeper`. */
export interface TokenKeeperDependencies {
  readonly clientId: string
  /** Started and stopped with the keeper. */
  readonly pair: SecretPair
  readonly mint: Mint
  readonly clock: Clock
  /** Numbers in [0, 1), for jitter. */
  readonly random: () => number
  readonly observe: ObserveCredential
}

/** One token, kept fresh. `now` is always monotonic milliseconds. */
export interface TokenKeeper {
  /** The token, unless there is none that may be sent. Allocates nothing. */
  usable(now: number): AccessToken | undefined
  /** Begins a refresh if the token is due, and one is allowed. */
  nudge(now: number): void
  /**
   * Says that a request needs a better token than the one held. Returns the attempt under way,
   * begun now if that is allowed, which never rejects; or `undefined` while a wait is on, which then
   * ends sooner than it would without demand.
   */
  demand(now: number): Promise<void> | undefined
  /** Says that the upstream answered 401 to `token`; means something only if it is the one held. */
  doubt(token: AccessToken): void
  /** True while the upstream's last word on the held token is a 401. */
  doubted(): boolean
  /** Why there is no token, for a client. */
  fault(): Fault
  status(): CredentialStatus
  start(): void
  stop(): void
}

/** Builds a keeper for the credential `name`. Asks for nothing until `start` or `demand`. */
export function tokenKeeper(name: string, deps: TokenKeeperDependencies): TokenKeeper {
  const { clientId, pair, mint, clock, random, observe } = deps
  const schedule = refreshSchedule(random)

  let held: AccessToken | undefined
  // A doubted token still serves: a 401 may have another reason, and it is all there is.
  let doubted = false
  // Tokens in a row that the upstream answered 401 to. One may have another reason, two hardly.
  let refusals = 0
  let flight: Promise<void> | undefined
  let failure: FailedTry | undefined
  // A refresh that waits for its time, other than by age.
  let wanted: 'rejected' | 'secret_changed' | undefined
  // True when a request found no good token since the last attempt began.
  let demanded = false
  let issued = 0
  let newest = 0
  let running = false
  let cancelTimer: Cancel | undefined

  const usable = (now: number) => (held !== undefined && !held.expired(now) ? held : undefined)
  const opensAt = (urgent: boolean) => Math.max(schedule.opensAt(urgent), pair.opensAt())

  function nextAttempt(now: number): number {
    const token = usable(now)
    if (token === undefined) return opensAt(demanded)
    if (wanted !== undefined) return opensAt(doubted && demanded)
    return Math.max(token.dueAt, opensAt(false))
  }

  // Sets the one timer for whatever comes next; called after every change of state.
  function plan(): void {
    cancelTimer?.()
    cancelTimer = undefined
    if (!running || flight !== undefined) return
    const now = clock.now()
    cancelTimer = clock.after(nextAttempt(now) - now, () => void launch(clock.now()))
  }

  function causeAt(now: number): MintCause {
    if (held === undefined) return 'start'
    return wanted ?? (usable(now) === undefined ? 'expired' : 'due')
  }

  function launch(now: number): Promise<void> {
    cancelTimer?.()
    cancelTimer = undefined
    const cause = causeAt(now)
    const reason = wanted
    demanded = false
    wanted = undefined
    const sequence = ++issued
    const late = (minted: Minted) => {
      adopt(minted, cause, sequence)
      plan()
    }
    flight = mintRound({ clientId, pair, mint, clock, late }).then((round) => {
      flight = undefined
      // Nothing was tried: a timer of Node.js may come a fraction of a millisecond before a cool-down ends.
      if (round.minted === undefined && round.failures.length === 0) wanted ??= reason
      land(round, cause, sequence)
      plan()
    })
    return flight
  }

  function land(round: Round, cause: MintCause, sequence: number): void {
    const last = round.minted === undefined ? round.failures.at(-1) : undefined
    for (const one of round.failures) if (one !== last) tell(one, cause)
    if (round.minted !== undefined) adopt(round.minted, cause, sequence)
    else if (last !== undefined) fail(last, cause)
  }

  function adopt(minted: Minted, cause: MintCause, sequence: number): void {
    // Only the answer to a request that was given up can come out of order.
    if (sequence < newest) return
    const now = clock.now()
    const before = held
    const same = before?.secret.equals(minted.token) === true
    // A token that is handed out again does not begin a new life, whatever the endpoint says.
    const stated = same && !minted.assumed && !before.assumed
    const life = stated ? Math.min(minted.life, before.expiresAt - minted.since) : minted.life
    const { since, assumed, by } = minted
    const token = accessToken({ life, since, assumed }, minted.token, random)
    if (token.expired(now)) {
      const detail = 'The token endpoint handed out a token that is too old to be used.'
      const wait = same ? { retryAfter: REPEATED_TOKEN_WAIT } : {}
      fail({ ok: false, result: 'bad_reply', detail, side: by.side, ...wait }, cause)
      return
    }
    const refreshed = cause !== 'start' && cause !== 'expired'
    schedule.succeeded(now, { life, same, refreshed })
    newest = sequence
    held = token
    failure = undefined
    if (!same) {
      if (!doubted) refusals = 0
      doubted = false
    }
    if (wanted === 'secret_changed' && pair.holds(by)) wanted = undefined
    if (pair.served(by)) observe({ kind: 'switched', credential: name, serving: by.side })
    const { fingerprint } = token.secret
    const expiresIn = Math.round(token.expiresAt - now)
    observe({ kind: 'minted', credential: name, expiresIn, fingerprint, cause, serving: by.side })
  }

  function fail(last: FailedTry, cause: MintCause): void {
    const now = clock.now()
    failure = last
    // After a terminal answer the secrets' cool-down alone decides: it ends when one changes.
    if (last.result !== 'terminal') schedule.failed(now, last.retryAfter)
    if (doubted) wanted ??= 'rejected'
    tell(last, cause, Math.max(0, opensAt(demanded) - now))
  }

  function tell(one: FailedTry, cause: MintCause, retryIn?: number): void {
    const { result, detail, side } = one
    const when = retryIn === undefined ? {} : { retryIn }
    observe({ kind: 'mint_failed', credential: name, result, cause, detail, side, ...when })
  }

  function secretChanged(side: Side): void {
    // The secret that does not serve is of interest only while there is nothing to serve with.
    const matters = side === 'current' || side === pair.serving()
    if (matters || usable(clock.now()) === undefined) {
      wanted = 'secret_changed'
      schedule.relax()
    }
    plan()
  }

  return {
    usable,
    nudge(now) {
      if (flight !== undefined || held?.due(now) !== true || opensAt(false) > now) return
      void launch(now)
    },
    demand(now) {
      const open = flight ?? (opensAt(true) <= now ? launch(now) : undefined)
      demanded = true
      if (open === undefined) plan()
      return open
    },
    doubt(token) {
      if (held?.secret.equals(token.secret) !== true) return
      if (flight === undefined) wanted ??= 'rejected'
      if (doubted) return
      doubted = true
      refusals += 1
      observe({ kind: 'rejected', credential: name, fingerprint: token.secret.fingerprint })
    },
    doubted: () => doubted,
    fault: () => tokenFault(failure, opensAt(true) - clock.now()),
    status() {
      const now = clock.now()
      const retryIn = nextAttempt(now) - now
      return oauthStatus({
        now,
        token: usable(now),
        doubted,
        refused: refusals > 1 || (doubted && failure !== undefined),
        failure,
        retryIn,
        serving: pair.serving(),
      })
    },
    start() {
      if (running) return
      running = true
      pair.start(secretChanged)
      const now = clock.now()
      if (usable(now) === undefined && flight === undefined && opensAt(true) <= now)
        void launch(now)
      else plan()
    },
    stop() {
      running = false
      cancelTimer?.()
      cancelTimer = undefined
      pair.stop()
    },
  }
}
