// Reads a request for a token (RFC 6749 section 4.4): client id and secret from a form, from JSON as the
// API takes it, or from HTTP Basic.

import { Fault } from '../base/fault.ts'

/** What a client says of itself. */
export interface ClientCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

type Fields = Partial<Record<string, unknown>>

const BASIC = /^basic +([A-Za-z0-9+/_-]+=*)$/i

/**
 * Reads it; throws a Fault of status 400 or 415 for what is no such request. No text of the body gets
 * into a Fault.
 */
export function readLogin(
  text: string,
  contentType: string,
  authorization: string | undefined,
): ClientCredentials {
  const fields = parse(text, contentType.toLowerCase())
  if (fields['grant_type'] !== 'client_credentials') {
    throw new Fault('unsupported_grant_type', {
      detail: 'This proxy issues tokens for grant_type=client_credentials only.',
    })
  }
  const basic = basicOf(authorization)
  if (basic !== undefined) {
    const other = fields['client_id'] !== undefined && fields['client_id'] !== basic.clientId
    if (other || fields['client_secret'] !== undefined) {
      throw new Fault('bad_request', {
        detail: 'Send client id and secret once: in Authorization, or in the body.',
      })
    }
    return basic
  }
  return { clientId: textOf(fields, 'client_id'), clientSecret: textOf(fields, 'client_secret') }
}

function parse(text: string, contentType: string): Fields {
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    const form = new URLSearchParams(text)
    // RFC 6749 section 3.2.
    if (new Set(form.keys()).size !== form.size) {
      throw new Fault('bad_request', { detail: 'A field of the form occurs twice.' })
    }
    return Object.fromEntries(form)
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

function textOf(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string' && value !== '') return value
  throw new Fault('bad_request', {
    detail: `The field ${name} is missing. Where no consumers are configured, any text will do.`,
  })
}

/** RFC 6749 section 2.3.1: both halves are form-encoded before they are joined. */
function basicOf(authorization: string | undefined): ClientCredentials | undefined {
  const coded = authorization === undefined ? undefined : BASIC.exec(authorization)?.[1]
  if (coded === undefined) return undefined
  const [id = '', ...rest] = Buffer.from(coded, 'base64').toString('utf8').split(':')
  const clientId = formDecoded(id)
  const clientSecret = formDecoded(rest.join(':'))
  if (clientId === undefined || clientSecret === undefined || !clientId || !clientSecret) {
    throw new Fault('bad_request', {
      detail: 'Authorization: Basic holds no client id and secret, form-encoded each.',
    })
  }
  return { clientId, clientSecret }
}

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
