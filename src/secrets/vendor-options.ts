// Options of all places of secrets that are reached over a network (`secrets:` in the file).

import { z } from '../base/schema.ts'
import { awsOptions } from './aws-options.ts'
import { azureOptions } from './azure-options.ts'
import { gcpOptions } from './gcp-options.ts'
import { kubernetesOptions } from './kubernetes-options.ts'
import { onepasswordOptions } from './onepassword-options.ts'
import { vaultOptions } from './vault-options.ts'

/** Schema of `secrets`. */
export const secretsOptions = z
  .strictObject({
    vault: vaultOptions.describe('HashiCorp Vault or OpenBao, for vault: references.'),
    aws: awsOptions.describe('AWS, for aws-sm: and aws-ssm: references.'),
    gcp: gcpOptions.describe('Google Cloud, for gcp: references.'),
    azure: azureOptions.describe('Azure, for azure: references.'),
    onepassword: onepasswordOptions.describe('1Password Connect, for op:// references.'),
    kubernetes: kubernetesOptions.describe('The Kubernetes API, for k8s: references.'),
  })
  .prefault({})

/** How places of secrets are reached. */
export type SecretsSettings = z.output<typeof secretsOptions>
