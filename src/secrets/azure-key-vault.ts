// Reads from Azure Key Vault. The only file that knows its SDK, which is loaded at the first read.

import type { SecretClient } from '@azure/keyvault-secrets'

import type { Clock } from '../base/clock.ts'
import { azureCredential } from './azure-credential.ts'
import type { AzureSettings } from './azure-options.ts'
import { azureTransport } from './azure-transport.ts'
import { cloudLibrary } from './cloud.ts'

/** See `keyVaultReader`. */
export interface KeyVaultOptions {
  /** Origin. */
  readonly vault: string
  readonly name: string
  /** Undefined for the current one. */
  readonly version: string | undefined
  /** Milliseconds of each exchange. */
  readonly timeout: number
  /** For errors. */
  readonly reference: string
}

/**
 * Reads a secret; `undefined` when there is an answer without a value. A token is sent only to the vault
 * that it is for: the SDK's check of the challenge stays on. Built without I/O; rejects with what the
 * SDKs throw.
 */
export function keyVaultReader(options: KeyVaultOptions, settings: AzureSettings, clock: Clock) {
  const { vault, name, version, timeout, reference } = options
  let client: SecretClient | undefined

  return async function read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    client ??= await opened()
    const { value } = await client.getSecret(name, {
      abortSignal: signal,
      ...(version === undefined ? {} : { version }),
    })
    return value === undefined ? undefined : Buffer.from(value, 'utf8')
  }

  async function opened(): Promise<SecretClient> {
    const library = await cloudLibrary(
      '@azure/keyvault-secrets @azure/identity',
      reference,
      () => import('@azure/keyvault-secrets'),
    )
    return new library.SecretClient(vault, await azureCredential(settings, reference), {
      httpClient: azureTransport(timeout, clock),
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
    })
  }
}
