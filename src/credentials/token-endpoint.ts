// Asks OpusDNS for a token (RFC 6749 section 4.4). The one place where the client secret is opened.

import { Fault } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import type { MintFailure } from './events.ts'
import { MAX_REPLY, tokenReply } from './token-reply.ts'
import type { MintResult } from './token-reply.ts'

const DEADLINE = 10_000

/** See `tokenEndpoint`. */
export interface TokenEndpointOptions {
  /** How the request body is written. OpusDNS takes both; `form` is the standard's. */
  readonly encoding: 'form' | 'json'
}

/**
 * Asks for one token. Settles within 10 s, never rejects, and tries once: when to try again is the
 * caller's matter.
 */
export type Mint = (clientId: string, clientSecret: Secret) => Promise<MintResult>

/** Builds the function that asks `POST /v1/auth/token` of `upstream`. */
export function tokenEndpoint(
  options: TokenEndpointOptions,
  upstream: Pick<Upstream, 'ask'>,
  clock: Pick<Clock, 'wall'>,
): Mint {
  const form = options.encoding === 'form'
  const headers = [
    'content-type',
    form ? 'application/x-www-form-urlencoded' : 'application/json',
    'accept',
    'application/json',
    'user-agent',
    'opusdns-auth-proxy',
  ]
  return async function mint(clientId, clientSecret) {
    try {
      const answer = await upstream.ask({
        method: 'POST',
        path: '/v1/auth/token',
        headers,
        body: body(form, clientId, clientSecret),
        deadline: DEADLINE,
        maxBytes: MAX_REPLY,
      })
      return tokenReply(answer, clock.wall())
    } catch (error) {
      return unanswered(error)
    }
  }
}

function body(form: boolean, clientId: string, clientSecret: Secret): string {
  const fields = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret.reveal(),
  }
  // URLSearchParams writes exactly what RFC 6749 appendix B asks for: UTF-8, `+` for a space.
  return form ? new URLSearchParams(fields).toString() : JSON.stringify(fields)
}

function unanswered(error: unknown): MintResult {
  if (!(error instanceof Fault)) {
    return { ok: false, result: 'unreachable', detail: 'The token endpoint could not be asked.' }
  }
  return { ok: false, result: failureOf(error), detail: `Token request: ${error.message}` }
}

function failureOf(fault: Fault): MintFailure {
  switch (fault.code) {
    case 'upstream_timeout':
    case 'upstream_connect_timeout':
      return 'timeout'
    case 'upstream_protocol':
    case 'upstream_head_too_large':
      return 'bad_reply'
    default:
      return 'unreachable'
  }
}
