// The login to Azure. The only file that knows its SDK, which is loaded at the first read.

import { cloudLibrary } from './cloud.ts'
import type { AzureSettings } from './azure-options.ts'

/** The default chain of credentials, which reads the AZURE_ variables of the process by itself. */
export async function azureCredential({ authority }: AzureSettings, reference: string) {
  const library = await cloudLibrary(
    '@azure/keyvault-secrets @azure/identity',
    reference,
    () => import('@azure/identity'),
  )
  return new library.DefaultAzureCredential(
    authority === undefined ? {} : { authorityHost: authority },
  )
}
