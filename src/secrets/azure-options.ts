// Options of Azure Key Vault (`secrets.azure:` in the file).

import { z } from '../base/schema.ts'
import { cloudEndpoint } from './cloud-options.ts'

/** How the login for Azure Key Vault is had; the vault itself is in the reference. */
export interface AzureSettings {
  /** Origin of Microsoft Entra; undefined for that of the public cloud. */
  readonly authority: string | undefined
}

/** Schema of `secrets.azure`. */
export const azureOptions = z
  .strictObject({
    authority: cloudEndpoint
      .optional()
      .describe('Another origin of Microsoft Entra than the public one, for sovereign clouds.'),
  })
  .prefault({})
  .transform((written): AzureSettings => ({ authority: written.authority }))
