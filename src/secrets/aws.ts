// A secret from AWS Secrets Manager or SSM Parameter Store, with the official SDK and its default chain
// of credentials, which reads the AWS_ variables of the process by itself.

import type { Clock } from '../base/clock.ts'
import type { AwsSettings } from './aws-options.ts'
import { cloudSource } from './cloud-source.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'

/** See `awsSource`. */
export interface AwsDependencies {
  readonly clock: Clock
}

/** The secret that a reference names. Built without I/O; the SDK is loaded at the first read. */
export function awsSource(
  options: ReferenceOf<'aws-sm' | 'aws-ssm'>,
  settings: AwsSettings,
  { clock }: AwsDependencies,
): SecretSource {
  return cloudSource(options, clock, async () => {
    const { awsReading } = await import('./aws-reading.ts')
    return awsReading(options, settings, clock)
  })
}
