// Answers `POST /v1/auth/token` here, for clients that insist on an OAuth login: an opaque token that
// only this process knows. The real token never leaves the proxy.

import { Fault } from '../base/fault.ts'
import type { Clock } from '../base/clock.ts'
import { ANONYMOUS } from '../consumers/identity.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'
import type { Exchange } from './exchange.ts'
import { refuse } from './refusal.ts'
import { takeBody } from './request-body.ts'
import type { BodyOptions, Bound } from './request-body.ts'
import type { RequestHead } from './request-head.ts'

/** Bound of a token request: it holds four short fields. */
const TOKEN_REQUEST: Bound = { bytes: 16 * 1024, option: 'the local token endpoint' }

type Fields = Partial<Record<string, unknown>>

function parse(text: string, contentType: string): Fields {
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(text))
  }
  if (contentType.startsWith('application/json')) {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      // The text of the error would quote the body.
      throw new Fault('bad_request', { detail: 'The body is not valid JSON.' })
    }
    if (typeof value === 'object' && value !== null) return { ...value }
    throw new Fault('bad_request', { detail: 'The body is not a JSON object.' })
  }
  throw new Fault('unsupported_media_type', {
    detail: 'Send the token request as application/x-www-form-urlencoded or application/json.',
  })
}

function check(fields: Fields): void {
  if (fields['grant_type'] !== 'client_credentials') {
    throw new Fault('unsupported_grant_type', {
      detail: 'This proxy issues tokens for grant_type=client_credentials only.',
    })
  }
  for (const name of ['client_id', 'client_secret']) {
    const value = fields[name]
    if (typeof value !== 'string' || value === '') {
      throw new Fault('bad_request', { detail: `The field ${name} is missing. Any text will do.` })
    }
  }
}

/**
 * Answers a token request (form or JSON, as the API takes both). Anonymous callers may send any
 * client id and secret; nothing of them is kept.
 */
export function answerTokenRequest(
  exchange: Exchange,
  head: RequestHead,
  tokens: IssuedTokens,
  body: Omit<BodyOptions, 'heldBytes'>,
  clock: Clock,
): void {
  const limits = { ...body, heldBytes: TOKEN_REQUEST.bytes }
  takeBody(exchange, head.contentLength, TOKEN_REQUEST, limits, clock, (fault, bytes) => {
    try {
      if (fault !== undefined) throw fault
      // Never a stream: what is held and what is accepted are of one size.
      const text = Buffer.isBuffer(bytes) ? bytes.toString('utf8') : ''
      check(parse(text, (head.contentType ?? '').toLowerCase()))
      const { token, expiresIn } = tokens.issue(ANONYMOUS)
      const answer = Buffer.from(
        JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: expiresIn }),
      )
      exchange.response.writeHead(200, [
        'Content-Type',
        'application/json',
        'Content-Length',
        String(answer.length),
        'Cache-Control',
        'no-store',
        'Pragma',
        'no-cache',
        'X-Request-Id',
        exchange.id,
      ])
      exchange.response.end(answer)
    } catch (error) {
      refuse(exchange, error)
    }
  })
}
