// A secret from Google Secret Manager, with the official SDK and application default credentials, which
// read the GOOGLE_ variables of the process by themselves.

import type { Clock } from '../base/clock.ts'
import { cloudFault, cloudRead } from './cloud.ts'
import { explainGcp } from './gcp-failure.ts'
import type { GcpSettings } from './gcp-options.ts'
import { secretManagerReader } from './gcp-secret-manager.ts'
import { every } from './lifetime.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'
import { secretFromBytes } from './value.ts'

/** See `gcpSource`. */
export interface GcpDependencies {
  readonly clock: Clock
}

/** The secret that a reference names. Built without I/O; the SDK is loaded at the first read. */
export function gcpSource(
  options: ReferenceOf<'gcp'>,
  { endpoint }: GcpSettings,
  { clock }: GcpDependencies,
): SecretSource {
  const { kind, name, timeout } = options
  const reference = referenceText(options)
  const reader = secretManagerReader({ name, endpoint, timeout, reference }, clock)
  return {
    kind,
    reference,
    async read() {
      const bytes = await cloudRead({ reference, timeout, explain: explainGcp }, clock, reader)
      if (bytes === undefined) {
        throw cloudFault(reference, ['has no value', 'add a version with the secret'])
      }
      return secretFromBytes(bytes, reference, options.extract)
    },
    watch: (changed) => every(clock, options.lifetime, changed),
  }
}
