// Builds the configured credential with its secrets and its trial, and translates what they report
// into log lines and metrics.

import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import { apiKey } from '../credentials/api-key.ts'
import type { Credential } from '../credentials/credential.ts'
import type { CredentialEvent } from '../credentials/events.ts'
import { oauth } from '../credentials/oauth.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import { credentialProbe } from '../credentials/probe.ts'
import type { CredentialProbe } from '../credentials/probe.ts'
import { tokenEndpoint } from '../credentials/token-endpoint.ts'
import type { Log } from '../observe/log.ts'
import type { FailingSecret, Metrics } from '../observe/metrics.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import { liveSecret } from '../secrets/live-secret.ts'
import type { LiveSecret, SecretEvent } from '../secrets/live-secret.ts'
import type { SecretReference } from '../secrets/reference-options.ts'
import { secretSources } from '../secrets/reference.ts'
import type { SecretsSettings } from '../secrets/vendor-options.ts'

/** Good values by the order in which the credential names its secrets, current first. */
export type KnownValues = readonly (Secret | undefined)[]

/** See `buildCredential`. */
export interface CredentialDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly upstream: Pick<Upstream, 'ask'>
  /** Values of the variables that `env:` references name. */
  readonly captured: ReadonlyMap<string, Secret>
  /** What `exec:` takes `PATH` and `HOME` from. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** How the places of secrets are reached. */
  readonly vendors: SecretsSettings
  /** Values that were read already, in the order of `BuiltCredential.secrets`. */
  readonly known: KnownValues
}

/** The credential, and all that an operator wants to know about it. */
export interface BuiltCredential {
  readonly credential: Credential
  readonly probe: CredentialProbe
  /** The configured secrets, current first. */
  readonly secrets: readonly LiveSecret[]
}

/** Builds the credential; nothing is read or asked until `start`. `name` is for logs and metrics. */
export function buildCredential(
  { name, settings }: { readonly name: string; readonly settings: CredentialSettings },
  deps: CredentialDeps,
): BuiltCredential {
  const { clock, upstream } = deps
  const random = Math.random
  const observeSecret = secretObserver(deps)
  const source = secretSources(deps)
  const live = (reference: SecretReference, known: Secret | undefined) =>
    liveSecret(source(reference), { clock, random, observe: observeSecret, known })
  const [one, other] = deps.known
  const current = live(settings.kind === 'api_key' ? settings.key : settings.secret, one)
  const previous = settings.previous === undefined ? undefined : live(settings.previous, other)

  const tell = credentialObserver(deps)
  const observe = (event: CredentialEvent) => {
    tell(event)
    // A value that is new, or was refused, is tried anew: readiness must not rest on the old one.
    if (event.kind === 'rejected' || event.kind === 'switched') probe.again()
    // The trial after the 401 may have come too early to know that no other token can be had.
    if (event.kind === 'mint_failed' && credential.status().refused) probe.again()
  }
  const shared = { current, previous, clock, random, observe }
  const credential =
    settings.kind === 'api_key'
      ? apiKey({ name }, shared)
      : oauth(
          { name },
          {
            ...shared,
            clientId: settings.clientId,
            mint: tokenEndpoint({ encoding: settings.tokenRequest }, upstream, clock),
          },
        )
  const probe = credentialProbe({ name }, { credential, upstream, clock, random, observe })
  current.onChange(() => probe.again())
  return {
    credential,
    probe,
    secrets: previous === undefined ? [current] : [current, previous],
  }
}

/** Which secrets fail now, for the metric: of each credential `current` and, with two, `previous`. */
export function failingSecrets({ credential, secrets }: BuiltCredential): FailingSecret[] {
  return secrets.map((secret, at) => ({
    credential: credential.name,
    secret: at === 0 ? 'current' : 'previous',
    failing: !secret.status().ok,
  }))
}

function secretObserver({ log, metrics }: CredentialDeps): (event: SecretEvent) => void {
  return function observe(event) {
    const { source, reference, kind } = event
    metrics.secretReloads.inc({ source, result: kind })
    if (kind === 'failed') {
      log.warn(
        { source, reference, detail: event.detail, kept_last_good: event.keptLastGood },
        'secret cannot be read',
      )
      return
    }
    log.info({ source, reference }, `secret ${kind}`)
    if (event.caveat !== undefined) log.warn({ source, reference }, event.caveat)
  }
}

function credentialObserver({ log, metrics, clock }: CredentialDeps) {
  return function observe(event: CredentialEvent): void {
    const { credential } = event
    switch (event.kind) {
      case 'minted':
        metrics.tokenRequests.inc({ credential, result: 'ok', cause: event.cause })
        metrics.tokenLastSuccess.set({ credential }, Math.round(clock.wall() / 1000))
        metrics.tokenRefreshFailing.set({ credential }, 0)
        log.info(
          {
            credential,
            cause: event.cause,
            serving: event.serving,
            expires_in_s: Math.round(event.expiresIn / 1000),
            fingerprint: event.fingerprint,
          },
          'token minted',
        )
        break
      case 'mint_failed':
        metrics.tokenRequests.inc({ credential, result: event.result, cause: event.cause })
        metrics.tokenRefreshFailing.set({ credential }, 1)
        log.warn(
          {
            credential,
            cause: event.cause,
            result: event.result,
            serving: event.side,
            detail: event.detail,
            retry_in_ms: event.retryIn === undefined ? undefined : Math.round(event.retryIn),
          },
          'token request failed',
        )
        break
      case 'rejected':
        log.warn(
          { credential, fingerprint: event.fingerprint },
          'OpusDNS answered 401 to the credential',
        )
        break
      case 'switched':
        log.warn({ credential, serving: event.serving }, 'the other secret serves from now on')
        break
      case 'probed': {
        const level = event.outcome === 'accepted' || event.outcome === 'unknown' ? 'info' : 'warn'
        log[level](
          {
            credential,
            outcome: event.outcome,
            detail: event.detail,
            role: event.role,
            expires_on:
              event.expiresOn === undefined ? undefined : new Date(event.expiresOn).toISOString(),
          },
          'credential tried',
        )
        for (const warning of event.warnings) log.warn({ credential }, warning)
        // A refusal says nothing of the expiry, which may be its reason: what is known stays.
        if (event.expiresOn !== undefined) {
          metrics.keyExpiry.set({ credential }, event.expiresOn / 1000)
        } else if (event.outcome === 'accepted') metrics.keyExpiry.remove({ credential })
        break
      }
    }
  }
}
