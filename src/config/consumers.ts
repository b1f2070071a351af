// Consumers and their credentials (`consumers:`, `credentials:`): assembled here from the options of
// who they are, what they may do, and with what.

import { z } from '../base/schema.ts'
import type { Problem } from '../base/fault.ts'
import { nameOption } from '../consumers/name-options.ts'
import { identificationShape, identificationProblems } from '../consumers/options.ts'
import type { ConsumerSettings as Identification } from '../consumers/options.ts'
import { credentialOptions } from '../credentials/options.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import { baseOption } from '../opusdns/upstream-options.ts'
import { budgetShape } from '../policy/budget-options.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import { grantAdvice } from '../policy/advice-options.ts'
import { grantShape } from '../policy/grant-options.ts'
import type { GrantSettings } from '../policy/grant-options.ts'
import type { UnpricedSettings } from '../policy/unpriced-options.ts'
import { limitShape } from '../proxy/consumer-limit-options.ts'
import type { ConsumerLimitSettings } from '../proxy/consumer-limit-options.ts'
import { dryRunShape } from '../proxy/dry-run-options.ts'

/** One consumer: who it is, what it may do, and with what. */
export interface ConsumerSettings extends Identification {
  readonly grants: readonly GrantSettings[]
  readonly mode: 'enforce' | 'report'
  /** All its writes are dry runs. */
  readonly dryRun: boolean
  /** What it may buy; nothing when left out. */
  readonly budget: BudgetSettings | undefined
  /** How much it may ask for; as much as it likes when left out. */
  readonly limits: ConsumerLimitSettings | undefined
  /** Name of one of `credentials`; the main one when left out. */
  readonly credential: string | undefined
  /** For `X-Organization-Context`. */
  readonly organization: string | undefined
}

/** A further credential, and where OpusDNS is for it. */
export interface NamedCredential {
  /** Origin; that of `upstream` when left out. */
  readonly base: string | undefined
  readonly credential: CredentialSettings
}

const consumer = z
  .strictObject({
    ...identificationShape,
    ...grantShape,
    ...dryRunShape,
    ...budgetShape,
    ...limitShape,
    credential: nameOption
      .optional()
      .describe('Which of credentials its requests go out with; the main one when left out.'),
    organization: z
      .string()
      .regex(
        /^organization_[0-7][0-9a-hjkmnp-tv-z]{25}$/,
        'is no id of an organization; write organization_…',
      )
      .optional()
      .describe('Sub-organization that its requests are for (X-Organization-Context).'),
  })
  .transform((written): ConsumerSettings => ({
    ...written,
    budget: written.budget,
    limits: written.limits,
    dryRun: written.dry_run,
    credential: written.credential,
    organization: written.organization,
  }))

/** Schema of `consumers`. */
export const consumersOption = z
  .record(nameOption, consumer)
  .refine((consumers) => Object.keys(consumers).length > 0, {
    error: 'names nobody; write a consumer, or remove the key',
  })
  .optional()

/** Schema of `credentials`. */
export const credentialsOption = z
  .record(
    nameOption,
    z
      .strictObject({
        base: baseOption
          .optional()
          .describe('Origin of the API for this credential; that of upstream when left out.'),
        credential: credentialOptions.describe('An API key, or OAuth2 client credentials.'),
      })
      .transform((written): NamedCredential => ({
        base: written.base === undefined ? undefined : new URL(written.base).origin,
        credential: written.credential,
      })),
  )
  .default({})

/** See `consumerProblems`. */
export interface ConsumerInput {
  readonly consumers: Readonly<Record<string, ConsumerSettings>>
  /** Names under `credentials`. */
  readonly credentials: ReadonlySet<string>
  /** What `policy.allow` holds, which means nothing beside consumers. */
  readonly allow: readonly string[]
  /** Whether purchases are written down. */
  readonly ledger: boolean
  readonly unpriced: UnpricedSettings
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What is wrong with the consumers together, and with what they refer to. */
export function consumerProblems(
  { consumers, credentials, allow, ledger, unpriced, now }: ConsumerInput,
  placeOf: (path: readonly PropertyKey[]) => string,
): { problems: readonly Problem[]; warnings: readonly Problem[] } {
  const place = (path: readonly PropertyKey[]) => placeOf(['consumers', ...path])
  const found = identificationProblems(Object.entries(consumers), place, now)
  const problems = [...found.problems]
  const warnings = [...found.warnings]
  for (const [key, settings] of Object.entries(consumers)) {
    const { credential, grants, keys, mtls, networks, sockets, anonymous } = settings
    if (credential !== undefined && !credentials.has(credential)) {
      problems.push({
        place: place([key, 'credential']),
        fault: 'names no credential',
        remedy: `write it under credentials, or choose ${[...credentials].join(', ') || 'the main one by leaving this out'}`,
      })
    }
    if (settings.budget !== undefined && !ledger) {
      problems.push({
        place: place([key, 'budget']),
        fault: 'needs a ledger, which outlives the process',
        remedy: 'write ledger: file:/var/lib/opusdns-auth-proxy/ledger.db',
      })
    }
    if ([keys, mtls, networks, sockets].every((list) => list.length === 0) && !anonymous) {
      warnings.push({
        place: place([key]),
        fault: 'is never identified, so that nobody can be this consumer',
        remedy: 'give it keys, mtls, networks or sockets',
      })
    }
    for (const { path, ...advice } of grantAdvice({ ...settings, unpriced })) {
      warnings.push({ place: place([key, ...path]), ...advice })
    }
    if (grants.length === 0) {
      warnings.push({
        place: place([key]),
        fault: 'has no grants, so that all its requests are refused',
        remedy: 'write grants',
      })
    }
  }
  if (allow.length > 0) {
    problems.push({
      place: placeOf(['policy', 'allow']),
      fault: 'means nothing beside consumers, who may do what their grants say',
      remedy: 'remove it, and write grants',
    })
  }
  return { problems, warnings }
}
