// The reading part of src/secrets/gcp.ts, which loads it at the first read.

import type { Clock } from '../base/clock.ts'
import { cloudFault, cloudRead } from './cloud.ts'
import { explainGcp } from './gcp-failure.ts'
import type { GcpSettings } from './gcp-options.ts'
import { secretManagerReader } from './gcp-secret-manager.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { CloudReading } from './cloud-source.ts'
import { secretFromBytes } from './value.ts'

/** What reads the secret that a reference names. Its SDK is loaded at the first read. */
export function gcpReading(
  options: ReferenceOf<'gcp'>,
  { endpoint }: GcpSettings,
  clock: Clock,
): CloudReading {
  const { name, timeout } = options
  const reference = referenceText(options)
  const reader = secretManagerReader({ name, endpoint, timeout, reference }, clock)
  return async function read() {
    const bytes = await cloudRead({ reference, timeout, explain: explainGcp }, clock, reader)
    if (bytes === undefined) {
      throw cloudFault(reference, ['has no value', 'add a version with the secret'])
    }
    return secretFromBytes(bytes, reference, options.extract)
  }
}
