import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { headerValues } from './callers.ts'
import { SEED_CLIENT, SEED_KEY } from './seed.ts'
import { startSimulator, type Simulator } from './simulator.ts'
import { wire } from './wire.ts'

const GOOD = {
  grant_type: 'client_credentials',
  client_id: SEED_CLIENT.id,
  client_secret: SEED_CLIENT.secret,
}

let now = Date.UTC(2026, 10, 23)
let simulator: Simulator
beforeEach(async () => {
  now = Date.UTC(2026, 10, 23)
  simulator = await startSimulator({ now: () => now, tokenLife: 4.5 })
})
afterEach(() => simulator.close())

function mint(fields: Record<string, string>): Promise<Response> {
  return fetch(`${simulator.origin}/v1/auth/token`, {
    method: 'POST',
    body: new URLSearchParams(fields),
  })
}

async function token(): Promise<string> {
  const { access_token } = (await (await mint(GOOD)).json()) as { access_token: string }
  return access_token
}

function ask(headers: [string, string][], path = '/v1/dns/summary'): Promise<Response> {
  return fetch(`${simulator.origin}${path}`, { headers })
}

describe('the token endpoint', () => {
  test('hands out a new RS256-shaped token with the real claims on every call', async () => {
    const reply = await mint(GOOD)
    expect(reply.status).toBe(200)
    const body = (await reply.json()) as Record<string, unknown>
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 4.5,
    })
    const parts = String(body['access_token']).split('.')
    expect(parts).toHaveLength(3)
    const [head, claims] = parts
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
    expect(head.alg).toBe('RS256')
    expect(claims).toMatchObject({
      iss: 'https://api.opusdns.com',
      oid: SEED_CLIENT.id,
      exp: now / 1000 + 4.5,
    })
    const other = JSON.parse(Buffer.from((await token()).split('.')[1]!, 'base64url').toString())
    expect(other.jti).not.toBe(claims.jti)
    expect(simulator.tokenRequests).toBe(2)
  })

  test('takes JSON as well as a form', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const body = JSON.stringify(GOOD)
    const reply = await fetch(`${simulator.origin}/v1/auth/token`, {
      method: 'POST',
      headers,
      body,
    })
    expect(reply.status).toBe(200)
  })

  test('answers a wrong secret with the recorded body', async () => {
    const reply = await mint({ ...GOOD, client_secret: 'wrong' })
    expect(reply.status).toBe(401)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(await reply.text()).toBe(
      '{"type":"invalid-organization-credentials","title":"Authentication Error","status":401,"code":"ERROR_INVALID_ORGANIZATION_CREDENTIALS","detail":"Invalid client secret"}',
    )
  })

  test('answers an unknown client with the recorded body', async () => {
    const id = SEED_CLIENT.id.replace('zzzz', 'yyyy')
    const reply = await mint({ ...GOOD, client_id: id })
    expect(reply.status).toBe(404)
    expect(await reply.text()).toBe(
      `{"type":"organization-not-found","title":"Organization Management Error","status":404,"code":"ERROR_ORGANIZATION_NOT_FOUND","organization_id":"${id}","detail":"Organization not found"}`,
    )
  })

  test.each([
    [{ client_id: SEED_CLIENT.id, client_secret: 'echoed-secret' }, ['body', 'grant_type']],
    [{ ...GOOD, client_id: 'nonsense' }, ['body', 'client_id']],
    [{ ...GOOD, grant_type: 'password' }, ['body', 'grant_type']],
  ])('answers 422 to %o, naming the field and echoing the input', async (fields, loc) => {
    const reply = await mint(fields)
    expect(reply.status).toBe(422)
    const body = (await reply.json()) as {
      type: string
      errors: { loc: string[]; input: unknown }[]
    }
    expect(body.type).toBe('request-validation-failed')
    expect(body.errors).toHaveLength(1)
    expect(body.errors[0]!.loc).toEqual(loc)
    expect(
      Object.values(fields).some((value) => JSON.stringify(body.errors[0]!.input).includes(value)),
    ).toBe(true)
  })

  test('knows a second live secret and forgets a removed one', async () => {
    simulator.clients.push({ id: SEED_CLIENT.id, secret: 'next' })
    expect((await mint({ ...GOOD, client_secret: 'next' })).status).toBe(200)
    simulator.clients.shift()
    expect((await mint(GOOD)).status).toBe(401)
  })
})

describe('authentication', () => {
  test('accepts a token until its life is over', async () => {
    const bearer: [string, string][] = [['authorization', `Bearer ${await token()}`]]
    now += 4499
    expect((await ask(bearer)).status).toBe(200)
    now += 1
    const late = await ask(bearer)
    expect(late.status).toBe(401)
    expect(await late.json()).toMatchObject({
      type: 'authentication',
      code: 'ERROR_AUTHENTICATION',
      status: 401,
    })
  })

  test('refuses revoked tokens and accepts the next one', async () => {
    const old = await token()
    simulator.revokeTokens()
    expect((await ask([['authorization', `Bearer ${old}`]])).status).toBe(401)
    expect((await ask([['authorization', `bearer ${await token()}`]])).status).toBe(200)
  })

  test('accepts a good key and refuses unknown, expired and revoked ones', async () => {
    simulator.apiKeys.push(
      { key: 'late', expiresOn: '2026-11-23T00:00:00Z' },
      { key: 'soon', expiresOn: '2026-11-23T00:00:01Z' },
      { key: 'gone', status: 'revoked' },
    )
    const status = async (key: string) => (await ask([['x-api-key', key]])).status
    expect(await status(SEED_KEY.key)).toBe(200)
    expect(await status('soon')).toBe(200)
    expect(await Promise.all(['late', 'gone', 'nobody', ''].map(status))).toEqual([
      401, 401, 401, 401,
    ])
    expect((await ask([])).status).toBe(401)
  })

  test.each([
    ['both headers', `X-Api-Key: ${SEED_KEY.key}\r\nAuthorization: Bearer x`],
    ['the same header twice', `X-Api-Key: ${SEED_KEY.key}\r\nx-api-key: ${SEED_KEY.key}`],
  ])('refuses %s, and keeps a record of it', async (_, lines) => {
    const text = `GET /v1/dns HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n\r\n`
    expect((await wire(simulator.port, text)).text).toMatch(/^HTTP\/1\.1 401 /)
    const { rawHeaders } = simulator.requests[0]!
    const keys = headerValues(rawHeaders, 'X-Api-Key')
    expect([...keys, ...headerValues(rawHeaders, 'Authorization')]).toHaveLength(2)
  })

  test('shows role and expiry of a key to introspect', async () => {
    simulator.apiKeys.push({ key: 'k', role: 'viewer', expiresOn: '2026-12-01T00:00:00Z' })
    const reply = await ask([['x-api-key', 'k']], '/v1/auth/client_credentials/introspect')
    expect(await reply.json()).toMatchObject({
      api_key_id: expect.stringMatching(/^api_key_[0-7][0-9a-hjkmnp-tv-z]{25}$/),
      role: 'viewer',
      status: 'active',
      expires_at: '2026-12-01T00:00:00Z',
      organization_id: SEED_CLIENT.id,
    })
  })

  test('lets a viewer read and not write', async () => {
    simulator.apiKeys.push({ key: 'v', role: 'viewer' })
    const init = { headers: { 'x-api-key': 'v' } }
    expect((await fetch(`${simulator.origin}/v1/dns`, init)).status).toBe(200)
    const refused = await fetch(`${simulator.origin}/v1/dns/example.com`, {
      ...init,
      method: 'DELETE',
    })
    expect(refused.status).toBe(403)
    expect(await refused.json()).toMatchObject({ code: 'ERROR_PERMISSION_DENIED' })
  })

  test('asks nobody for a credential on the open operations', async () => {
    expect((await ask([], '/v1/contacts/verify?token=x')).status).toBe(200)
    expect((await ask([], '/v1/contacts')).status).toBe(401)
  })
})
