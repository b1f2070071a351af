// Answers `POST /v1/auth/token` here, for clients that insist on an OAuth login: an opaque token that
// only this process knows. The real token never leaves the proxy.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Admitted, Identity, Login } from '../consumers/caller.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'
import type { AuditTrail } from './audit-trail.ts'
import type { Exchange } from './exchange.ts'
import { noteCaller, noteClaim, turnAway } from './identification.ts'
import { readLogin } from './login.ts'
import { problemFields, refuse } from './refusal.ts'
import { takeBody } from './request-body.ts'
import type { BodyOptions, Bound } from './request-body.ts'
import type { RequestHead } from './request-head.ts'

/** Bound of a token request: it holds four short fields. */
const TOKEN_REQUEST: Bound = { bytes: 16 * 1024, option: 'the local token endpoint' }

/**
 * What OpusDNS itself answers to a wrong secret (opusdns/API.md section 1), for clients that read it. Its
 * other answer, 404 for an unknown client id, is not given: it would tell strangers who exists, and no
 * known client tells the two apart.
 */
const REFUSED = Buffer.from(
  JSON.stringify({
    type: 'invalid-organization-credentials',
    title: 'Authentication Error',
    status: 401,
    code: 'ERROR_INVALID_ORGANIZATION_CREDENTIALS',
    detail: 'Invalid client secret',
  }),
)

/** What a token request needs. */
export interface TokenDesk {
  readonly identity: Identity
  readonly tokens: IssuedTokens
  readonly clock: Clock
  /** `undefined` when nothing is recorded. */
  readonly trail: Pick<AuditTrail, 'ahead'> | undefined
}

/** Answers a token request, in the words of OpusDNS: form, JSON or HTTP Basic. Keeps nothing of it. */
export function answerLogin(
  exchange: Exchange,
  head: Pick<
    RequestHead,
    'contentLength' | 'contentType' | 'authorization' | 'apiKey' | 'forwardedFor'
  >,
  body: Omit<BodyOptions, 'heldBytes' | 'mustHold'>,
  { identity, tokens, clock, trail }: TokenDesk,
): void {
  function admit(login: Pick<Login, 'clientId' | 'clientSecret'>): Admitted {
    const { apiKey, authorization, forwardedFor } = head
    const { socket } = exchange
    try {
      return identity.admit({ ...login, apiKey, authorization, forwardedFor, socket })
    } catch (error) {
      turnAway(exchange, identity)
      noteClaim(exchange, error, [login.clientSecret, apiKey, authorization])
      throw error
    }
  }

  const limits = { ...body, heldBytes: TOKEN_REQUEST.bytes, mustHold: true }
  takeBody(exchange, head.contentLength, TOKEN_REQUEST, limits, clock, (fault, bytes) => {
    try {
      if (fault !== undefined) throw fault
      // Never a stream: what is held and what is accepted are of one size.
      const text = Buffer.isBuffer(bytes) ? bytes.toString('utf8') : ''
      const login = readLogin(text, head.contentType ?? '', head.authorization)
      const admitted = admit(login)
      noteCaller(exchange, admitted)
      trail?.ahead(exchange)
      const { token, expiresIn } = tokens.issue(admitted)
      const issued = { access_token: token, token_type: 'Bearer', expires_in: expiresIn }
      answer(exchange, Buffer.from(JSON.stringify(issued)))
    } catch (error) {
      if (error instanceof Fault && error.status === 401) refuseAsOpusdns(exchange, error)
      else refuse(exchange, error)
    }
  })
}

/** Not `refuse`, whose body is our own. */
function refuseAsOpusdns(exchange: Exchange, fault: Fault): void {
  // The log says what was wrong; the body is the same for all.
  exchange.fault = fault
  exchange.source = fault.source
  if (exchange.settled) return
  const fields = problemFields(fault, exchange.id, REFUSED.length)
  // RFC 6749 section 5.2.
  fields.push('WWW-Authenticate', 'Basic realm="opusdns-auth-proxy"')
  exchange.response.writeHead(401, fields)
  exchange.response.end(REFUSED)
}

function answer(exchange: Exchange, body: Buffer): void {
  exchange.response.writeHead(200, [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'Pragma',
    'no-cache',
    'X-Request-Id',
    exchange.id,
  ])
  exchange.response.end(body)
}
