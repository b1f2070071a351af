// Who is asking: exactly one credential header, with a key or a token that is good now.

import { denied, json, unauthenticated, type Reply } from './problems.ts'
import { typeid } from './typeid.ts'

/** An API key of the simulated organisation. */
export interface ApiKey {
  readonly key: string
  /** Default `admin`. `viewer` may only read, `dns_manager` may write only below /v1/dns. */
  readonly role?: string
  /** ISO date-time after which the key is refused; null or absent: never. */
  readonly expiresOn?: string | null
  /** Default `active`; others are refused. */
  readonly status?: 'active' | 'expired' | 'revoked'
}

/** An authenticated caller, or nobody on the few routes that take no credential. */
export interface Caller {
  readonly kind: 'key' | 'token' | 'nobody'
  readonly role: string
  readonly expiresOn: string | null
}

/** See `callerDesk`. */
export interface CallerDeskOptions {
  /** Live: a test may add and remove keys. */
  readonly apiKeys: ApiKey[]
  /** Wall clock, milliseconds. */
  readonly now: () => number
  readonly acceptsToken: (token: string) => boolean
}

/** A caller without a credential. */
export const NOBODY: Caller = { kind: 'nobody', role: 'admin', expiresOn: null }

/** All values of a header in a flat raw list, in order of arrival. */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const wanted = name.toLowerCase()
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === wanted)
}

/** Checks credentials. `identify` yields a caller or the 401. */
export function callerDesk(options: CallerDeskOptions) {
  function identify(rawHeaders: readonly string[], rejectAllTokens: boolean): Caller | Reply {
    const keys = headerValues(rawHeaders, 'x-api-key')
    const authorizations = headerValues(rawHeaders, 'authorization')
    // Which of two would win is undocumented upstream; here two are refused, so that tests notice.
    if (keys.length + authorizations.length > 1)
      return unauthenticated('More than one credential was sent')
    const [key] = keys
    if (key !== undefined) return byKey(key)
    const token = /^bearer (.*)$/i.exec(authorizations[0] ?? '')?.[1]
    if (token === undefined) return unauthenticated('Not authenticated')
    if (rejectAllTokens || !options.acceptsToken(token))
      return unauthenticated('Token is invalid or expired')
    return { kind: 'token', role: 'admin', expiresOn: null }
  }

  function byKey(text: string): Caller | Reply {
    const found = options.apiKeys.find((entry) => entry.key === text)
    const expiresOn = found?.expiresOn ?? null
    const late = expiresOn !== null && Date.parse(expiresOn) <= options.now()
    if (!found || late || (found.status ?? 'active') !== 'active')
      return unauthenticated('Invalid API key')
    return { kind: 'key', role: found.role ?? 'admin', expiresOn }
  }

  return { identify }
}

/** The 403 for what the caller's role may not do, or undefined. */
export function forbidden(caller: Caller, method: string, path: string): Reply | undefined {
  const reads = method === 'GET' || path === '/v1/availability/stream'
  if (reads || (caller.role !== 'viewer' && caller.role !== 'dns_manager')) return undefined
  const within = path === '/v1/dns' || path.startsWith('/v1/dns/')
  return caller.role === 'dns_manager' && within ? undefined : denied()
}

/** Builds the answer of the introspect operation for an organisation. */
export function introspection(organizationId: string, createdOn: string) {
  const apiKeyId = typeid('api_key')
  return function introspect(caller: Caller, usedOn: string): Reply {
    return json(200, {
      api_key_id: apiKeyId,
      api_key_name: 'simulated',
      api_key_description: null,
      created_on: createdOn,
      deleted_on: null,
      expires_at: caller.expiresOn,
      last_used_on: usedOn,
      organization_id: organizationId,
      role: caller.role,
      status: 'active',
    })
  }
}
