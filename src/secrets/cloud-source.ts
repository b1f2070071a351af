// A source in a cloud. What reads it is loaded at the first read, so that a proxy without one starts as
// fast as ever.

import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import { every } from './lifetime.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'

/** Reads a secret once. Rejects with a Fault `secret_unavailable`. */
export type CloudReading = () => Promise<Secret>

/** The secret that a reference names; `open` is called at the first read, again only if it fails. Built without I/O. */
export function cloudSource(
  options: ReferenceOf<'aws-sm' | 'aws-ssm' | 'gcp' | 'azure'>,
  clock: Clock,
  open: () => Promise<CloudReading>,
): SecretSource {
  let opened: Promise<CloudReading> | undefined
  return {
    kind: options.kind,
    reference: referenceText(options),
    async read() {
      opened ??= open().catch((error: unknown) => {
        // For want of a file descriptor, perhaps: the next read may have more luck.
        opened = undefined
        throw error
      })
      const reading = await opened
      return reading()
    },
    watch: (changed) => every(clock, options.lifetime, changed),
  }
}
