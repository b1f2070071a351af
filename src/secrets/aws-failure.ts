// What the errors of the AWS SDK mean, by their names alone.

import { explainStatus } from './cloud.ts'
import type { Explanation } from './cloud.ts'

const NOT_FOUND: Explanation = ['does not exist', 'check its name, the region and the account']
const DENIED: Explanation = [
  'may not be read',
  "allow the proxy's identity secretsmanager:GetSecretValue or ssm:GetParameter, and kms:Decrypt",
]
const EXPIRED: Explanation = [
  'cannot be asked for because the AWS login has expired',
  'renew it, or give the proxy a role whose credentials renew themselves',
]
const UNKNOWN_LOGIN: Explanation = [
  'cannot be asked for because AWS does not know the login',
  'check the access key, or give the proxy a role',
]
const NO_LOGIN: Explanation = [
  'cannot be asked for because no AWS login was found',
  'give the proxy a role, or a profile with credentials (see docs/secrets/aws.md)',
]
const SKEWED: Explanation = [
  'was refused because the clock of this machine is wrong',
  'set the clock, with NTP',
]
const UNDECIPHERED: Explanation = [
  'cannot be decrypted',
  "check the KMS key and its policy, and allow the proxy's identity kms:Decrypt",
]
const THROTTLED: Explanation = [
  'was asked for too often',
  'wait, it is tried again, or lengthen its lifetime',
]
const REFUSED: Explanation = ['is not a name that AWS accepts', 'check the reference']

// Secrets Manager GetSecretValue, Systems Manager GetParameter, and "Common Error Types" of both.
const BY_NAME: Readonly<Record<string, Explanation>> = {
  ResourceNotFoundException: NOT_FOUND,
  ParameterNotFound: NOT_FOUND,
  ParameterVersionNotFound: NOT_FOUND,
  AccessDeniedException: DENIED,
  NotAuthorized: DENIED,
  ExpiredTokenException: EXPIRED,
  ExpiredToken: EXPIRED,
  UnrecognizedClientException: UNKNOWN_LOGIN,
  InvalidClientTokenId: UNKNOWN_LOGIN,
  IncompleteSignature: UNKNOWN_LOGIN,
  CredentialsProviderError: NO_LOGIN,
  TokenProviderError: NO_LOGIN,
  InvalidSignatureException: [
    'was refused because the signature is wrong',
    'check the secret access key, and the clock of this machine',
  ],
  RequestExpired: SKEWED,
  RequestTimeTooSkewed: SKEWED,
  InvalidRequestException: [
    'cannot be read in its state, it may be marked for deletion',
    'restore it with aws secretsmanager restore-secret, or name another',
  ],
  DecryptionFailure: UNDECIPHERED,
  InvalidKeyId: UNDECIPHERED,
  ThrottlingException: THROTTLED,
  Throttling: THROTTLED,
  InvalidParameterException: REFUSED,
  ValidationException: REFUSED,
}

/** Words for an error that the SDK threw. */
export function explainAws(error: unknown): Explanation | undefined {
  if (!(error instanceof Error)) return undefined
  if (Object.hasOwn(BY_NAME, error.name)) return BY_NAME[error.name]
  // The SDK has no name for this one.
  if (error.message.startsWith('Region is missing')) {
    return ['has no region', 'set secrets.aws.region, or AWS_REGION']
  }
  const { $metadata: metadata } = error as { $metadata?: { httpStatusCode?: number } }
  const status = metadata?.httpStatusCode
  return status === undefined || status === 200 ? undefined : explainStatus(status)
}
