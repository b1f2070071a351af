// Options of the Kubernetes API (`secrets.kubernetes:` in the file). In a pod none is needed.

import { z } from '../base/schema.ts'
import { secretReference } from './options.ts'
import type { SecretReference } from './reference-options.ts'
import { isPrivateWay } from './vendor-http.ts'

/** How the Kubernetes API is reached. */
export interface KubernetesSettings {
  /** Origin of the API server; `undefined` for that of the cluster that the proxy runs in. */
  readonly address: string | undefined
  /** Directory with `token`, `ca.crt` and `namespace`, as Kubernetes mounts it into a pod. */
  readonly serviceAccount: string
  /** Place of the token; `undefined` for the file `token` of the service account. */
  readonly token: SecretReference | undefined
  /** Path of the authority's certificate; `undefined` for `ca.crt` of the service account. */
  readonly ca: string | undefined
}

const LOCAL: ReadonlySet<string> = new Set(['env', 'file', 'systemd', 'exec'])

/** Schema of `secrets.kubernetes`. */
export const kubernetesOptions = z
  .strictObject({
    address: z
      .url()
      .refine((it) => !URL.canParse(it) || isPrivateWay(new URL(it)), {
        error: 'is not https:; the token and the secret would travel in the open',
      })
      .optional()
      .describe('Origin of the API server; in a pod it is known.'),
    service_account: z
      .string()
      .startsWith('/')
      .default('/var/run/secrets/kubernetes.io/serviceaccount')
      .describe('Directory with the files token, ca.crt and namespace.'),
    token: secretReference
      .refine((it) => LOCAL.has(it.kind), {
        error: 'is kept in another remote place; write env:, file:, systemd: or exec:',
      })
      .optional()
      .describe('Place of the token, in place of the file token; read anew for each request.'),
    ca: z
      .string()
      .startsWith('/')
      .optional()
      .describe("Path of the certificate of the API server's authority, in place of ca.crt."),
  })
  .prefault({})
  .transform((written): KubernetesSettings => ({
    address: written.address,
    serviceAccount: written.service_account,
    token: written.token,
    ca: written.ca,
  }))
