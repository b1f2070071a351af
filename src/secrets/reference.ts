// From the place of a secret to the source that reads it.

import type { Clock } from '../base/clock.ts'
import { envSource } from './env.ts'
import type { CapturedEnvironment } from './env.ts'
import { execReference, execSource } from './exec.ts'
import { fileSource } from './file.ts'
import type { SecretReference } from './options.ts'
import type { SecretSource } from './source.ts'

/** How a reference is shown in logs and errors. */
export function referenceText(reference: SecretReference): string {
  switch (reference.kind) {
    case 'env':
      return `env:${reference.name}`
    case 'file':
      return `file:${reference.path}`
    case 'exec':
      return execReference(reference.argv)
  }
}

/** See `secretSource`. */
export interface SecretSourceDependencies {
  readonly clock: Clock
  /** What `env:` reads. */
  readonly captured: CapturedEnvironment
  /** What `exec:` takes `PATH` and `HOME` from. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The source that a reference names. Built without I/O. */
export function secretSource(
  reference: SecretReference,
  deps: SecretSourceDependencies,
): SecretSource {
  switch (reference.kind) {
    case 'env':
      return envSource(reference, deps.captured)
    case 'file':
      return fileSource(reference, deps)
    case 'exec':
      return execSource(reference, deps)
  }
}
