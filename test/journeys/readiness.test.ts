// What operators see: readiness with its reasons, the metrics that deployments rely on, and a wall
// between their listener and the clients'.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { SEED_CLIENT, SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { wire } from '../opusdns/wire.ts'
import { metricsText, readyz, seriesOf, sumOf } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient } from '../support/http-client.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

const DAY = 86_400_000

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

function withKey(key: string = SEED_KEY.key): Promise<RunningProxy> {
  return startRunningProxy({ env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: key } })
}

function withOAuth(): Promise<RunningProxy> {
  return startRunningProxy({
    env: {
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
    },
  })
}

function becomes(proxy: RunningProxy, code: number, within = 10_000) {
  return eventually(
    async () => {
      const state = await readyz(proxy)
      expect(state.code).toBe(code)
      return state
    },
    { within },
  )
}

describe('the trial at start', () => {
  test('shows role and expiry of a narrow, long-lived key, without a warning', async () => {
    const expiresOn = new Date(Math.floor(Date.now() / 1000) * 1000 + 100 * DAY).toISOString()
    simulator.apiKeys.push({ key: 'opk_narrow', role: 'dns_manager', expiresOn })
    const proxy = await withKey('opk_narrow')
    const { status, checks } = await becomes(proxy, 200)
    expect(status).toBe('ready')
    expect(checks['credential']).toMatchObject({
      ok: true,
      facts: { kind: 'api_key', state: 'accepted', role: 'dns_manager', key_expires_on: expiresOn },
      warnings: [],
    })
    expect(checks['secrets']).toMatchObject({ ok: true, warnings: [] })
    expect(checks['serving']).toMatchObject({ ok: true })
    await eventually(() => proxy.logLines('credential tried').length === 1)
    expect(proxy.logLines('credential tried')).toMatchObject([
      { level: 'info', outcome: 'accepted', role: 'dns_manager', expires_on: expiresOn },
    ])
  })

  test('warns of the role admin and of an expiry within 30 days, in readiness, page and log', async () => {
    const expiresOn = new Date(Date.now() + 29.5 * DAY).toISOString()
    simulator.apiKeys.push({ key: 'opk_broad', role: 'admin', expiresOn })
    const proxy = await withKey('opk_broad')
    const { checks } = await becomes(proxy, 200)
    const { warnings = [] } = checks['credential'] ?? {}
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toContain('role admin')
    expect(warnings[1]).toContain('expires in 29 days')
    const text = await metricsText(proxy)
    expect(sumOf(text, 'key_expiry_timestamp_seconds')).toBe(Date.parse(expiresOn) / 1000)
    const page = await (await fetch(`${proxy.adminOrigin}/`)).text()
    for (const warning of warnings) expect(page).toContain(warning)
    await eventually(() => {
      const lines = proxy.logLines().filter(({ level }) => level === 'warn')
      expect(lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining([...warnings]))
    })
  })

  test('says nothing of an expiry that is 31 days away', async () => {
    const expiresOn = new Date(Date.now() + 31 * DAY).toISOString()
    simulator.apiKeys.push({ key: 'opk_later', role: 'viewer', expiresOn })
    const { checks } = await becomes(await withKey('opk_later'), 200)
    expect(checks['credential']?.warnings).toEqual([])
  })

  test('of a key that OpusDNS rejects makes the proxy not ready, and names the reason', async () => {
    const proxy = await withKey('opk_unknown')
    const state = await eventually(async () => {
      const now = await readyz(proxy)
      expect(now.checks['credential']?.facts?.['state']).toBe('rejected')
      return now
    })
    expect(state).toMatchObject({ code: 503, status: 'not_ready' })
    expect(state.checks['credential']).toMatchObject({
      ok: false,
      detail: expect.stringContaining('401'),
    })
    expect((await fetch(`${proxy.adminOrigin}/livez`)).status).toBe(200)
    expect(await (await fetch(`${proxy.adminOrigin}/`)).text()).toContain('not ready')
  })

  test('of an OAuth credential shows when the token expires', async () => {
    const { checks } = await becomes(await withOAuth(), 200)
    const { facts = {} } = checks['credential'] ?? {}
    expect(facts).toMatchObject({ kind: 'oauth', state: 'accepted', key_expires_on: null })
    expect(facts['token_expires_in_s']).toBeGreaterThan(3500)
    expect(facts['fingerprint']).toMatch(/^[0-9a-f]{12}$/)
  })

  test('of a wrong OAuth secret makes the proxy not ready, and names the reason', async () => {
    simulator.clients.length = 0
    simulator.clients.push({ ...SEED_CLIENT, secret: 'another' })
    const proxy = await withOAuth()
    await eventually(() => simulator.tokenRequests > 0)
    const state = await eventually(async () => {
      const now = await readyz(proxy)
      expect(now.checks['credential']?.detail).toMatch(/40[14]|secret|client/i)
      return now
    })
    expect(state.code).toBe(503)
    const client = httpClient(proxy.origin)
    const answer = await client.get('/v1/dns')
    client.close()
    expect(answer.status).toBe(503)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'credential_rejected' })
  })
})

describe('a credential that OpusDNS begins to refuse', () => {
  test('turns readiness off when it is a key, and on again when it is accepted', async () => {
    const proxy = await withKey()
    await becomes(proxy, 200)
    simulator.apiKeys.length = 0
    const client = httpClient(proxy.origin)
    // The upstream's own 401 goes back.
    expect((await client.get('/v1/dns')).status).toBe(401)
    const { checks } = await becomes(proxy, 503)
    expect(checks['credential']).toMatchObject({
      ok: false,
      detail: expect.stringContaining('401'),
    })
    simulator.apiKeys.push(SEED_KEY)
    expect((await client.get('/v1/dns')).status).toBe(200)
    await becomes(proxy, 200, 15_000)
    client.close()
  })

  test('turns readiness off when it is one token after the other, and on again', async () => {
    const proxy = await withOAuth()
    await becomes(proxy, 200)
    simulator.faults.rejectAllTokens = true
    const client = httpClient(proxy.origin)
    expect((await client.get('/v1/dns')).status).toBe(401)
    const { checks } = await becomes(proxy, 503, 15_000)
    expect(checks['credential']).toMatchObject({ ok: false, facts: { state: 'rejected' } })
    await eventually(() => proxy.logLines('OpusDNS answered 401 to the credential').length > 0)
    simulator.faults.rejectAllTokens = false
    await becomes(proxy, 200, 15_000)
    expect((await client.get('/v1/dns')).status).toBe(200)
    client.close()
  })
})

test('a token that OpusDNS refuses, while no other can be had, turns readiness off until one can', async () => {
  const proxy = await withOAuth()
  await becomes(proxy, 200)
  simulator.clients.length = 0
  simulator.clients.push({ ...SEED_CLIENT, secret: 'another' })
  simulator.revokeTokens()
  const client = httpClient(proxy.origin)
  expect((await client.get('/v1/dns')).status).toBe(401)
  const { checks } = await becomes(proxy, 503, 15_000)
  expect(checks['credential']).toMatchObject({ ok: false, facts: { state: 'rejected' } })
  simulator.clients.length = 0
  simulator.clients.push(SEED_CLIENT)
  // A refused secret is not asked with again for 15 s.
  await becomes(proxy, 200, 30_000)
  expect((await client.get('/v1/dns')).status).toBe(200)
  client.close()
}, 60_000)

const METRICS: Readonly<Record<string, readonly string[]>> = {
  requests_total: ['code', 'consumer', 'method', 'operation', 'source'],
  request_duration_seconds_count: ['method', 'operation'],
  upstream_duration_seconds_count: ['method', 'operation'],
  inflight_requests: [],
  token_requests_total: ['cause', 'credential', 'result'],
  token_expiry_seconds: ['credential'],
  token_last_success_timestamp_seconds: ['credential'],
  token_refresh_failing: ['credential'],
  replays_total: ['outcome'],
  policy_decisions_total: ['consumer', 'decision', 'mode'],
  secret_reloads_total: ['result', 'source'],
  build_info: ['node', 'version'],
}

describe('the metrics', () => {
  test('have the names and labels that deployments rely on, and never a path, a zone or an id', async () => {
    const proxy = await withOAuth()
    await becomes(proxy, 200)
    const client = httpClient(proxy.origin)
    const zones = Array.from({ length: 50 }, (_, at) => `zone-${at}-unheard-of.example`)
    await Promise.all([
      ...zones.map((zone) => client.get(`/v1/dns/${zone}`)),
      ...zones.map((zone) => client.get(`/v1/nowhere/${zone}`)),
      ...zones.map((zone) => client.get(`/${zone}`)),
      ...zones.map((zone) =>
        client.send({ path: `/v1/dns/${zone}/records`, method: 'PATCH', body: '{}' }),
      ),
    ])
    await Promise.all(
      ['BREW', 'PROPFIND', 'X-Y'].map((method) =>
        wire(
          Number(new URL(proxy.origin).port),
          `${method} /v1/dns HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        ),
      ),
    )
    await client.get('/v1/auth/client_credentials')
    // A token that was revoked, for a replay.
    simulator.revokeTokens()
    expect((await client.get('/v1/dns')).status).toBe(200)
    client.close()
    const text = await metricsText(proxy)
    const series = seriesOf(text)
    for (const [name, labels] of Object.entries(METRICS)) {
      const found = series.filter((one) => one.name === `opusdns_proxy_${name}`)
      expect(found.length, name).toBeGreaterThan(0)
      for (const one of found) {
        expect(Object.keys(one.labels).toSorted(), name).toEqual(labels)
      }
    }
    expect(text).not.toContain('unheard-of')
    expect(sumOf(text, 'requests_total', { operation: '/v1/dns/{zone_name}' })).toBe(50)
    expect(sumOf(text, 'requests_total', { operation: '/v1/dns/{zone_name}/records' })).toBe(50)
    expect(sumOf(text, 'policy_decisions_total', { decision: 'deny' })).toBe(1)
    expect(sumOf(text, 'replays_total')).toBe(1)
    expect(sumOf(text, 'token_requests_total', { result: 'ok' })).toBe(2)
    expect(sumOf(text, 'token_refresh_failing')).toBe(0)
    const expiry = sumOf(text, 'token_expiry_seconds')
    expect(expiry).toBeGreaterThan(3500)
    expect(expiry).toBeLessThanOrEqual(3600)
    const since = Date.now() / 1000 - sumOf(text, 'token_last_success_timestamp_seconds')
    expect(Math.abs(since)).toBeLessThan(30)
    expect(sumOf(text, 'build_info')).toBe(1)
    const sources = new Set(
      series
        .filter(({ name }) => name === 'opusdns_proxy_requests_total')
        .map(({ labels }) => labels['source']),
    )
    expect(sources).toEqual(new Set(['policy', 'proxy', 'upstream']))
    // 150 requests to places that do not exist are one series, not 150.
    expect(
      series.filter(
        ({ name, labels }) => name.endsWith('requests_total') && labels['operation'] === 'unknown',
      ).length,
    ).toBeLessThan(10)
  })

  test('are complete from the start, before the first request', async () => {
    const text = await metricsText(await withKey())
    for (const name of Object.keys(METRICS)) {
      const family = `opusdns_proxy_${name.replace(/_count$/, '')}`
      expect(text, family).toContain(`# TYPE ${family} `)
    }
  })

  test('name the token endpoint as the source of a 503', async () => {
    simulator.faults.tokenStatus = 500
    const proxy = await withOAuth()
    const client = httpClient(proxy.origin)
    await eventually(() => simulator.tokenRequests > 0)
    expect((await client.get('/v1/dns')).status).toBe(503)
    client.close()
    const text = await metricsText(proxy)
    expect(sumOf(text, 'requests_total', { code: '503', source: 'token' })).toBe(1)
    expect(sumOf(text, 'token_refresh_failing')).toBe(1)
    expect(sumOf(text, 'token_requests_total', { result: 'http_5xx' })).toBeGreaterThan(0)
  })
})

describe('the two listeners', () => {
  let proxy: RunningProxy
  beforeAll(async () => {
    proxy = await withKey()
    await becomes(proxy, 200)
  })
  const ask = (origin: string, request: string) => wire(Number(new URL(origin).port), request)

  test.each(['/metrics', '/readyz', '/livez', '/', '/status'])(
    'keep %s of the operators away from the clients',
    async (path) => {
      const before = simulator.requests.length
      const reply = await fetch(proxy.origin + path)
      expect(reply.status).toBe(404)
      expect(await reply.json()).toMatchObject({ code: 'not_found' })
      expect(simulator.requests).toHaveLength(before)
    },
  )

  test.each(['/v1/metrics', '/v1/readyz', '/v1/livez'])(
    'let no operators’ page shadow %s of the API',
    async (path) => {
      const before = simulator.requests.length
      expect((await fetch(proxy.origin + path)).headers.get('server')).toBe('uvicorn')
      expect(simulator.requests.at(-1)?.target).toBe(path)
      expect(simulator.requests).toHaveLength(before + 1)
    },
  )

  test.each(['/v1/dns', '/v1/auth/token', '/v1/domains'])(
    'forward nothing for operators: %s is not there',
    async (path) => {
      const before = simulator.requests.length
      for (const method of ['GET', 'POST', 'DELETE']) {
        expect((await fetch(proxy.adminOrigin + path, { method })).status).toBe(404)
      }
      expect(simulator.requests).toHaveLength(before)
    },
  )

  test('accept no foreign name in Host, on either side', async () => {
    const request = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`
    for (const path of ['/metrics', '/readyz', '/livez', '/']) {
      const { text } = await ask(proxy.adminOrigin, request(path))
      expect(text).toMatch(/^HTTP\/1\.1 421 /)
      expect(text).not.toContain('opusdns_proxy_')
    }
    expect((await ask(proxy.origin, request('/v1/dns'))).text).toMatch(/^HTTP\/1\.1 421 /)
    const own = `GET /livez HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n`
    expect((await ask(proxy.adminOrigin, own)).text).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('let no web page of another site read the operators’ pages', async () => {
    const reply = await fetch(`${proxy.adminOrigin}/metrics`, {
      headers: { origin: 'https://evil.example' },
    })
    expect(reply.status).toBe(403)
  })

  test('show operators a page with the state of every check', async () => {
    const reply = await fetch(`${proxy.adminOrigin}/`)
    expect(reply.headers.get('content-type')).toContain('text/html')
    const page = await reply.text()
    for (const text of [
      'credential',
      'secrets',
      'serving',
      simulator.origin,
      proxy.listen[0] ?? '?',
    ]) {
      expect(page).toContain(text)
    }
  })
})
