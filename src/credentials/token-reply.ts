// What a reply of the token endpoint means. The body holds the token, and a 422 echoes the client
// secret: no text that comes out of here quotes a byte of it.

import { Secret } from '../base/secret.ts'
import type { Answer } from '../opusdns/question.ts'
import type { MintFailure } from './events.ts'
import { tokenLifetime } from './token-lifetime.ts'

/** Bytes of a token reply that are read at most. */
export const MAX_REPLY = 65_536

const LONGEST_TOKEN = 16_384
const LONGEST_RETRY_AFTER = 60_000
const SHORTEST_LIFE = 1_000
const DEAD_TOKEN_WAIT = 5_000

/** A token, or why there is none. Durations are milliseconds. */
export type MintResult =
  | {
      readonly ok: true
      readonly token: Secret
      /** From the moment when the token was asked for; between 1 s and 24 h. */
      readonly life: number
      /** True when the endpoint did not say, and `life` is a guess. */
      readonly assumed: boolean
    }
  | {
      readonly ok: false
      readonly result: MintFailure
      /** One sentence in our own words. */
      readonly detail: string
      /** Do not ask again before this; at most 60 s. */
      readonly retryAfter?: number
    }

/** A refusal as MintResult knows it. */
export type MintRefusal = Extract<MintResult, { ok: false }>

/** RFC 9110 section 11.2; what a `Bearer` header can carry. */
const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * Reads a reply. `wall` is our own wall clock. Every reply has a meaning; nothing throws. Only the
 * endpoint's own words for a wrong client id or secret are `terminal`: a 401 or 404 of something in
 * between, in HTML or without the known code, passes by itself.
 */
export function tokenReply(answer: Answer, wall: number): MintResult {
  const date = httpDate(answer.headers['date'])
  if (answer.status < 200 || answer.status > 299) {
    return refusal(answer, date ?? wall)
  }
  if (answer.body.length === 0) return bad('an empty body')
  if (answer.body.length > MAX_REPLY) return bad('more than 64 KiB')
  const reply = jsonObject(answer.body)
  if (reply === undefined) return bad('something that is not a JSON object')

  const type = reply['token_type']
  // The API's schema makes Bearer the default; RFC 6749 section 5.1 makes the case meaningless.
  if (type !== undefined && (typeof type !== 'string' || type.toLowerCase() !== 'bearer')) {
    return bad('a token_type other than Bearer')
  }
  const token = reply['access_token']
  if (typeof token !== 'string' || token === '') return bad('no access_token')
  if (token.length > LONGEST_TOKEN) return bad('a token longer than 16 KiB')
  if (!TOKEN68.test(token)) return bad('a token with bytes that a header cannot carry')

  const { life, assumed } = tokenLifetime({ expiresIn: reply['expires_in'], token, date, wall })
  if (life < SHORTEST_LIFE) {
    return { ...bad('a token that is expired already'), retryAfter: DEAD_TOKEN_WAIT }
  }
  return { ok: true, token: Secret.of(token), life, assumed }
}

function bad(what: string): MintRefusal {
  return { ok: false, result: 'bad_reply', detail: `The token endpoint answered with ${what}.` }
}

function refusal(answer: Answer, endpointNow: number): MintRefusal {
  const terminal = terminalDetail(answer)
  if (terminal !== undefined) return { ok: false, result: 'terminal', detail: terminal }
  const { status } = answer
  const wait = retryAfter(answer.headers['retry-after'], endpointNow)
  return {
    ok: false,
    result: statusWord(status),
    detail:
      status >= 300 && status < 400
        ? `The token endpoint answered ${status}, a redirect, which is never followed.`
        : `The token endpoint answered ${status}.`,
    ...(wait === undefined ? {} : { retryAfter: wait }),
  }
}

function statusWord(status: number): MintFailure {
  if (status === 429) return 'http_429'
  if (status >= 500) return 'http_5xx'
  if (status >= 400) return 'http_4xx'
  return status >= 300 ? 'http_3xx' : 'bad_reply'
}

/** The endpoint's known words for "this will never work", in ours. */
function terminalDetail(answer: Answer): string | undefined {
  const { status } = answer
  if (status !== 400 && status !== 401 && status !== 404 && status !== 422) return undefined
  const body = answer.body.length > MAX_REPLY ? undefined : jsonObject(answer.body)
  if (body === undefined) return undefined
  const code = body['code']
  if (status === 401 && code === 'ERROR_INVALID_ORGANIZATION_CREDENTIALS') {
    return 'OpusDNS says that the client secret is wrong (401). Check it, or create a new one in the Dashboard.'
  }
  if (status === 401 && code === 'ERROR_AUTHENTICATION') {
    return 'OpusDNS refuses the client id or the client secret (401). Check both.'
  }
  if (status === 404 && code === 'ERROR_ORGANIZATION_NOT_FOUND') {
    return 'OpusDNS does not know the client id (404). Check it, and whether it belongs to this API host: production and sandbox are separate.'
  }
  // RFC 6749 section 5.2 sends invalid_client with 400 or 401.
  if ((status === 400 || status === 401) && body['error'] === 'invalid_client') {
    return `OpusDNS refuses the client id or the client secret (${status}). Check both.`
  }
  if (status === 422 && body['type'] === 'request-validation-failed') {
    return 'OpusDNS says that the client id or the client secret is malformed (422). A client id reads organization_ and 26 characters.'
  }
  return undefined
}

/** Milliseconds to wait by a `Retry-After` of either form (RFC 9110 section 10.2.3), up to 60 s. */
function retryAfter(value: string | undefined, endpointNow: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  const date = httpDate(text)
  let ms = date === undefined ? undefined : date - endpointNow
  if (/^\d+$/.test(text)) ms = Number(text) * 1000
  if (ms === undefined) return undefined
  return Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER)
}

/** Wall milliseconds of an HTTP date; `Date.parse` alone takes far too much for a date. */
function httpDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2,8}, .{8,30} GMT$/.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

/** The JSON object in `body`, or `undefined`. Swallows the parser's error, for V8 quotes the input. */
function jsonObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return value as Record<string, unknown>
  } catch {
    return undefined
  }
}
