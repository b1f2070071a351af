// The OAuth2 credential as requests see it: a token at once while a good one is held, otherwise a
// bounded wait for the one shared attempt to get one.
//
// Invariants: an expired token is never handed out, no caller waits longer than 5 s, and none waits
// for a back-off to end.

import type { Clock } from '../base/clock.ts'
import type { LiveSecret } from '../secrets/live-secret.ts'
import { isAccessToken } from './access-token.ts'
import type { Attachment, Credential } from './credential.ts'
import type { ObserveCredential } from './events.ts'
import { CALLER_WAIT, within } from './patience.ts'
import { secretPair } from './secret-pair.ts'
import type { Mint } from './token-endpoint.ts'
import { tokenKeeper } from './token-keeper.ts'

/** See `oauth`. */
export interface OAuthOptions {
  /** Metric label and log field. */
  readonly name: string
}

/** See `oauth`. */
export interface OAuthDependencies {
  /** `organization_…`; not a secret. */
  readonly clientId: string
  /** Started and stopped with the credential. */
  readonly current: LiveSecret
  /** The other secret of a rotation, tried when the first is refused. */
  readonly previous?: LiveSecret | undefined
  readonly mint: Mint
  readonly clock: Clock
  /** Numbers in [0, 1), for jitter. */
  readonly random: () => number
  readonly observe: ObserveCredential
}

/** Builds the credential; asks for nothing until `start`, or the first `obtain`. */
export function oauth(options: OAuthOptions, deps: OAuthDependencies): Credential {
  const { name } = options
  const { clock } = deps
  const keeper = tokenKeeper(name, { ...deps, pair: secretPair(deps) })

  async function wait(now: number): Promise<Attachment> {
    const attempt = keeper.demand(now)
    if (attempt !== undefined) await within(clock, CALLER_WAIT, attempt)
    const token = keeper.usable(clock.now())
    if (token === undefined) throw keeper.fault()
    return token
  }

  return {
    name,
    kind: 'oauth',
    obtain() {
      const now = clock.now()
      const token = keeper.usable(now)
      if (token === undefined) return wait(now)
      // The timer does this; here only for a process that slept, or a credential never started.
      if (token.due(now)) keeper.nudge(now)
      return token
    },
    async reject(rejected) {
      if (!isAccessToken(rejected)) return undefined
      const now = clock.now()
      keeper.doubt(rejected)
      // A late 401 of an old token: the newer one is worth a replay, and is not harmed.
      if (!keeper.doubted()) {
        const newer = keeper.usable(now)
        if (newer !== undefined) return newer
      }
      const attempt = keeper.demand(now)
      if (attempt === undefined) return undefined
      await within(clock, CALLER_WAIT, attempt)
      const fresh = keeper.usable(clock.now())
      if (keeper.doubted() || fresh?.secret.equals(rejected.secret) === true) return undefined
      return fresh
    },
    status: () => keeper.status(),
    start: () => keeper.start(),
    stop: () => keeper.stop(),
  }
}
