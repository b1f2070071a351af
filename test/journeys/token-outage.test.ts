// A token endpoint that is down, hangs or is slow, seen from a client of the real program: how long
// tokens go on serving, how long a request waits, how soon all is well again. Prints what it measured.

import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, test, type TestContext } from 'vitest'

import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient, type Answer, type HttpClient } from '../support/http-client.ts'
import { percentile, steadyLoad } from '../support/load.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

const PATH = '/v1/dns/example.com'
// How much an answer may be late for reasons that are not ours: a busy machine, a collected heap.
const SLACK = 600

interface Stage {
  readonly simulator: Simulator
  readonly proxy: RunningProxy
  readonly client: HttpClient
}

async function stage(
  { onTestFinished }: TestContext,
  faults: { tokenLife?: number; tokenHang?: boolean },
): Promise<Stage> {
  const simulator = await startSimulator()
  Object.assign(simulator.faults, faults)
  const proxy = await startRunningProxy({
    env: {
      OPUSDNS_API_BASE: simulator.origin,
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
    },
    keep: true,
  })
  const client = httpClient(proxy.origin)
  onTestFinished(async () => {
    client.close()
    await proxy.stop()
    await simulator.close()
  })
  return { simulator, proxy, client }
}

function say(text: string): void {
  process.stdout.write(`  measured: ${text}\n`)
}

describe.concurrent('an outage of the token endpoint', () => {
  test('is not felt while the token lives, then answers 503 in time, and ends within a second', async (context) => {
    const { simulator, proxy, client } = await stage(context, { tokenLife: 6 })
    expect((await client.get(PATH)).status).toBe(200)
    const mintedAt = Date.now()
    simulator.faults.tokenStatus = 503
    const before: Answer[] = []
    const after: Answer[] = []
    let downSince = 0
    // One request every 50 ms for as long as the token lives, and 4 s beyond.
    while (Date.now() - mintedAt < 10_000) {
      const answer = await client.get(PATH)
      if (answer.status !== 200) {
        downSince ||= Date.now() - mintedAt
        after.push(answer)
      } else if (downSince === 0) before.push(answer)
      await sleep(50)
    }
    simulator.faults.tokenStatus = undefined
    const upAgain = Date.now()
    await eventually(async () => (await client.get(PATH)).status === 200, {
      within: 5000,
      every: 10,
    })
    const recovered = Date.now() - upAgain
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
    expect(simulator.count(({ status }) => status === 401)).toBe(0)
    expect(proxy.logLines('ready')).toHaveLength(1)
  })
})

describe.concurrent('a token endpoint that hangs', () => {
  test('lets a request without a token wait 5 s at most, then 503 with Retry-After', async (context) => {
    const { simulator, client } = await stage(context, { tokenHang: true })
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.get(PATH)))
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

describe.concurrent('a token endpoint that takes its time', () => {
  test('holds up no request while the token at hand is good', async (context) => {
    // Due between 7.8 and 8.1 s, never sent after 9 s: time enough for an endpoint that takes 700 ms.
    const { simulator, client } = await stage(context, { tokenLife: 12 })
    expect((await client.get(PATH)).status).toBe(200)
    const startedAt = Date.now()
    simulator.faults.tokenDelay = 700
    await sleep(7300)
    const { samples, counts } = await steadyLoad(client, {
      rate: 100,
      seconds: 2.5,
      ask: () => ({ path: PATH }),
    })
    const mint = simulator.requests.find(
      ({ target, at }) => target === '/v1/auth/token' && at > startedAt,
    )
    const at = mint?.at ?? Number.NaN
    const during = samples.filter((sample) => sample.at >= at && sample.at < at + 700)
    say(
      `refresh that takes 700 ms: ${during.length} requests meanwhile, p50 ` +
        `${percentile(during, 0.5).toFixed(1)} ms, max ${percentile(during, 1).toFixed(1)} ms`,
    )
    expect(counts).toEqual({ 200: 250 })
    expect(during.length).toBeGreaterThan(30)
    expect(percentile(during, 0.8)).toBeLessThan(350)
    expect(simulator.count(({ status }) => status === 401)).toBe(0)
  })
})
