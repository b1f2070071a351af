// Reads from SSM Parameter Store. The only file that knows its SDK, which is loaded at the first read.

import type { SSMClient } from '@aws-sdk/client-ssm'

import type { AwsReader, AwsReaderOptions } from './aws-reader.ts'
import { awsTransport } from './aws-transport.ts'
import { cloudLibrary } from './cloud.ts'
import type { Clock } from '../base/clock.ts'

/** Reads a parameter, decrypted when it is a SecureString. Built without I/O. */
export function parameterStoreReader(options: AwsReaderOptions, clock: Clock): AwsReader {
  const { id, region, endpoint, timeout, reference } = options
  let client: SSMClient | undefined

  return async function read(signal) {
    const library = await cloudLibrary(
      '@aws-sdk/client-ssm',
      reference,
      () => import('@aws-sdk/client-ssm'),
    )
    client ??= new library.SSMClient({
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
      maxAttempts: 1,
      requestHandler: awsTransport(timeout, clock),
    })
    const command = new library.GetParameterCommand({ Name: id, WithDecryption: true })
    const found = await client.send(command, { abortSignal: signal })
    const value = found.Parameter?.Value
    return value === undefined ? undefined : Buffer.from(value, 'utf8')
  }
}
