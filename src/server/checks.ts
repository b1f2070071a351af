// The checks behind `/readyz`, read from the parts as they stand.

import type { Check } from '../admin/health.ts'
import type { AuditStatus } from '../observe/audit.ts'
import type { BuiltCredential } from './credential.ts'
import type { CertificateState } from './listeners.ts'
import type { LedgerStatus } from './ledger-shelf.ts'
import { MAIN } from './way.ts'
import type { Way } from './way.ts'

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

/** The check of a further credential: told, but it takes no proxy out of service. */
function sideCheck(name: string, check: Check): Check {
  const warnings = check.ok ? check.warnings : [check.detail, ...(check.warnings ?? [])]
  return { ...check, name: `${check.name}.${name}`, ok: true, warnings: warnings ?? [] }
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

/** One full disk must not take the reads out of service; what may not go unrecorded is refused. */
function auditCheck({ ok, lost, error }: AuditStatus): Check {
  const detail = ok ? 'Records are written.' : `Records cannot be written (${error ?? 'error'}).`
  const gap = lost === 0 ? [] : [`${lost} records were lost since the start.`]
  return { name: 'audit', ok: true, detail, warnings: ok ? gap : [detail, ...gap] }
}

/** As with the audit log: without it nothing is bought, and all else goes on. */
function ledgerCheck({ ok, error }: LedgerStatus): Check {
  const detail = ok
    ? 'Purchases are written down.'
    : `The ledger of purchases cannot be used (${error ?? 'error'}).`
  return { name: 'ledger', ok: true, detail, warnings: ok ? [] : [detail] }
}

/** See `readinessChecks`. */
export interface ReadinessState {
  /** True once the process is on its way out. */
  readonly draining: boolean
  /** Of the audit log; `undefined` when there is none. */
  readonly audit?: AuditStatus | undefined
  /** Of the ledger; `undefined` when nobody has a budget. */
  readonly ledger?: LedgerStatus | undefined
  /** Those of the TLS listeners. */
  readonly certificates: readonly CertificateState[]
  /** Milliseconds since 1970. */
  readonly now: number
}

/** All checks. */
export function readinessChecks(
  ways: readonly Pick<Way, 'name' | 'built'>[],
  { draining, audit, ledger, certificates, now }: ReadinessState,
): readonly Check[] {
  return [
    ...ways.flatMap(({ name, built }) => {
      const both = [credentialCheck(built, now), secretsCheck(built)]
      // Consumers of the main credential are served without the others.
      return name === MAIN ? both : both.map((check) => sideCheck(name, check))
    }),
    ...(certificates.length === 0 ? [] : [certificatesCheck(certificates, now)]),
    ...(audit === undefined ? [] : [auditCheck(audit)]),
    ...(ledger === undefined ? [] : [ledgerCheck(ledger)]),
    {
      name: 'serving',
      ok: !draining,
      detail: draining ? 'The proxy is shutting down.' : 'Requests are accepted.',
    },
  ]
}
