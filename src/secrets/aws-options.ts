// Options of AWS Secrets Manager and SSM Parameter Store (`secrets.aws:` in the file).

import { z } from '../base/schema.ts'

/** How AWS Secrets Manager and SSM Parameter Store is reached. */
export interface AwsSettings {
  readonly region: string | undefined
  readonly endpoint: string | undefined
}

/** Schema of `secrets.aws`. */
export const awsOptions = z
  .strictObject({
    region: z.string().min(1).optional().describe('Region; unless the SDK finds it by itself.'),
    endpoint: z.url().optional().describe('Another endpoint than the public one.'),
  })
  .prefault({})
  .transform((written): AwsSettings => ({ region: written.region, endpoint: written.endpoint }))
