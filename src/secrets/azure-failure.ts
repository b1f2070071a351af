// What the errors of Azure's SDKs mean, by their names and HTTP statuses alone.

import { explainStatus } from './cloud.ts'
import type { Explanation } from './cloud.ts'

// Names of the errors of @azure/identity.
const LOGIN_ERRORS = new Set([
  'AggregateAuthenticationError',
  'AuthenticationError',
  'AuthenticationRequiredError',
  'CredentialUnavailableError',
])

// https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
const BY_STATUS: Readonly<Record<number, Explanation>> = {
  400: ['is not a name that Azure accepts', 'check the reference'],
  401: [
    'cannot be asked for because the vault refuses the login',
    'check that the identity belongs to the tenant of the vault',
  ],
  403: [
    'may not be read, or is disabled',
    'give the identity the role Key Vault Secrets User, and check the firewall of the vault',
  ],
  404: ['does not exist', 'check the name of the vault, of the secret and its version'],
  429: ['was asked for too often', 'wait, it is tried again, or lengthen its lifetime'],
}

/** Words for an error that the SDKs threw. */
export function explainAzure(error: unknown): Explanation | undefined {
  if (!(error instanceof Error)) return undefined
  if (LOGIN_ERRORS.has(error.name)) {
    return [
      'cannot be asked for because no Azure login was had',
      'give the proxy a managed or workload identity (see docs/secrets/azure.md)',
    ]
  }
  // Of the check that keeps a token from a vault's impostor; the SDK has no name for it.
  if (/^The challenge (?:contains|resource|origin) /.test(error.message)) {
    return [
      'asks for a login to something else than itself',
      'check that the host is a key vault of Azure',
    ]
  }
  const { statusCode } = error as { statusCode?: unknown }
  if (typeof statusCode !== 'number' || statusCode === 200) return undefined
  return BY_STATUS[statusCode] ?? explainStatus(statusCode)
}
