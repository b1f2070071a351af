// The figures that the token rules promise, measured on the real program: one token for a crowd, no
// wait after the first token, an outage and its end, a revocation. Prints what it measured.
// JOURNEYS_FULL=1 runs the steady load for 60 s instead of 20.

import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { metricsText, sumOf } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient, type Answer, type HttpClient } from '../support/http-client.ts'
import { burst, percentile, steadyLoad } from '../support/load.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

const SECONDS = process.env['JOURNEYS_FULL'] === '1' ? 60 : 20
const PATH = '/v1/dns/example.com'
// How much an answer may be late for reasons that are not ours: a busy machine, a collected heap.
const SLACK = 600

let simulator: Simulator
let client: HttpClient
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

async function startOAuth(config?: string): Promise<RunningProxy> {
  const proxy = await startRunningProxy({
    env: {
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
      OPUSDNS_PROXY_LOG_LEVEL: 'info',
    },
    ...(config === undefined ? {} : { config }),
  })
  client = httpClient(proxy.origin)
  return proxy
}

/** Requests of clients that the simulator answered with 401, the trial at start aside. */
function refusals(): number {
  return simulator.count(({ status, target }) => status === 401 && target === PATH)
}

function say(text: string): void {
  process.stdout.write(`  measured: ${text}\n`)
}

describe('a crowd before the first token', () => {
  test('of 2,000 requests costs one token request, and all of them are answered 200', async () => {
    simulator.faults.tokenDelay = 2500
    const proxy = await startOAuth()
    const crowd = Array.from({ length: 2000 }, () => ({ path: PATH }))
    const { counts, errors, samples } = await burst(client, crowd)
    client.close()
    say(
      `2,000 concurrent first requests: ${JSON.stringify(counts)}, token requests ` +
        `${simulator.tokenRequests}, slowest ${percentile(samples, 1).toFixed(0)} ms, ` +
        `RSS ${(proxy.rssBytes() / 1e6).toFixed(0)} MB`,
    )
    expect(errors).toEqual([])
    expect(counts).toEqual({ 200: 2000 })
    expect(simulator.tokenRequests).toBe(1)
  })
})

describe('tokens that live 4 s', () => {
  test(`fail no request in ${SECONDS} s at 200 requests a second, show no 401, and let none wait`, async () => {
    simulator.faults.tokenLife = 4
    await startOAuth()
    // The first request may wait for the first token.
    expect((await client.get(PATH)).status).toBe(200)
    // From here on a request that waited for the token endpoint would take this long.
    simulator.faults.tokenDelay = 800
    const first = simulator.tokenRequests
    const { counts, samples, errors } = await steadyLoad(client, {
      rate: 200,
      seconds: SECONDS,
      ask: () => ({ path: PATH }),
    })
    client.close()
    const mints = simulator.requests
      .filter(({ target }) => target === '/v1/auth/token')
      .slice(first)
    const during = samples.filter(({ at, ms }) =>
      mints.some((mint) => at < mint.at + 800 && at + ms > mint.at),
    )
    const waited = during.filter(({ ms }) => ms >= 800)
    say(
      `${SECONDS} s at 200/s, tokens of 4 s: ${JSON.stringify(counts)}, ${mints.length} refreshes, ` +
        `401s upstream ${refusals()}, p50 ${percentile(samples, 0.5).toFixed(1)} ms, ` +
        `p99 ${percentile(samples, 0.99).toFixed(1)} ms, max ${percentile(samples, 1).toFixed(1)} ms; ` +
        `${during.length} requests during a refresh, p99 ${percentile(during, 0.99).toFixed(1)} ms, ` +
        `max ${percentile(during, 1).toFixed(1)} ms`,
    )
    expect(errors).toEqual([])
    expect(counts).toEqual({ 200: 200 * SECONDS })
    expect(refusals()).toBe(0)
    // Enough of them, or the rest of this test proves nothing.
    expect(mints.length).toBeGreaterThanOrEqual(SECONDS / 5)
    expect(during.length).toBeGreaterThan(mints.length * 80)
    expect(waited).toEqual([])
    expect(percentile(during, 0.95)).toBeLessThan(SLACK)
  }, 90_000)
})

describe('an outage of the token endpoint', () => {
  test('is not felt while the token lives, then answers 503 in time, and ends within a second', async () => {
    simulator.faults.tokenLife = 6
    const proxy = await startOAuth()
    expect((await client.get(PATH)).status).toBe(200)
    const mintedAt = Date.now()
    simulator.faults.tokenStatus = 503
    const before: Answer[] = []
    const after: Answer[] = []
    let downSince = 0
    // One request every 50 ms for as long as the token lives, and 4 s beyond.
    while (Date.now() - mintedAt < 10_000) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const answer = await client.get(PATH)
      if (answer.status !== 200) {
        downSince ||= Date.now() - mintedAt
        after.push(answer)
      } else if (downSince === 0) before.push(answer)
      // oxlint-disable-next-line no-await-in-loop -- the pace
      await sleep(50)
    }
    simulator.faults.tokenStatus = undefined
    const upAgain = Date.now()
    await eventually(async () => (await client.get(PATH)).status === 200, {
      within: 5000,
      every: 10,
    })
    const recovered = Date.now() - upAgain
    client.close()
    const slowest = Math.max(...after.map(({ ms }) => ms))
    say(
      `outage: ${before.length} × 200 for ${downSince} ms of a life of 6,000 ms, then ` +
        `${after.length} × 503, the slowest after ${slowest.toFixed(0)} ms; recovery ${recovered} ms`,
    )
    // 200 until the hard stop of a quarter of the life, no longer than the life.
    expect(downSince).toBeGreaterThan(4000)
    expect(downSince).toBeLessThan(6000)
    expect(new Set(after.map(({ status }) => status))).toEqual(new Set([503]))
    expect(after.length).toBeGreaterThan(5)
    for (const { headers, body } of after) {
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(headers['content-type']).toBe('application/problem+json')
      expect(JSON.parse(body.toString())).toMatchObject({ code: 'token_unavailable' })
    }
    expect(slowest).toBeLessThan(5000 + SLACK)
    expect(recovered).toBeLessThan(1000)
    expect(refusals()).toBe(0)
    expect(proxy.logLines('ready')).toHaveLength(1)
  })
})

describe('a token endpoint that hangs', () => {
  test('lets a request without a token wait 5 s at most, then 503 with Retry-After', async () => {
    simulator.faults.tokenHang = true
    await startOAuth()
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.get(PATH)))
    client.close()
    say(
      `hang: ${answers.map(({ status, ms }) => `${status} after ${ms.toFixed(0)} ms`).join(', ')}`,
    )
    for (const { status, ms, headers } of answers) {
      expect(status).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(ms).toBeLessThan(5000 + SLACK)
    }
    expect(simulator.tokenRequests).toBe(1)
  })
})

describe('a token that is revoked in the middle of its life', () => {
  test('costs one token request, at most one replay each, and shows no 401', async () => {
    const proxy = await startOAuth()
    expect((await client.get(PATH)).status).toBe(200)
    const load = steadyLoad(client, { rate: 200, seconds: 4, ask: () => ({ path: PATH }) })
    await sleep(1500)
    const minted = simulator.tokenRequests
    simulator.faults.tokenDelay = 100
    simulator.revokeTokens()
    const { counts, errors } = await load
    const text = await metricsText(proxy)
    client.close()
    const refused = refusals()
    const replays = sumOf(text, 'replays_total')
    const sent = simulator.count(({ target }) => target === PATH)
    say(
      `revocation: ${JSON.stringify(counts)}, ${refused} refused upstream, ${replays} replays, ` +
        `${simulator.tokenRequests - minted} token request`,
    )
    expect(errors).toEqual([])
    expect(counts).toEqual({ 200: 800 })
    expect(refused).toBeGreaterThan(0)
    // Every refused request went up once more, and none a third time.
    expect(sent).toBe(801 + refused)
    expect(replays).toBe(refused)
    expect(simulator.tokenRequests - minted).toBe(1)
  })

  test('lets the 401 through when the next token is refused too, without a storm', async () => {
    await startOAuth()
    expect((await client.get(PATH)).status).toBe(200)
    simulator.faults.rejectAllTokens = true
    const { counts } = await steadyLoad(client, {
      rate: 100,
      seconds: 3,
      ask: () => ({ path: PATH }),
    })
    client.close()
    expect(counts).toEqual({ 401: 300 })
    // The first token, its successor, and at most one more: five seconds lie between refreshes.
    expect(simulator.tokenRequests).toBeLessThanOrEqual(3)
    expect(refusals()).toBeLessThanOrEqual(2 * 300)
  })
})
