// The checks behind `/readyz`, read from the parts as they stand.

import type { Check } from '../admin/health.ts'
import type { BuiltCredential } from './credential.ts'
import type { CertificateState } from './listeners.ts'

const DAY = 86_400_000

function credentialCheck({ credential, probe }: BuiltCredential, now: number): Check {
  const status = credential.status()
  const trial = probe.status()
  // The parts disagree only for moments; both must be content.
  const ok = status.usable && trial.state === 'accepted'
  return {
    name: 'credential',
    ok,
    detail: ok ? `${status.detail} ${trial.detail}` : (status.usable ? trial : status).detail,
    facts: {
      kind: credential.kind,
      state: trial.state,
      serving: status.serving,
      role: trial.role ?? null,
      key_expires_on:
        trial.expiresOn === undefined ? null : new Date(trial.expiresOn).toISOString(),
      key_expires_in_days:
        trial.expiresOn === undefined
          ? null
          : Math.max(0, Math.floor((trial.expiresOn - now) / DAY)),
      token_expires_in_s:
        status.expiresIn === undefined ? null : Math.max(0, Math.floor(status.expiresIn / 1000)),
      fingerprint: status.fingerprint ?? null,
    },
    warnings: [...status.warnings, ...trial.warnings],
  }
}

function secretsCheck({ secrets }: BuiltCredential): Check {
  const states = secrets.map((secret) => ({ secret, ...secret.status() }))
  const failing = states.filter((state) => !state.ok)
  // A source that fails while its last good value is in use is a warning, not an outage.
  return {
    name: 'secrets',
    ok: states.some(({ secret }) => secret.current() !== undefined),
    detail: states.map((state) => state.detail).join(' '),
    warnings: [
      ...failing.map((state) => state.detail),
      ...states.flatMap(({ caveat }) => caveat ?? []),
    ],
  }
}

const SOON = 14 * DAY

/** None of this takes a proxy out of service: the others' certificate is most likely the same. */
function certificatesCheck(certificates: readonly CertificateState[], now: number): Check {
  const warnings = certificates.flatMap(({ listener, expiresAt, failure }) => {
    const day = new Date(expiresAt).toISOString().slice(0, 10)
    const expiry = `The certificate of ${listener} ${expiresAt < now ? 'expired' : 'expires'} on ${day}.`
    return [
      ...(failure === undefined
        ? []
        : [`${failure.place} ${failure.fault}; the last good certificate stays in use.`]),
      ...(expiresAt - now < SOON ? [expiry] : []),
    ]
  })
  const first = Math.min(...certificates.map(({ expiresAt }) => expiresAt))
  return {
    name: 'certificates',
    ok: true,
    detail: `The first to expire does so on ${new Date(first).toISOString().slice(0, 10)}.`,
    warnings,
  }
}

/** See `readinessChecks`. */
export interface ReadinessState {
  /** True once the process is on its way out. */
  readonly draining: boolean
  /** Those of the TLS listeners. */
  readonly certificates: readonly CertificateState[]
  /** Milliseconds since 1970. */
  readonly now: number
}

/** All checks. */
export function readinessChecks(
  built: BuiltCredential,
  { draining, certificates, now }: ReadinessState,
): readonly Check[] {
  return [
    credentialCheck(built, now),
    secretsCheck(built),
    ...(certificates.length === 0 ? [] : [certificatesCheck(certificates, now)]),
    {
      name: 'serving',
      ok: !draining,
      detail: draining ? 'The proxy is shutting down.' : 'Requests are accepted.',
    },
  ]
}
