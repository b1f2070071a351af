// What the errors of Google's SDK mean, by their codes alone.

import { explainStatus } from './cloud.ts'
import type { Explanation } from './cloud.ts'

/** The SDK could not log in. Carries nothing of its error. */
export class GcpLoginFailure extends Error {
  override readonly name = 'GcpLoginFailure'
}

// google.rpc.Code, as far as AccessSecretVersion answers with it.
const BY_CODE: Readonly<Record<number, Explanation>> = {
  3: ['is not a name that Google accepts', 'check the reference'],
  5: ['does not exist', 'check the project, the name of the secret and its version'],
  7: ['may not be read', 'give the service account the role secretmanager.secretAccessor'],
  8: ['was asked for too often', 'wait, it is tried again, or lengthen its lifetime'],
  9: ['is disabled or destroyed', 'enable the version, or add a new one'],
  16: ['cannot be asked for because Google refuses the login', 'check the service account'],
}

/** Words for an error that the SDK threw. */
export function explainGcp(error: unknown): Explanation | undefined {
  if (error instanceof GcpLoginFailure) {
    return [
      'cannot be asked for because no Google login was had',
      'give the proxy a service account (see docs/secrets/gcp.md)',
    ]
  }
  if (typeof error !== 'object' || error === null) return undefined
  const { code, httpStatusCode } = error as { code?: unknown; httpStatusCode?: unknown }
  if (typeof code === 'number' && Object.hasOwn(BY_CODE, code)) return BY_CODE[code]
  if (typeof httpStatusCode !== 'number' || httpStatusCode < 300) return undefined
  return explainStatus(httpStatusCode)
}
