// Options of AWS Secrets Manager and SSM Parameter Store (`secrets.aws:` in the file).

import { z } from '../base/schema.ts'
import { cloudEndpoint } from './cloud-options.ts'

/** How AWS Secrets Manager and SSM Parameter Store are reached. */
export interface AwsSettings {
  /** Undefined for the one that the SDK finds. */
  readonly region: string | undefined
  /** Origin of Secrets Manager; undefined for the public one of the region. */
  readonly endpoint: string | undefined
  /** Origin of Systems Manager; undefined for the public one of the region. */
  readonly ssmEndpoint: string | undefined
}

/** Schema of `secrets.aws`. */
export const awsOptions = z
  .strictObject({
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'is not a region; write for example eu-central-1')
      .optional()
      .describe('Region, unless the SDK finds it by itself. That of an ARN comes first.'),
    endpoint: cloudEndpoint
      .optional()
      .describe('Another origin of Secrets Manager than the public one.'),
    ssm_endpoint: cloudEndpoint
      .optional()
      .describe('Another origin of Systems Manager than the public one.'),
  })
  .prefault({})
  .transform((written): AwsSettings => ({
    region: written.region,
    endpoint: written.endpoint,
    ssmEndpoint: written.ssm_endpoint,
  }))
