// Options of HashiCorp Vault or OpenBao (`secrets.vault:` in the file): where it is, and how the proxy
// logs in. Secrets that are needed for that are references to places on this machine.

import { z } from '../base/schema.ts'
import { secretReference } from './options.ts'
import type { SecretReference } from './reference-options.ts'
import { isVaultAddress, NO_ADDRESS } from './vault-address.ts'

/** How the proxy logs in. `mount` is the path of the auth method below `auth/`. */
export type VaultAuth =
  /** `token` undefined: `VAULT_TOKEN`. */
  | { readonly method: 'token'; readonly token: SecretReference | undefined }
  | {
      readonly method: 'approle'
      readonly mount: string
      readonly roleId: string
      /** Undefined for a role with `bind_secret_id=false`. */
      readonly secretId: SecretReference | undefined
    }
  | {
      readonly method: 'kubernetes' | 'jwt'
      readonly mount: string
      readonly role: string
      readonly tokenFile: string
    }

/** How HashiCorp Vault or OpenBao is reached. What is undefined is taken from the environment. */
export interface VaultSettings {
  readonly address: string | undefined
  readonly namespace: string | undefined
  readonly caFile: string | undefined
  readonly auth: VaultAuth
}

const LOCAL = new Set<SecretReference['kind']>(['env', 'file', 'systemd', 'exec'])

const localSecret = secretReference.refine((reference) => LOCAL.has(reference.kind), {
  error:
    'is not on this machine; what the proxy logs in with must be env:, file:, systemd: or exec:',
})

const path = (fallback: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/, {
      error: 'is not a path; write names with / between them, and none at either end',
    })
    .default(fallback)

const mount = (fallback: string) =>
  path(fallback).describe('Where the auth method is mounted, below auth/.')

const absolute = z.string().startsWith('/', 'is not an absolute path; begin it with /')
const role = z.string().min(1).describe('Role of the auth method.')

const auth = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('token').describe('A token that others hand out.'),
    token: localSecret.optional().describe('Place of the token. Environment: VAULT_TOKEN.'),
  }),
  z.strictObject({
    method: z.literal('approle').describe('A role and a secret id.'),
    mount: mount('approle'),
    role_id: z.string().min(1).describe('The role id; it is no secret.'),
    secret_id: localSecret
      .optional()
      .describe('Place of the secret id; none for a role that needs none.'),
  }),
  z.strictObject({
    method: z.literal('kubernetes').describe("The pod's service account."),
    mount: mount('kubernetes'),
    role,
    token_file: absolute
      .default('/var/run/secrets/kubernetes.io/serviceaccount/token')
      .describe("File with the service account's token; read at each login."),
  }),
  z.strictObject({
    method: z.literal('jwt').describe('A signed token of another issuer.'),
    mount: mount('jwt'),
    role,
    token_file: absolute.describe('File with the token; read at each login.'),
  }),
])

/** Schema of `secrets.vault`. */
export const vaultOptions = z
  .strictObject({
    address: z
      .string()
      .refine(isVaultAddress, { error: NO_ADDRESS })
      .optional()
      .describe('Origin of the server. Environment: VAULT_ADDR.'),
    namespace: z
      .string()
      .regex(/^[\x21-\x7e]+$/, 'is not a namespace; write its path, such as team-a/dns')
      .optional()
      .describe('Namespace of the auth method and of the paths. Environment: VAULT_NAMESPACE.'),
    ca_file: absolute
      .optional()
      .describe(
        'PEM file of authorities that are trusted beside the usual ones. Environment: VAULT_CACERT.',
      ),
    auth: auth.optional().describe('How the proxy logs in; by default with VAULT_TOKEN.'),
  })
  .prefault({})
  .transform((written): VaultSettings => ({
    address: written.address,
    namespace: written.namespace,
    caFile: written.ca_file,
    auth: authOf(written.auth),
  }))

function authOf(written: z.output<typeof auth> | undefined): VaultAuth {
  switch (written?.method) {
    case undefined:
      return { method: 'token', token: undefined }
    case 'token':
      return { method: 'token', token: written.token }
    case 'approle':
      return {
        method: 'approle',
        mount: written.mount,
        roleId: written.role_id,
        secretId: written.secret_id,
      }
    case 'kubernetes':
    case 'jwt':
      return {
        method: written.method,
        mount: written.mount,
        role: written.role,
        tokenFile: written.token_file,
      }
  }
}
