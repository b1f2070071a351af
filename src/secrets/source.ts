// What a place that keeps secrets must be able to do.

import type { Secret } from '../base/secret.ts'

/** Kinds of sources; a metric label. */
export type SourceKind =
  | 'env'
  | 'file'
  | 'exec'
  | 'systemd'
  | 'vault'
  | 'aws-sm'
  | 'aws-ssm'
  | 'gcp'
  | 'azure'
  | 'op'
  | 'k8s'

/** Says that a new read is worth while; `due` when only time has passed. */
export type Changed = (cause?: 'due') => void

/**
 * One secret in one place. Built without I/O.
 */
export interface SecretSource {
  readonly kind: SourceKind
  /** The reference as the user wrote it, for logs and errors. Names a place, never holds a value. */
  readonly reference: string
  /**
   * Reads the secret afresh. Rejects with a Fault `secret_unavailable` whose detail names the
   * reference and the remedy, and quotes nothing that was read.
   */
  read(): Promise<Secret>
  /**
   * Calls `changed` whenever a new `read` is worth while (the file changed, the lifetime of a
   * command's output is over). Absent when the place cannot change while the process lives.
   * Returns the function that ends it.
   */
  watch?(changed: Changed): () => void
  /**
   * After a `read`: one sentence about how the secret is kept that an operator may want to mend (a
   * file that everybody may read). `undefined` when there is nothing to say.
   */
  caveat?(): string | undefined
}
