// Options of HashiCorp Vault or OpenBao (`secrets.vault:` in the file).

import { z } from '../base/schema.ts'

/** How HashiCorp Vault or OpenBao is reached. */
export interface VaultSettings {
  readonly address: string | undefined
}

/** Schema of `secrets.vault`. */
export const vaultOptions = z
  .strictObject({
    address: z.url().optional().describe('Origin of the server. Environment: VAULT_ADDR.'),
  })
  .prefault({})
  .transform((written): VaultSettings => ({ address: written.address }))
