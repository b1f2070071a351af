// Reads from AWS Secrets Manager. The only file that knows its SDK, which is loaded at the first read.

import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

import type { AwsReader, AwsReaderOptions } from './aws-reader.ts'
import { awsTransport } from './aws-transport.ts'
import { cloudLibrary } from './cloud.ts'
import type { Clock } from '../base/clock.ts'

/** Reads the version of a secret that is labelled `AWSCURRENT`, text or binary. Built without I/O. */
export function secretsManagerReader(options: AwsReaderOptions, clock: Clock): AwsReader {
  const { id, region, endpoint, timeout, reference } = options
  let client: SecretsManagerClient | undefined

  return async function read(signal) {
    const library = await cloudLibrary(
      '@aws-sdk/client-secrets-manager',
      reference,
      () => import('@aws-sdk/client-secrets-manager'),
    )
    client ??= new library.SecretsManagerClient({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      maxAttempts: 1,
      requestHandler: awsTransport(timeout, clock),
    })
    const command = new library.GetSecretValueCommand({ SecretId: id, VersionStage: 'AWSCURRENT' })
    const found = await client.send(command, { abortSignal: signal })
    if (found.SecretString !== undefined) return Buffer.from(found.SecretString, 'utf8')
    return found.SecretBinary
  }
}
