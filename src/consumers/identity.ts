// Who is asking. A sidecar has one consumer, `anonymous`: whoever reaches the listener. A gateway has
// those of `consumers:`. What a wrong credential of ours shows is never passed over for something weaker.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { TOKEN_PREFIX } from '../store/issued-tokens.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'
import type { Admitted, Call, Identity } from './caller.ts'
import { KEY_PREFIX } from './consumer-key.ts'
import { keyRing } from './key-ring.ts'
import type { HeldKey } from './key-ring.ts'
import type { ConsumerSettings, TrustedHops } from './options.ts'
import { surroundings } from './surroundings.ts'

/** The consumer of a proxy that asks nobody who they are. */
export const ANONYMOUS = 'anonymous'

/** See `consumerIdentity`. */
export interface IdentityOptions {
  readonly consumers: Iterable<readonly [string, ConsumerSettings]>
  readonly trustedHops: TrustedHops
}

/** See `consumerIdentity`. */
export interface IdentityDeps {
  readonly tokens: IssuedTokens
  readonly clock: Clock
}

const BEARER = /^bearer +(\S+)$/i

const KEY_DEFECTS = {
  mistyped:
    'The consumer key is not whole: it was mistyped, or cut. Copy it again as `keys new` printed it.',
  unknown: 'The consumer key is not known here. It may have been removed; ask for another.',
  expired: 'The consumer key has expired. Ask for another.',
} as const

const CERTIFICATE_DEFECTS = {
  nobody: 'The client certificate is trusted, but no consumer has a name that stands in it.',
  several: 'The client certificate names more than one consumer.',
  expired: 'The client certificate has expired. Connect with another.',
} as const

/**
 * For a proxy without `consumers:`. Everyone is `anonymous`. A locally issued token must still be valid,
 * so that a client whose token expired logs in again as OAuth intends; any other value is a placeholder
 * and is ignored.
 */
export function openIdentity(tokens: IssuedTokens): Identity {
  return {
    identify({ authorization }) {
      const token = bearerOf(authorization)
      if (token !== undefined) {
        const bearer = tokens.bearerOf(token)
        // One that came from a consumer key ended with the configuration of that key.
        if (bearer === 'unknown' || (bearer !== 'not_ours' && bearer.key !== undefined)) {
          throw unknownToken()
        }
      }
      return { consumer: ANONYMOUS, by: 'anonymous' }
    },
    isShared: () => true,
    admit: () => ({ consumer: ANONYMOUS, by: 'anonymous' }),
  }
}

/**
 * For a proxy with `consumers:`. A consumer key or local token decides (in `X-Api-Key` or as a bearer);
 * else the client certificate, then the socket, the network, and last `anonymous`. Anything without a
 * prefix of ours is a placeholder: it neither helps nor hurts. Refused are a key or token that is not
 * valid, whatever else would identify, and two credentials that name different consumers.
 */
export function consumerIdentity(
  { consumers, trustedHops }: IdentityOptions,
  { tokens, clock }: IdentityDeps,
): Identity {
  const entries = [...consumers]
  const ring = keyRing(entries, clock)
  const look = surroundings({ consumers: entries, trustedHops }, clock)

  function byKey(text: string): Admitted {
    const held = ring.verify(text)
    if (typeof held === 'string') {
      throw new Fault('invalid_consumer_key', { detail: KEY_DEFECTS[held] })
    }
    return ofKey(held, 'key')
  }

  function byToken(text: string, call: Call): Admitted {
    const bearer = tokens.bearerOf(text)
    if (bearer === 'unknown' || bearer === 'not_ours') throw unknownToken()
    if (bearer.key !== undefined) {
      const held = ring.live(bearer.key)
      if (held === undefined) throw unknownToken()
      return ofKey(held, 'token')
    }
    // Issued to whoever the connection named; elsewhere it is worth nothing.
    const here = bySurroundings(call)
    if (here?.consumer !== bearer.consumer) throw unknownToken()
    return here
  }

  function bySurroundings(call: Call): Admitted | undefined {
    const { certified, nearby } = look(call)
    if (typeof certified === 'string') {
      throw new Fault('unidentified', { detail: CERTIFICATE_DEFECTS[certified] })
    }
    return certified ?? nearby
  }

  /** The one consumer that all of `shown` name, and the certificate too. */
  function decide(shown: readonly (string | undefined)[], call: Call): Admitted | undefined {
    let caller: Admitted | undefined
    for (const text of shown) {
      if (text === undefined) continue
      const isKey = text.startsWith(KEY_PREFIX)
      if (!isKey && !text.startsWith(TOKEN_PREFIX)) continue
      const next = isKey ? byKey(text) : byToken(text, call)
      if (caller !== undefined && caller.consumer !== next.consumer) throw conflict()
      caller ??= next
    }
    if (caller === undefined) return bySurroundings(call)
    const { certified } = look(call)
    if (typeof certified === 'object' && certified.consumer !== caller.consumer) throw conflict()
    return caller
  }

  return {
    identify(call) {
      const caller = decide([call.apiKey, bearerOf(call.authorization)], call)
      if (caller === undefined) throw nobody()
      return caller
    },
    isShared: (socket) => look({ socket, forwardedFor: undefined }).hop,
    admit(login) {
      const { clientId, clientSecret, apiKey, authorization } = login
      const isKey = clientSecret.startsWith(KEY_PREFIX)
      const caller = decide(
        [isKey ? clientSecret : undefined, apiKey, bearerOf(authorization)],
        login,
      )
      if (caller === undefined) throw nobody()
      if (isKey && !fits(clientId, caller)) {
        throw new Fault('invalid_consumer_key', {
          detail:
            'The client id is neither the name of the consumer, nor the id of its key, nor that of an organization.',
        })
      }
      return caller
    },
  }
}

/**
 * The key alone says who it is. Clients that write their client id into paths, as OpusDNS has it, need
 * the id of the organization there (opusdns/API.md section 1).
 */
function fits(clientId: string, { consumer, key }: Admitted): boolean {
  return (
    clientId === consumer ||
    clientId === key?.id ||
    /^organization_[0-7][0-9a-z]{25}$/.test(clientId)
  )
}

function ofKey(key: HeldKey, by: 'key' | 'token'): Admitted {
  return { consumer: key.consumer, by, which: key.id, key }
}

function bearerOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1]
}

function unknownToken(): Fault {
  return new Fault('invalid_token', {
    detail: 'The token expired or is not known here. Ask /v1/auth/token of this proxy for one.',
  })
}

function conflict(): Fault {
  return new Fault('identity_conflict', {
    detail: 'The credentials of this request name different consumers. Send one of them.',
  })
}

function nobody(): Fault {
  return new Fault('unidentified', {
    detail:
      'This proxy does not know who is asking. Send a consumer key (opxk_…) in X-Api-Key, or as Authorization: Bearer.',
  })
}
