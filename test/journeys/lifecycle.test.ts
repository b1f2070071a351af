// Life of the program: how it starts, how it ends, and what a client notices of both (nothing).

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { readyz } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient, type HttpClient } from '../support/http-client.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

function start(config?: string, env: Record<string, string> = {}): Promise<RunningProxy> {
  return startRunningProxy({
    env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key, ...env },
    ...(config === undefined ? {} : { config }),
  })
}

async function ready(proxy: RunningProxy): Promise<void> {
  await eventually(async () => (await readyz(proxy)).code === 200)
}

/** Whether somebody accepts connections there. */
function accepts(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect(Number(port), host, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

describe('the start', () => {
  test('takes well under two seconds, the median of five', async () => {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const proxy = await start()
      times.push(proxy.startedIn)
      await proxy.stop()
    }
    times.sort((a, b) => a - b)
    const shown = times.map((ms) => ms.toFixed(0)).join(', ')
    process.stdout.write(`  measured: start to ready in ms, five times: ${shown}\n`)
    expect(times[2]).toBeLessThan(2000)
  })

  test('needs no upstream: it is up and not ready, and becomes ready by itself', async () => {
    const late = await startSimulator()
    const { port } = late
    await late.close()
    const proxy = await start(undefined, { OPUSDNS_API_BASE: `http://127.0.0.1:${port}` })
    const client = httpClient(proxy.origin)
    const state = await readyz(proxy)
    expect(state).toMatchObject({ code: 503, status: 'not_ready' })
    expect(state.checks['credential']).toMatchObject({ ok: false })
    expect((await fetch(`${proxy.adminOrigin}/livez`)).status).toBe(200)
    expect((await client.get('/v1/dns')).status).toBe(502)
    const back = await startSimulator({ listen: { port } })
    try {
      await eventually(async () => (await readyz(proxy)).code === 200, { within: 8000 })
      expect((await client.get('/v1/dns')).status).toBe(200)
    } finally {
      client.close()
      await back.close()
    }
  })

  test('on a port that is taken ends with exit code 1 and says so', async () => {
    const first = await start()
    const second = start(undefined, { OPUSDNS_PROXY_LISTEN: first.listen[0] ?? '' })
    await expect(second).rejects.toThrow(
      /ended before it was ready: 1[\s\S]*something else listens/,
    )
  })
})

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('ends an idle proxy at once, with exit code 0', async () => {
    const proxy = await start()
    await ready(proxy)
    const sentAt = performance.now()
    proxy.kill(signal)
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - sentAt).toBeLessThan(4000)
    expect(proxy.logLines('stopped')).toHaveLength(1)
    expect(proxy.stderr()).toBe('')
  })
})

describe('the drain', () => {
  test('turns readiness off first, while requests are still served, and says Connection: close', async () => {
    const proxy = await start('shutdown: { delay: 1500ms, deadline: 8s }')
    await ready(proxy)
    const client = httpClient(proxy.origin)
    expect((await client.get('/v1/dns')).headers.connection).toBe('keep-alive')
    proxy.kill('SIGTERM')
    await eventually(async () => (await readyz(proxy)).code === 503, { within: 1000 })
    const { checks } = await readyz(proxy)
    expect(checks['serving']).toMatchObject({
      ok: false,
      detail: expect.stringContaining('shutting'),
    })
    expect((await fetch(`${proxy.adminOrigin}/livez`)).status).toBe(200)
    const late = await client.get('/v1/dns')
    expect(late.status).toBe(200)
    expect(late.headers.connection).toBe('close')
    expect(await accepts(proxy.listen[0] ?? '')).toBe(true)
    client.close()
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
  })

  test('lets requests in flight finish, and accepts no new connection meanwhile', async () => {
    const proxy = await start()
    await ready(proxy)
    simulator.faults.delay = 2000
    const client = httpClient(proxy.origin)
    const slow = client.get('/v1/dns')
    const upload = client.send({
      path: '/v1/simulator/upload',
      method: 'POST',
      body: 'x'.repeat(9999),
    })
    await eventually(() => simulator.count(({ outcome }) => outcome === 'open') === 2)
    proxy.kill('SIGTERM')
    await eventually(async () => !(await accepts(proxy.listen[0] ?? '')), { within: 1500 })
    const answers = await Promise.all([slow, upload])
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
    client.close()
  })

  test('serves a request that comes on an idle connection right after the signal', async () => {
    const proxy = await start()
    await ready(proxy)
    const client = httpClient(proxy.origin, { connections: 1 })
    expect((await client.get('/v1/dns')).status).toBe(200)
    proxy.kill('SIGTERM')
    await eventually(() => proxy.logLines('draining').length === 1, { every: 5 })
    const late = await client.get('/v1/dns')
    expect(late).toMatchObject({ status: 200, reused: true })
    expect(late.headers.connection).toBe('close')
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
    client.close()
  })

  test('does not wait for idle connections', async () => {
    const proxy = await start()
    await ready(proxy)
    const client = httpClient(proxy.origin)
    await Promise.all(Array.from({ length: 10 }, () => client.get('/v1/dns')))
    const sentAt = performance.now()
    proxy.kill('SIGTERM')
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
    // Far below the deadline of 25 s and the keep-alive of 65 s.
    expect(performance.now() - sentAt).toBeLessThan(5000)
    client.close()
  })

  test('cuts at the deadline what has not ended, visibly, and still ends with 0', async () => {
    const proxy = await start('shutdown: { deadline: 1s }')
    await ready(proxy)
    simulator.faults.hang = true
    const client = httpClient(proxy.origin)
    const hanging = client.get('/v1/dns').catch((error: unknown) => error)
    await eventually(() => simulator.count(({ outcome }) => outcome === 'open') === 1)
    const sentAt = performance.now()
    proxy.kill('SIGTERM')
    expect(await hanging).toBeInstanceOf(Error)
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
    const took = performance.now() - sentAt
    expect(took).toBeGreaterThan(900)
    expect(took).toBeLessThan(5000)
    expect(proxy.logLines('the deadline came before the last request ended')).toHaveLength(1)
    client.close()
  })

  test('ends at once with exit code 1 at a second signal', async () => {
    const proxy = await start()
    await ready(proxy)
    simulator.faults.hang = true
    const client = httpClient(proxy.origin)
    const hanging = client.get('/v1/dns').catch((error: unknown) => error)
    await eventually(() => simulator.count(({ outcome }) => outcome === 'open') === 1)
    proxy.kill('SIGTERM')
    await eventually(() => proxy.logLines('draining').length === 1)
    const sentAt = performance.now()
    proxy.kill('SIGINT')
    expect(await proxy.exited).toEqual({ code: 1, signal: null })
    expect(performance.now() - sentAt).toBeLessThan(2000)
    expect(await hanging).toBeInstanceOf(Error)
    client.close()
  })
})

describe('an error that nobody caught', () => {
  test('is logged without its text, drains, and ends with exit code 70', async () => {
    const proxy = await startRunningProxy({
      env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key },
      files: {
        'crash.mjs': `process.on('SIGUSR2', () => { throw new TypeError('text that may be secret') })`,
      },
      nodeArgs: ['--import', './crash.mjs'],
    })
    await ready(proxy)
    simulator.faults.delay = 500
    const client = httpClient(proxy.origin)
    const inFlight = client.get('/v1/dns')
    await eventually(() => simulator.count(({ outcome }) => outcome === 'open') === 1)
    proxy.kill('SIGUSR2')
    expect((await inFlight).status).toBe(200)
    expect(await proxy.exited).toEqual({ code: 70, signal: null })
    expect(proxy.logLines('uncaught error: draining')).toMatchObject([
      { level: 'fatal', error: 'TypeError' },
    ])
    expect(proxy.stdout() + proxy.stderr()).not.toContain('text that may be secret')
    client.close()
  })
})

interface Instance {
  readonly proxy: RunningProxy
  readonly client: HttpClient
  ready: boolean
}

describe('a rolling restart', () => {
  test('of two instances loses no request of a client that goes to those that are ready', async () => {
    const config = 'shutdown: { delay: 500ms, deadline: 10s }'
    const launch = async (): Promise<Instance> => {
      const proxy = await start(config)
      await ready(proxy)
      return { proxy, client: httpClient(proxy.origin), ready: true }
    }
    simulator.faults.delay = 30
    const pool = [await launch(), await launch()]
    let stop = false
    // What a load balancer does: asks for readiness often, and sends no one where it is off.
    const watch = (async () => {
      while (!stop) {
        await Promise.all(
          pool.map(async (each) => {
            each.ready = await readyz(each.proxy).then(
              ({ code }) => code === 200,
              () => false,
            )
          }),
        )
        await sleep(50)
      }
    })()
    const answers: Promise<number>[] = []
    const load = (async () => {
      for (let at = 0; !stop; at++) {
        const open = pool.filter((each) => each.ready)
        const chosen = open[at % open.length]
        const body = '{"name":"x.example"}'
        const ask =
          at % 4 === 0
            ? { path: '/v1/simulator/upload', method: 'POST', body }
            : { path: '/v1/dns/example.com' }
        answers.push(
          chosen?.client.send(ask).then(
            ({ status }) => status,
            () => 0,
          ) ?? Promise.resolve(-1),
        )
        await sleep(5)
      }
    })()
    for (const at of [0, 1]) {
      await sleep(300)
      const old = pool[at]
      pool.push(await launch())
      old?.proxy.kill('SIGTERM')
      expect(await old?.proxy.exited).toEqual({ code: 0, signal: null })
    }
    await sleep(300)
    stop = true
    await Promise.all([watch, load])
    const statuses = await Promise.all(answers)
    process.stdout.write(`  measured: ${statuses.length} requests over a rolling restart\n`)
    expect(statuses.length).toBeGreaterThan(200)
    expect(statuses.filter((status) => status !== 200)).toEqual([])
    for (const { client } of pool) client.close()
  })
})
