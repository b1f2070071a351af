// Clients that insist on an OAuth login get a token of the proxy's own, which opens nothing but this
// proxy; the real one never leaves it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { systemClock, type Clock } from '../../src/base/clock.ts'
import { loadSettings } from '../../src/config/load.ts'
import { startProxy } from '../../src/server/proxy.ts'
import { headerValues } from '../opusdns/callers.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient, type HttpClient } from '../support/http-client.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

const LOGIN = {
  grant_type: 'client_credentials',
  client_id: 'any-client',
  client_secret: 'placeholder-of-a-client',
}
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }
const JSON_TYPE = { 'Content-Type': 'application/json' }
const PATH = '/v1/auth/token'

let simulator: Simulator
let proxy: RunningProxy
let client: HttpClient
beforeAll(async () => {
  simulator = await startSimulator()
  proxy = await startRunningProxy({
    env: {
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
      OPUSDNS_PROXY_LOG_LEVEL: 'trace',
    },
  })
  client = httpClient(proxy.origin)
  // The trial of the credential is a request too.
  await eventually(() => proxy.logLines('credential tried').length === 1)
})
afterAll(async () => {
  client.close()
  await simulator.close()
})

interface TokenReply {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
}

function login(body: string, headers: Record<string, string>) {
  return client.send({ path: PATH, method: 'POST', headers, body })
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()

describe('a login at the proxy', () => {
  test.each([
    ['a form', form(LOGIN), FORM],
    [
      'a form with a charset',
      form(LOGIN),
      { 'Content-Type': `${FORM['Content-Type']}; charset=utf-8` },
    ],
    ['JSON', JSON.stringify(LOGIN), JSON_TYPE],
  ])('as %s yields a token that works here and is not the real one', async (_, body, headers) => {
    const reply = await login(body, headers)
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(reply.headers['cache-control']).toBe('no-store')
    const issued = JSON.parse(reply.body.toString()) as TokenReply
    expect(issued).toEqual({
      access_token: expect.stringMatching(/^opxt_[\w-]{32}$/),
      token_type: 'Bearer',
      expires_in: 3600,
    })
    const before = simulator.requests.length
    const bearer = `Bearer ${issued.access_token}`
    expect((await client.get('/v1/dns', { Authorization: bearer })).status).toBe(200)
    const sent = simulator.requests.slice(before)
    expect(sent).toHaveLength(1)
    const values = headerValues(sent[0]?.rawHeaders ?? [], 'authorization')
    expect(values).toHaveLength(1)
    expect(values[0]).toMatch(/^Bearer ey/)
    expect(values[0]).not.toContain(issued.access_token)
    // At OpusDNS itself it is worth nothing.
    const direct = await fetch(`${simulator.origin}/v1/dns`, { headers: { authorization: bearer } })
    expect(direct.status).toBe(401)
  })

  test('hands out a different token every time, and none of them reaches the log', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => login(form(LOGIN), FORM)))
    const tokens = replies.map(
      ({ body }) => (JSON.parse(body.toString()) as TokenReply).access_token,
    )
    expect(new Set(tokens).size).toBe(20)
    const output = proxy.stdout() + proxy.stderr()
    for (const text of [...tokens, LOGIN.client_secret]) expect(output).not.toContain(text)
  })

  test('never reaches the upstream, whatever the client sends', async () => {
    const before = simulator.tokenRequests
    await login(form(LOGIN), FORM)
    await login(form({ ...LOGIN, grant_type: 'password' }), FORM)
    await client.get(PATH)
    expect(simulator.tokenRequests).toBe(before)
  })

  test.each([
    [
      'another grant',
      form({ ...LOGIN, grant_type: 'password' }),
      FORM,
      400,
      'unsupported_grant_type',
    ],
    ['no grant', form({ client_id: 'a', client_secret: 'b' }), FORM, 400, 'unsupported_grant_type'],
    ['no secret', form({ grant_type: LOGIN.grant_type, client_id: 'a' }), FORM, 400, 'bad_request'],
    ['broken JSON', '{"grant_type":', JSON_TYPE, 400, 'bad_request'],
    ['JSON that is no object', '[]', JSON_TYPE, 400, undefined],
    ['another media type', 'x', { 'Content-Type': 'text/plain' }, 415, 'unsupported_media_type'],
    [
      'a body beyond 16 KiB',
      form({ ...LOGIN, x: 'y'.repeat(20_000) }),
      FORM,
      413,
      'content_too_large',
    ],
  ])('with %s is refused with a problem', async (_, body, headers, status, code) => {
    const reply = await login(body, headers)
    expect(reply.status).toBe(status)
    expect(reply.headers['content-type']).toBe('application/problem+json')
    const problem = JSON.parse(reply.body.toString()) as Record<string, unknown>
    expect(problem).toMatchObject({ status, detail: expect.any(String) })
    if (code !== undefined) expect(problem['code']).toBe(code)
    expect(reply.body.toString()).not.toContain(LOGIN.client_secret)
  })
})

describe('a token with the prefix of ours', () => {
  test('that this proxy did not issue is answered 401, and nothing goes upstream', async () => {
    const before = simulator.requests.length
    const reply = await client.get('/v1/dns', { Authorization: `Bearer opxt_${'A'.repeat(32)}` })
    expect(reply.status).toBe(401)
    expect(reply.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    expect(reply.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(reply.body.toString())).toMatchObject({ code: 'invalid_token' })
    expect(simulator.requests).toHaveLength(before)
  })

  test('of another instance is unknown to this one', async () => {
    const other = await startRunningProxy({
      env: {
        OPUSDNS_API_BASE: simulator.origin,
        OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
        OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
      },
    })
    const issued = (await (
      await fetch(`${other.origin}${PATH}`, { method: 'POST', body: new URLSearchParams(LOGIN) })
    ).json()) as TokenReply
    const bearer = { Authorization: `Bearer ${issued.access_token}` }
    expect((await client.get('/v1/dns', bearer)).status).toBe(401)
  })
})

describe('a placeholder of a client', () => {
  test.each([
    { Authorization: 'Bearer dummy' },
    { Authorization: 'Basic ZHVtbXk6ZHVtbXk=' },
    { 'X-Api-Key': 'dummy' },
  ])('such as %o is replaced, not judged', async (headers) => {
    const before = simulator.requests.length
    expect((await client.get('/v1/dns', headers)).status).toBe(200)
    const { rawHeaders = [] } = simulator.requests[before] ?? {}
    expect(rawHeaders.join('\n')).not.toMatch(/dummy|ZHVtbXk/)
    expect(headerValues(rawHeaders, 'authorization')).toHaveLength(1)
    expect(headerValues(rawHeaders, 'x-api-key')).toEqual([])
  })
})

describe('a locally issued token', () => {
  test('ends when its hour is over, and a new login yields another', async () => {
    // The whole proxy in this process, for its clock to be moved on.
    let ahead = 0
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead }
    const env = {
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
      OPUSDNS_PROXY_LISTEN: '127.0.0.1:0',
      OPUSDNS_PROXY_ADMIN: '127.0.0.1:0',
    }
    const { settings, captured } = await loadSettings({ env })
    const sink = { write() {} }
    const running = await startProxy(settings, {
      clock,
      sink,
      captured,
      environment: {},
      node: process.versions.node,
      collectYoung: undefined,
    })
    const here = httpClient(`http://${running.listen[0]}`)
    const ask = async () => {
      const headers = FORM
      const { body } = await here.send({ path: PATH, method: 'POST', headers, body: form(LOGIN) })
      return `Bearer ${(JSON.parse(body.toString()) as TokenReply).access_token}`
    }
    const status = async (bearer: string) =>
      (await here.get('/v1/dns', { Authorization: bearer })).status
    const bearer = await ask()
    expect(await status(bearer)).toBe(200)
    ahead = 3_590_000
    expect(await status(bearer)).toBe(200)
    ahead = 3_601_000
    expect(await status(bearer)).toBe(401)
    expect(await status(await ask())).toBe(200)
    here.close()
    await running.stop()
  })
})
