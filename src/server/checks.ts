// The checks behind `/readyz`, read from the parts as they stand.

import type { Check } from '../admin/health.ts'
import type { BuiltCredential } from './credential.ts'

function credentialCheck({ credential, probe }: BuiltCredential): Check {
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
    warnings: failing.map((state) => state.detail),
  }
}

/** All checks; `draining` is true once the process is on its way out. */
export function readinessChecks(built: BuiltCredential, draining: boolean): readonly Check[] {
  return [
    credentialCheck(built),
    secretsCheck(built),
    {
      name: 'serving',
      ok: !draining,
      detail: draining ? 'The proxy is shutting down.' : 'Requests are accepted.',
    },
  ]
}
