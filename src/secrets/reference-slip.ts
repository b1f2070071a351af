// What is wrong with a text that is no reference, as far as its beginning tells. Nothing of the text is
// quoted, for it may be a secret: a message names a kind of place and its form.

import { didYouMean } from '../base/did-you-mean.ts'
import { EXAMPLES } from './reference-options.ts'
import type { SourceKind } from './source.ts'

const FORMS: Readonly<Record<SourceKind, readonly [form: string, example: string]>> = {
  env: ['a name in capitals', 'env:OPUSDNS_KEY'],
  file: ['an absolute path', 'file:/run/secrets/opusdns_api_key'],
  systemd: ['the name of a credential', 'systemd:opusdns_api_key'],
  exec: ['the absolute path of a program', 'exec:/usr/local/bin/tool argument'],
  vault: [
    'a path without a slash at either end or two in a row, and #field',
    'vault:secret/data/opusdns#api_key',
  ],
  'aws-sm': ['a name or an ARN', 'aws-sm:opusdns/production#api_key'],
  'aws-ssm': ['the name of a parameter', 'aws-ssm:/opusdns/api_key'],
  gcp: ['projects/…/secrets/…', 'gcp:projects/my-project/secrets/opusdns'],
  azure: ['https://…/secrets/…', 'azure:https://my-vault.vault.azure.net/secrets/opusdns'],
  op: ['//vault/item/field', 'op://Infra/OpusDNS/credential'],
  k8s: ['the name of a Secret and #key', 'k8s:opusdns#api_key'],
}

/** Says what is wrong, and the form to write, as `fault; remedy`. */
export function referenceSlip(written: unknown): string {
  const [, word = ''] =
    typeof written === 'string' ? (/^\s*([A-Za-z0-9_-]{1,12}):/.exec(written) ?? []) : []
  if (Object.hasOwn(FORMS, word)) {
    const [form, example] = FORMS[word as SourceKind]
    return `is not of the form of ${word}: references, which have ${form} behind it; write it like ${example}`
  }
  const meant = word === '' ? undefined : didYouMean(word, Object.keys(FORMS))
  if (meant !== undefined) {
    const [, example] = FORMS[meant as SourceKind]
    return `begins with no kind of place that is known; did you mean ${meant}:, as in ${example}`
  }
  return NO_REFERENCE
}

/** For what is no text, or begins like no reference. */
export const NO_REFERENCE =
  'is not a reference to a secret (a secret itself must not stand here); ' +
  `write ${EXAMPLES}, and keep the secret there`
