// Options of 1Password Connect (`secrets.onepassword:` in the file).

import { z } from '../base/schema.ts'

/** How 1Password Connect is reached. */
export interface OnepasswordSettings {
  readonly address: string | undefined
}

/** Schema of `secrets.onepassword`. */
export const onepasswordOptions = z
  .strictObject({
    address: z
      .url()
      .optional()
      .describe('Origin of the Connect server. Environment: OP_CONNECT_HOST.'),
  })
  .prefault({})
  .transform((written): OnepasswordSettings => ({ address: written.address }))
