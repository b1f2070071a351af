// Options of the Kubernetes API (`secrets.kubernetes:` in the file).

import { z } from '../base/schema.ts'

/** How the Kubernetes API is reached. */
export interface KubernetesSettings {
  readonly address: string | undefined
}

/** Schema of `secrets.kubernetes`. */
export const kubernetesOptions = z
  .strictObject({
    address: z.url().optional().describe('Origin of the API server; in a cluster it is known.'),
  })
  .prefault({})
  .transform((written): KubernetesSettings => ({ address: written.address }))
