// A secret from Azure Key Vault.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf, SecretReference } from './reference-options.ts'
import { every } from './lifetime.ts'
import type { SecretSource } from './source.ts'
import type { AzureSettings } from './azure-options.ts'

/** See `azureSource`. */
export interface AzureDependencies {
  readonly clock: Clock
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The source of a secret that is needed to log in. */
  readonly secret: (reference: SecretReference) => SecretSource
}

/** The secret that a reference names. Built without I/O. */
export function azureSource(
  options: ReferenceOf<'azure'>,
  _settings: AzureSettings,
  deps: AzureDependencies,
): SecretSource {
  const reference = referenceText(options)
  return {
    kind: options.kind,
    reference,
    async read() {
      throw new Fault('secret_unavailable', { detail: `${reference} is not built yet.` })
    },
    watch: (changed) => every(deps.clock, options.lifetime, changed),
  }
}
