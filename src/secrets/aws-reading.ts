// The reading part of src/secrets/aws.ts, which loads it at the first read.

import type { Clock } from '../base/clock.ts'
import type { AwsSettings } from './aws-options.ts'
import { explainAws } from './aws-failure.ts'
import { parameterStoreReader } from './aws-parameter-store.ts'
import { secretsManagerReader } from './aws-secrets-manager.ts'
import { cloudFault, cloudRead } from './cloud.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { CloudReading } from './cloud-source.ts'
import { secretFromBytes } from './value.ts'

/** What reads the secret that a reference names. Its SDK is loaded at the first read. */
export function awsReading(
  options: ReferenceOf<'aws-sm' | 'aws-ssm'>,
  settings: AwsSettings,
  clock: Clock,
): CloudReading {
  const { kind, timeout } = options
  const reference = referenceText(options)
  const id = kind === 'aws-sm' ? options.id : options.name
  const region = regionOf(id) ?? settings.region
  const reader =
    kind === 'aws-sm'
      ? secretsManagerReader({ id, region, endpoint: settings.endpoint, timeout, reference }, clock)
      : parameterStoreReader(
          { id, region, endpoint: settings.ssmEndpoint, timeout, reference },
          clock,
        )
  return async function read() {
    const bytes = await cloudRead({ reference, timeout, explain: explainAws }, clock, reader)
    if (bytes === undefined) {
      throw cloudFault(reference, ['has no value', 'put the secret there'])
    }
    return secretFromBytes(bytes, reference, options.extract)
  }
}

/** The region in an ARN: a secret is asked for where it is. */
function regionOf(id: string): string | undefined {
  return /^arn:[a-z0-9-]+:[a-z0-9-]+:([a-z0-9-]+):/.exec(id)?.[1]
}
