// What a client hears when no token can be had.

import { Fault } from '../base/fault.ts'
import type { MintRefusal } from './token-reply.ts'

/**
 * The Fault for a request that gets no token: `failure` is why the last attempt failed (`undefined`
 * while the first is under way), `retryIn` the milliseconds until the next. The public text is
 * fixed; what the endpoint did is in the log and in `/readyz`.
 */
export function tokenFault(failure: MintRefusal | undefined, retryIn: number): Fault {
  // Monotonic time has fractions: 60 s from now is 60000.00000000006 ms, and must not become 61.
  const retryAfter = Math.max(1, Math.ceil(Math.round(retryIn) / 1000))
  switch (failure?.result) {
    case undefined:
      return new Fault('token_unavailable', {
        detail: 'The token endpoint of OpusDNS has not answered yet. Try again.',
        retryAfter,
      })
    case 'terminal':
      return new Fault('credential_rejected', {
        detail: 'OpusDNS refuses the client id or secret of this proxy. Its operator must mend it.',
        retryAfter,
      })
    case 'secret_unavailable':
      return new Fault('secret_unavailable', {
        detail: 'The client secret of this proxy cannot be read. Its operator must mend it.',
        retryAfter,
      })
    default:
      return new Fault('token_unavailable', {
        detail: 'The token endpoint of OpusDNS gives no token at the moment. Try again.',
        retryAfter,
      })
  }
}
