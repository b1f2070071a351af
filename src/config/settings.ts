// What the rest of the program sees of the configuration: everything resolved, nothing optional.

import type { CredentialSettings } from '../credentials/options.ts'
import type { TrustedHops } from '../consumers/options.ts'
import type { AuditSettings } from '../observe/audit-options.ts'
import type { LogSettings } from '../observe/options.ts'
import type { UpstreamSettings } from '../opusdns/upstream-options.ts'
import type { PolicySettings } from '../policy/options.ts'
import type { UnpricedSettings } from '../policy/unpriced-options.ts'
import type { LimitSettings } from '../proxy/options.ts'
import type { LedgerSettings } from '../store/ledger-options.ts'
import type { SecretsSettings } from '../secrets/vendor-options.ts'
import type { ConsumerSettings, NamedCredential } from './consumers.ts'
import type { Endpoint } from './endpoint.ts'

/** All settings. Durations in milliseconds, sizes in bytes. Holds places of secrets, no secret. */
export interface Settings {
  /** At least one. */
  readonly listen: readonly Endpoint[]
  /** Lower-case names accepted in Host, besides loopback names and own addresses. */
  readonly hosts: readonly string[]
  readonly insecureAllowAnonymous: boolean
  readonly admin: {
    readonly listen: Endpoint
    readonly hosts: readonly string[]
  }
  readonly upstream: UpstreamSettings
  readonly credential: CredentialSettings
  /** Further ones by name. */
  readonly credentials: ReadonlyMap<string, NamedCredential>
  /** By name; `undefined` when everyone is the one consumer `anonymous`. */
  readonly consumers: ReadonlyMap<string, ConsumerSettings> | undefined
  /** Networks of hops whose `X-Forwarded-For` is believed. */
  readonly trustedHops: TrustedHops
  /** `undefined` for none. */
  readonly audit: AuditSettings | undefined
  /** Where purchases are written down; there when a consumer has a budget. */
  readonly ledger: LedgerSettings | undefined
  /** Operations that may have a price, and have none for this account. */
  readonly unpriced: UnpricedSettings
  readonly secrets: SecretsSettings
  readonly policy: PolicySettings
  readonly limits: LimitSettings
  readonly log: LogSettings
  /** How the process ends; see src/server/options.ts. */
  readonly shutdown: { readonly delay: number; readonly deadline: number }
}
