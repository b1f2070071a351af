// A secret from Google Secret Manager, with the official SDK and application default credentials, which
// read the GOOGLE_ variables of the process by themselves.

import type { Clock } from '../base/clock.ts'
import type { GcpSettings } from './gcp-options.ts'
import { cloudSource } from './cloud-source.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'

/** See `gcpSource`. */
export interface GcpDependencies {
  readonly clock: Clock
}

/** The secret that a reference names. Built without I/O; the SDK is loaded at the first read. */
export function gcpSource(
  options: ReferenceOf<'gcp'>,
  settings: GcpSettings,
  { clock }: GcpDependencies,
): SecretSource {
  return cloudSource(options, clock, async () => {
    const { gcpReading } = await import('./gcp-reading.ts')
    return gcpReading(options, settings, clock)
  })
}
