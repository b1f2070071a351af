// The reading part of src/secrets/azure.ts, which loads it at the first read.

import type { Clock } from '../base/clock.ts'
import { explainAzure } from './azure-failure.ts'
import { keyVaultReader } from './azure-key-vault.ts'
import type { AzureSettings } from './azure-options.ts'
import { cloudFault, cloudRead } from './cloud.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { CloudReading } from './cloud-source.ts'
import { secretFromBytes } from './value.ts'

/** What reads the secret that a reference names. Its SDK is loaded at the first read. */
export function azureReading(
  options: ReferenceOf<'azure'>,
  settings: AzureSettings,
  clock: Clock,
): CloudReading {
  const { vault, name, version, timeout } = options
  const reference = referenceText(options)
  const reader = keyVaultReader({ vault, name, version, timeout, reference }, settings, clock)
  return async function read() {
    const bytes = await cloudRead({ reference, timeout, explain: explainAzure }, clock, reader)
    if (bytes === undefined) {
      throw cloudFault(reference, ['has no value', 'put the secret there'])
    }
    return secretFromBytes(bytes, reference, options.extract)
  }
}
