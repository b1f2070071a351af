// Who is asking. A sidecar has one consumer, `anonymous`: whoever reaches the listener. What it
// sends as a credential is a placeholder, except for tokens that this proxy issued itself.

import { Fault } from '../base/fault.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'

/** The consumer of a listener that asks nobody who they are. */
export const ANONYMOUS = 'anonymous'

/** Names the consumer of a request from its `Authorization` field; throws a Fault if it cannot be. */
export type Identify = (authorization: string | undefined) => string

const BEARER = /^bearer +(\S+)$/i

/**
 * Everyone is `anonymous`. A locally issued token must still be valid, so that a client whose token
 * expired logs in again as OAuth intends; any other value is a placeholder and is ignored.
 */
export function anonymousIdentity(tokens: IssuedTokens): Identify {
  return function identify(authorization) {
    if (authorization === undefined) return ANONYMOUS
    const token = BEARER.exec(authorization)?.[1]
    const bearer = token === undefined ? 'not_ours' : tokens.bearerOf(token)
    if (bearer === 'not_ours') return ANONYMOUS
    if (bearer === 'unknown') {
      throw new Fault('invalid_token', {
        detail: 'The token expired or is not known here. Ask /v1/auth/token of this proxy for one.',
      })
    }
    return bearer.consumer
  }
}
