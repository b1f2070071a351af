// A secret from an environment variable. The environment is captured once, at start; this file
// never reads process.env, and the program deletes the variables after capturing them.

import { Fault } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import { referenceText } from './reference-options.ts'
import type { Extraction } from './extraction.ts'
import type { SecretSource } from './source.ts'
import { secretFromBytes } from './value.ts'

/** See `envSource`. */
export interface EnvSourceOptions {
  /** Name of the variable. */
  readonly name: string
  readonly extract?: Extraction
}

/**
 * The values captured at start, by variable name; already checked by `secretFromText`, but for those
 * that a secret has yet to be taken out of.
 */
export type CapturedEnvironment = ReadonlyMap<string, Secret>

/** The secret in a captured variable. It cannot change while the process lives. */
export function envSource(options: EnvSourceOptions, captured: CapturedEnvironment): SecretSource {
  const reference = referenceText({ kind: 'env', ...options })
  return {
    kind: 'env',
    reference,
    async read() {
      const secret = captured.get(options.name)
      if (secret !== undefined) {
        if (options.extract === undefined) return secret
        return secretFromBytes(Buffer.from(secret.reveal()), reference, options.extract)
      }
      throw new Fault('secret_unavailable', {
        detail: `${reference} was not set at start: set it and start again.`,
      })
    },
  }
}
