// A secret from Azure Key Vault, with the official SDKs.

import type { Clock } from '../base/clock.ts'
import { explainAzure } from './azure-failure.ts'
import { keyVaultReader } from './azure-key-vault.ts'
import type { AzureSettings } from './azure-options.ts'
import { cloudFault, cloudRead } from './cloud.ts'
import { every } from './lifetime.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'
import { secretFromBytes } from './value.ts'

/** See `azureSource`. */
export interface AzureDependencies {
  readonly clock: Clock
}

/** The secret that a reference names. Built without I/O; the SDKs are loaded at the first read. */
export function azureSource(
  options: ReferenceOf<'azure'>,
  settings: AzureSettings,
  { clock }: AzureDependencies,
): SecretSource {
  const { kind, vault, name, version, timeout } = options
  const reference = referenceText(options)
  const reader = keyVaultReader({ vault, name, version, timeout, reference }, settings, clock)
  return {
    kind,
    reference,
    async read() {
      const bytes = await cloudRead({ reference, timeout, explain: explainAzure }, clock, reader)
      if (bytes === undefined) {
        throw cloudFault(reference, ['has no value', 'put the secret there'])
      }
      return secretFromBytes(bytes, reference, options.extract)
    },
    watch: (changed) => every(clock, options.lifetime, changed),
  }
}
