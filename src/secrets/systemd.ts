// A secret from systemd's credentials directory (`LoadCredential=`, systemd.exec(5)): a file, in a
// folder that only the service may read.

import { join } from 'node:path'

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { fileSource } from './file.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'

/** See `systemdSource`. */
export interface SystemdDependencies {
  readonly clock: Clock
  /** Names the directory in `CREDENTIALS_DIRECTORY`. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The secret that systemd passed to this service under a name. */
export function systemdSource(
  options: ReferenceOf<'systemd'>,
  { clock, environment }: SystemdDependencies,
): SecretSource {
  const reference = referenceText(options)
  const directory = environment['CREDENTIALS_DIRECTORY']
  if (directory === undefined || directory === '') {
    return {
      kind: 'systemd',
      reference,
      async read() {
        throw new Fault('secret_unavailable', {
          detail: `${reference} has no directory: write LoadCredential=${options.name}:… into the unit.`,
        })
      },
    }
  }
  const { extract } = options
  const path = join(directory, options.name)
  const file = fileSource(
    { path, reference, ...(extract === undefined ? {} : { extract }) },
    { clock },
  )
  return { ...file, kind: 'systemd' }
}
