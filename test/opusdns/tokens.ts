// The token endpoint with its recorded error bodies, the tokens that it handed out, and its faults.

import { randomBytes, randomUUID } from 'node:crypto'
import type { Call } from './call.ts'
import { objectOf } from './call.ts'
import type { Switches } from './faults.ts'
import { forced, invalid, json, missing, problem, type Reply } from './problems.ts'
import { isTypeid } from './typeid.ts'

/** A client of the token endpoint; one id may appear with several live secrets. */
export interface Client {
  readonly id: string
  readonly secret: string
}

/** See `tokenDesk`. */
export interface TokenDeskOptions {
  /** Live: a test may rotate secrets. */
  readonly clients: Client[]
  /** Seconds; fractions allowed. */
  readonly life: number
  /** Wall clock, milliseconds. */
  readonly now: () => number
}

/** Hands out tokens and knows which are good. */
export interface TokenDesk {
  /** Answers a token request under the given faults. */
  answer(call: Call, flaws: Switches): Reply
  /** A reply with a good token for anyone, for what a redirect points to. */
  give(): Reply
  accepts(token: string): boolean
  /** Tokens handed out so far stop being accepted. */
  revoke(): void
}

interface Issued {
  readonly token: string
  /** Milliseconds of `now`. */
  readonly expires: number
}

const NEAR_EXPIRED_LIFE = 2
const HUGE = 1024 * 1024

/** A desk without tokens. */
export function tokenDesk(options: TokenDeskOptions): TokenDesk {
  const { clients, now } = options
  const expiries = new Map<string, number>()
  let same: Issued | undefined

  function issue(clientId: string, life: number, opaque: boolean): Issued {
    const expires = now() + life * 1000
    const token = opaque
      ? randomBytes(32).toString('base64url')
      : jwt(clientId, now() / 1000, expires / 1000)
    for (const [old, at] of expiries) if (at <= now()) expiries.delete(old)
    expiries.set(token, expires)
    return { token, expires }
  }

  function success(clientId: string, flaws: Switches): Reply {
    const life = flaws.tokenLife ?? options.life
    const opaque = flaws.tokenOpaque ?? false
    if (flaws.tokenBody !== 'near-expired-same')
      return granted(issue(clientId, life, opaque).token, life, flaws)
    if (!same || same.expires <= now())
      same = issue(clientId, flaws.tokenLife ?? NEAR_EXPIRED_LIFE, opaque)
    return granted(same.token, (same.expires - now()) / 1000, flaws)
  }

  return {
    answer(call, flaws) {
      const retry = flaws.retryAfter === undefined ? [] : ['retry-after', String(flaws.retryAfter)]
      if (flaws.tokenStatus !== undefined) {
        const reply = forced(flaws.tokenStatus)
        return { ...reply, headers: [...(reply.headers ?? []), ...retry] }
      }
      const asked = fields(call)
      if ('refusal' in asked) return asked.refusal
      return refusalOf(asked.value, clients) ?? success(String(asked.value['client_id']), flaws)
    },
    give: () => success(clients[0]?.id ?? 'nobody', {}),
    accepts: (token) => (expiries.get(token) ?? 0) > now(),
    revoke() {
      expiries.clear()
      same = undefined
    },
  }
}

function fields(call: Call): ReturnType<typeof objectOf> {
  if (call.contentType === 'application/json') return objectOf(call.body)
  return { value: Object.fromEntries(new URLSearchParams(call.body.toString('utf8'))) }
}

function refusalOf(value: Record<string, unknown>, clients: readonly Client[]): Reply | undefined {
  const lacking = missing(value, ['grant_type', 'client_id', 'client_secret'])
  if (lacking.length > 0) return invalid(lacking)
  const { grant_type: grant, client_id: id, client_secret: secret } = value
  if (grant !== 'client_credentials') {
    const msg = "Input should be 'client_credentials'"
    return invalid([{ type: 'literal_error', loc: ['body', 'grant_type'], msg, input: grant }])
  }
  const known = clients.filter((client) => client.id === id)
  if (known.some((client) => client.secret === secret)) return undefined
  if (known.length > 0) {
    return problem({
      type: 'invalid-organization-credentials',
      title: 'Authentication Error',
      status: 401,
      code: 'ERROR_INVALID_ORGANIZATION_CREDENTIALS',
      detail: 'Invalid client secret',
    })
  }
  if (typeof id !== 'string' || !isTypeid('organization', id)) {
    const msg = 'Input is not an organization identifier'
    return invalid([{ type: 'value_error', loc: ['body', 'client_id'], msg, input: id }])
  }
  return problem({
    type: 'organization-not-found',
    title: 'Organization Management Error',
    status: 404,
    code: 'ERROR_ORGANIZATION_NOT_FOUND',
    organization_id: id,
    detail: 'Organization not found',
  })
}

function granted(token: string, life: number, flaws: Switches): Reply {
  const body: Record<string, unknown> = {
    access_token: token,
    token_type: 'Bearer',
    expires_in: life,
  }
  if ('expiresIn' in flaws) body['expires_in'] = flaws.expiresIn
  if (flaws.expiresIn === 'missing') delete body['expires_in']
  switch (flaws.tokenBody) {
    case undefined:
    case 'near-expired-same':
      return json(200, body)
    case 'html':
      return text('text/html', '<!doctype html><title>Maintenance</title><h1>Back soon</h1>')
    case 'empty':
      return text('application/json', '')
    case 'truncated':
      return text('application/json', JSON.stringify(body).slice(0, -20))
    case 'huge':
      return json(200, { ...body, padding: 'x'.repeat(HUGE) })
    case 'garbage':
      return { status: 200, headers: ['content-type', 'application/json'], body: randomBytes(300) }
    case 'redirect':
      return { status: 307, headers: ['location', '/__elsewhere'], body: Buffer.alloc(0) }
    case 'wrong-type':
      return json(200, { ...body, token_type: 'mac' })
    case 'bad-token':
      return json(200, { ...body, access_token: `${token}\r\nx-evil: 1` })
    default:
      return text('application/json', flaws.tokenBody)
  }
}

function text(type: string, body: string): Reply {
  return { status: 200, headers: ['content-type', type], body: Buffer.from(body) }
}

/** Three base64url parts with the real claims; the signature is random, for nobody checks it here. */
function jwt(clientId: string, issued: number, expires: number): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    iss: 'https://api.opusdns.com',
    sub: clientId,
    oid: clientId,
    iat: Math.floor(issued),
    exp: expires - issued < 60 ? Math.round(expires * 1000) / 1000 : Math.floor(expires),
    jti: randomUUID(),
  }
  const head = part({ alg: 'RS256', typ: 'JWT', kid: 'simulated' })
  return `${head}.${part(claims)}.${randomBytes(256).toString('base64url')}`
}
