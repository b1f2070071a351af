// What credentials tell the log and the metrics. No event holds a secret, a token, or words that a
// remote party chose freely.

/** Which of two configured secrets is meant. */
export type Side = 'current' | 'previous'

/** What an operator should know of the side that serves. */
export function servingWarnings(serving: Side): string[] {
  return serving === 'current'
    ? []
    : ['The previous secret serves, not the current one: put the right one in its place.']
}

/** Why a token was asked for; a metric label. */
export type MintCause = 'start' | 'due' | 'expired' | 'rejected' | 'secret_changed'

/**
 * How a token request failed; a metric label. Only `terminal` says that the secret or the client id
 * is wrong; all others pass by themselves.
 */
export type MintFailure =
  | 'timeout'
  | 'unreachable'
  | 'http_3xx'
  | 'http_4xx'
  | 'http_429'
  | 'http_5xx'
  | 'bad_reply'
  | 'terminal'
  | 'secret_unavailable'

/** What a trial of a credential found. `unknown`: OpusDNS answered, but did not say. */
export type ProbeOutcome = 'accepted' | 'rejected' | 'unreachable' | 'unknown'

interface OfCredential {
  /** Name of the credential, from the configuration. */
  readonly credential: string
}

/**
 * What happened to a credential. Durations are milliseconds.
 *
 * - `minted`: a token came; `expiresIn` is its life by the endpoint's word.
 * - `mint_failed`: a token request failed; `retryIn` is absent when the other secret is tried next.
 * - `rejected`: the upstream answered 401 to the value in use; once for each value.
 * - `switched`: the other of two secrets serves from now on.
 * - `probed`: the credential was tried; a series of `unreachable` is told once.
 */
export type CredentialEvent =
  | (OfCredential & {
      readonly kind: 'minted'
      readonly expiresIn: number
      readonly fingerprint: string
      readonly cause: MintCause
      readonly serving: Side
    })
  | (OfCredential & {
      readonly kind: 'mint_failed'
      readonly result: MintFailure
      readonly cause: MintCause
      readonly detail: string
      readonly side: Side
      readonly retryIn?: number
    })
  | (OfCredential & { readonly kind: 'rejected'; readonly fingerprint: string })
  | (OfCredential & { readonly kind: 'switched'; readonly serving: Side })
  | (OfCredential & {
      readonly kind: 'probed'
      readonly outcome: ProbeOutcome
      readonly detail: string
      readonly role: string | undefined
      /** Wall-clock milliseconds. */
      readonly expiresOn: number | undefined
      readonly warnings: readonly string[]
    })

/** Receives every event, synchronously. Must not throw. */
export type ObserveCredential = (event: CredentialEvent) => void
