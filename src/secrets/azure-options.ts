// Options of Azure Key Vault (`secrets.azure:` in the file).

import { z } from '../base/schema.ts'

/** How Azure Key Vault is reached. */
export interface AzureSettings {
  readonly authority: string | undefined
}

/** Schema of `secrets.azure`. */
export const azureOptions = z
  .strictObject({
    authority: z.url().optional().describe('Another authority than the public one.'),
  })
  .prefault({})
  .transform((written): AzureSettings => ({ authority: written.authority }))
