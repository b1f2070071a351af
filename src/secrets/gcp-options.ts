// Options of Google Secret Manager (`secrets.gcp:` in the file).

import { z } from '../base/schema.ts'

/** How Google Secret Manager is reached. */
export interface GcpSettings {
  readonly endpoint: string | undefined
}

/** Schema of `secrets.gcp`. */
export const gcpOptions = z
  .strictObject({
    endpoint: z.url().optional().describe('Another endpoint than the public one.'),
  })
  .prefault({})
  .transform((written): GcpSettings => ({ endpoint: written.endpoint }))
