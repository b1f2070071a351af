// From the place of a secret to the source that reads it.

import type { Clock } from '../base/clock.ts'
import { awsSource } from './aws.ts'
import { azureSource } from './azure.ts'
import { envSource } from './env.ts'
import type { CapturedEnvironment } from './env.ts'
import { execSource } from './exec.ts'
import { fileSource } from './file.ts'
import { gcpSource } from './gcp.ts'
import type { SecretReference } from './reference-options.ts'
import { kubernetesSource } from './kubernetes.ts'
import { onepasswordSource } from './onepassword.ts'
import type { SecretSource } from './source.ts'
import { systemdSource } from './systemd.ts'
import { vaultSources } from './vault.ts'
import type { SecretsSettings } from './vendor-options.ts'

/** See `secretSources`. */
export interface SecretSourceDependencies {
  readonly clock: Clock
  /** What `env:` reads. */
  readonly captured: CapturedEnvironment
  /** What `exec:` takes `PATH` and `HOME` from, and others their vendors' own variables. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** How the places that are reached over a network are reached. */
  readonly vendors: SecretsSettings
}

/** The source that a reference names. Built without I/O. */
export type SecretSources = (reference: SecretReference) => SecretSource

/** Builds the sources of one configuration: those of one Vault share one login. Does no I/O. */
export function secretSources(deps: SecretSourceDependencies): SecretSources {
  const { vendors } = deps
  const needs = { ...deps, secret: source }
  const vault = vaultSources(vendors.vault, needs)

  function source(reference: SecretReference): SecretSource {
    switch (reference.kind) {
      case 'env':
        return envSource(reference, deps.captured)
      case 'file':
        return fileSource(reference, deps)
      case 'systemd':
        return systemdSource(reference, deps)
      case 'exec':
        return execSource(reference, deps)
      case 'vault':
        return vault(reference)
      case 'aws-sm':
      case 'aws-ssm':
        return awsSource(reference, vendors.aws, needs)
      case 'gcp':
        return gcpSource(reference, vendors.gcp, needs)
      case 'azure':
        return azureSource(reference, vendors.azure, needs)
      case 'op':
        return onepasswordSource(reference, vendors.onepassword, needs)
      case 'k8s':
        return kubernetesSource(reference, vendors.kubernetes, needs)
    }
  }
  return source
}
