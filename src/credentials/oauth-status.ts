// How an OAuth credential stands, in one sentence for an operator.

import type { AccessToken } from './access-token.ts'
import type { CredentialStatus } from './credential.ts'
import { servingWarnings } from './events.ts'
import type { Side } from './events.ts'
import type { MintRefusal } from './token-reply.ts'

/** See `oauthStatus`. */
export interface OAuthState {
  /** Monotonic milliseconds. */
  readonly now: number
  /** The token in use; `undefined` when there is none that may be sent. */
  readonly token: AccessToken | undefined
  /** The upstream answered 401 to `token`. */
  readonly doubted: boolean
  /**
   * The upstream answered 401 to `token`, and there is no way out of it: to the one before it as well,
   * or no other token can be had.
   */
  readonly refused: boolean
  /** Why the last attempt failed; `undefined` after a success, or before the first. */
  readonly failure: MintRefusal | undefined
  /** Milliseconds until the next attempt. */
  readonly retryIn: number
  readonly serving: Side
}

/** Describes `state`; shows a fingerprint, never the token. */
export function oauthStatus(state: OAuthState): CredentialStatus {
  const { now, token, serving, refused } = state
  if (token === undefined) {
    return { usable: false, detail: without(state), warnings: [], serving, refused }
  }
  const expiresIn = Math.round(token.expiresAt - now)
  const { fingerprint } = token.secret
  const detail = `A token is held that expires in ${Math.round(expiresIn / 1000)} s.`
  const warnings = warningsOf(state)
  return { usable: true, detail, warnings, serving, refused, fingerprint, expiresIn }
}

function warningsOf({ doubted, failure, serving }: OAuthState): string[] {
  const warnings = servingWarnings(serving)
  if (doubted) warnings.push('OpusDNS answered 401 to the token.')
  if (failure !== undefined) warnings.push(`The refresh fails: ${failure.detail}`)
  return warnings
}

function without({ failure, retryIn }: OAuthState): string {
  if (failure === undefined) return 'The first token has been asked for.'
  return `There is no token. ${failure.detail} Next try in ${Math.max(0, Math.ceil(retryIn / 1000))} s.`
}
