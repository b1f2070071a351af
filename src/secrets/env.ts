// A secret from an environment variable. The environment is captured once, at start; this file
// never reads process.env, and the program deletes the variables after capturing them.

import { Fault } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import type { SecretSource } from './source.ts'

/** See `envSource`. */
export interface EnvSourceOptions {
  /** Name of the variable. */
  readonly name: string
}

/** The values captured at start, by variable name, already checked by `secretFromText`. */
export type CapturedEnvironment = ReadonlyMap<string, Secret>

/** The secret in a captured variable. It cannot change while the process lives. */
export function envSource(options: EnvSourceOptions, captured: CapturedEnvironment): SecretSource {
  const reference = `env:${options.name}`
  return {
    kind: 'env',
    reference,
    async read() {
      const secret = captured.get(options.name)
      if (secret !== undefined) return secret
      throw new Fault('secret_unavailable', {
        detail: `${reference} was not set at start: set it and start again.`,
      })
    },
  }
}
