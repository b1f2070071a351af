// A secret from Azure Key Vault, with the official SDKs.

import type { Clock } from '../base/clock.ts'
import type { AzureSettings } from './azure-options.ts'
import { cloudSource } from './cloud-source.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'

/** See `azureSource`. */
export interface AzureDependencies {
  readonly clock: Clock
}

/** The secret that a reference names. Built without I/O; the SDK is loaded at the first read. */
export function azureSource(
  options: ReferenceOf<'azure'>,
  settings: AzureSettings,
  { clock }: AzureDependencies,
): SecretSource {
  return cloudSource(options, clock, async () => {
    const { azureReading } = await import('./azure-reading.ts')
    return azureReading(options, settings, clock)
  })
}
