// Options of Google Secret Manager (`secrets.gcp:` in the file).

import { z } from '../base/schema.ts'
import { cloudEndpoint } from './cloud-options.ts'

/** How Google Secret Manager is reached. */
export interface GcpSettings {
  /** Origin; undefined for the public one. A regional secret has one of its own. */
  readonly endpoint: string | undefined
}

/** Schema of `secrets.gcp`. */
export const gcpOptions = z
  .strictObject({
    endpoint: cloudEndpoint
      .optional()
      .describe('Another origin than the public one; regional secrets have their own.'),
  })
  .prefault({})
  .transform((written): GcpSettings => ({ endpoint: written.endpoint }))
