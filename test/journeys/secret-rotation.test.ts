// Secrets that change while the program runs: replaced, swapped as Kubernetes does it, emptied,
// printed by a command, or two at a time. No restart, and never a request without a credential.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { metricsText, readyz, sumOf } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { startRunningProxy, type RunningProxy } from '../support/running-proxy.ts'

const OLD = 'opk_old-key'
const NEW = 'opk_new-key'
// Two looks of 250 ms are needed; the rest is for a busy machine.
const SOON = { within: 4000, every: 50 }

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ apiKeys: [{ key: OLD }, { key: NEW }] })
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'opusdns-secrets-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

function start(env: Record<string, string>, config?: string): Promise<RunningProxy> {
  return startRunningProxy({
    env: { OPUSDNS_API_BASE: simulator.origin, ...env },
    ...(config === undefined ? {} : { config }),
  })
}

/** Status of one request, and the credential that arrived with it last. */
async function ask(proxy: RunningProxy): Promise<{ status: number; key: string | undefined }> {
  const { status } = await fetch(`${proxy.origin}/v1/dns`)
  const last = simulator.requests.findLast(({ target }) => target === '/v1/dns')
  return { status, key: headerValues(last?.rawHeaders ?? [], 'x-api-key')[0] }
}

function uses(proxy: RunningProxy, key: string): Promise<unknown> {
  return eventually(async () => {
    expect(await ask(proxy)).toEqual({ status: 200, key })
  }, SOON)
}

function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

describe('a key in a file', () => {
  test.each([
    ['replaced', put],
    ['written over', (path: string, text: string) => writeFileSync(path, text)],
  ])('that is %s is used from the next moment on', async (_, change) => {
    const path = join(folder(), 'key')
    put(path, `${OLD}\n`)
    const proxy = await start({ OPUSDNS_API_KEY_FILE: path })
    expect(await ask(proxy)).toEqual({ status: 200, key: OLD })
    const changedAt = performance.now()
    change(path, NEW)
    await uses(proxy, NEW)
    process.stdout.write(
      `  measured: a changed file was in use after ${(performance.now() - changedAt).toFixed(0)} ms\n`,
    )
    await eventually(() => proxy.logLines('secret changed').length === 1)
    expect(
      sumOf(await metricsText(proxy), 'secret_reloads_total', {
        source: 'file',
        result: 'changed',
      }),
    ).toBe(1)
  })

  test('that is swapped through the symbolic link ..data, as Kubernetes does, is noticed', async () => {
    const volume = folder()
    const generation = (name: string, key: string) => {
      mkdirSync(join(volume, name))
      writeFileSync(join(volume, name, 'key'), key, { mode: 0o600 })
      symlinkSync(name, join(volume, '..data_tmp'))
      renameSync(join(volume, '..data_tmp'), join(volume, '..data'))
    }
    generation('..2026_11_23_1', OLD)
    symlinkSync('..data/key', join(volume, 'key'))
    const proxy = await start({ OPUSDNS_API_KEY_FILE: join(volume, 'key') })
    expect(await ask(proxy)).toEqual({ status: 200, key: OLD })
    generation('..2026_11_23_2', NEW)
    rmSync(join(volume, '..2026_11_23_1'), { recursive: true })
    await uses(proxy, NEW)
  })

  test.each([
    ['emptied', (path: string) => put(path, '')],
    ['removed', (path: string) => unlinkSync(path)],
  ])('that is %s leaves the last good one in use, says so, and recovers', async (_, spoil) => {
    const path = join(folder(), 'key')
    put(path, OLD)
    const proxy = await start({ OPUSDNS_API_KEY_FILE: path })
    await eventually(async () => (await readyz(proxy)).code === 200)
    spoil(path)
    await eventually(async () => {
      const { code, checks } = await readyz(proxy)
      expect(code).toBe(200)
      expect(checks['secrets']?.warnings).toEqual([
        expect.stringMatching(/key.*The last good value stays in use/),
      ])
    }, SOON)
    expect(await ask(proxy)).toEqual({ status: 200, key: OLD })
    await eventually(() => {
      const [line] = proxy.logLines('secret cannot be read')
      expect(line).toMatchObject({ kept_last_good: true })
    })
    const failed = { source: 'file', result: 'failed' }
    expect(sumOf(await metricsText(proxy), 'secret_reloads_total', failed)).toBeGreaterThan(0)
    put(path, NEW)
    await uses(proxy, NEW)
    expect((await readyz(proxy)).checks['secrets']?.warnings).toEqual([])
  })

  test('that is not there at the start makes requests fail with 503 until it comes', async () => {
    const path = join(folder(), 'key')
    const proxy = await start({ OPUSDNS_API_KEY_FILE: path })
    const reply = await fetch(`${proxy.origin}/v1/dns`)
    expect(reply.status).toBe(503)
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await reply.json()).toMatchObject({ code: 'secret_unavailable' })
    expect((await readyz(proxy)).code).toBe(503)
    // Never forwarded bare.
    expect(simulator.requests).toHaveLength(0)
    put(path, OLD)
    await uses(proxy, OLD)
    await eventually(async () => (await readyz(proxy)).code === 200)
  })
})

describe('an OAuth secret in a file', () => {
  test('that changes yields a token of the new secret', async () => {
    const path = join(folder(), 'secret')
    put(path, SEED_CLIENT.secret)
    simulator.clients.push({ id: SEED_CLIENT.id, secret: 'the-next-secret' })
    const proxy = await start({
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET_FILE: path,
    })
    expect((await ask(proxy)).status).toBe(200)
    put(path, 'the-next-secret')
    await eventually(() => {
      const sent = simulator.requests.filter(({ target }) => target === '/v1/auth/token')
      expect(sent.at(-1)?.body.toString()).toContain('the-next-secret')
      expect(proxy.logLines('token minted').at(-1)).toMatchObject({ cause: 'secret_changed' })
    }, SOON)
    simulator.clients.shift()
    expect((await ask(proxy)).status).toBe(200)
  })
})

describe('a key from a command', () => {
  test('is used, and asked for again when its lifetime is over', async () => {
    const here = folder()
    const script = join(here, 'print-key')
    put(join(here, 'key'), OLD)
    writeFileSync(script, `#!/bin/sh\ncat "$1"\n`)
    chmodSync(script, 0o755)
    const command = JSON.stringify([script, join(here, 'key')])
    const proxy = await start({}, `credential: { api_key: { exec: ${command}, lifetime: 1s } }`)
    expect(await ask(proxy)).toEqual({ status: 200, key: OLD })
    put(join(here, 'key'), NEW)
    await uses(proxy, NEW)
    put(join(here, 'key'), '')
    await eventually(async () => {
      expect((await readyz(proxy)).checks['secrets']?.warnings).toHaveLength(1)
    }, SOON)
    expect(await ask(proxy)).toEqual({ status: 200, key: NEW })
  })
})

describe('two live secrets', () => {
  test('of which OpusDNS revokes the current key: the previous one serves, and is named', async () => {
    const proxy = await start(
      { A: OLD, B: NEW },
      'credential: { api_key: "env:A", previous_api_key: "env:B" }',
    )
    expect(await ask(proxy)).toEqual({ status: 200, key: OLD })
    expect(sumOf(await metricsText(proxy), 'credential_serving', { secret: 'current' })).toBe(1)
    simulator.apiKeys.splice(0, 1)
    // The very request that meets the refusal is saved.
    expect(await ask(proxy)).toEqual({ status: 200, key: NEW })
    // A trial bears it out, at most one in five seconds.
    await eventually(
      async () => {
        const text = await metricsText(proxy)
        expect(sumOf(text, 'credential_serving', { secret: 'previous' })).toBe(1)
        expect(sumOf(text, 'credential_serving', { secret: 'current' })).toBe(0)
      },
      { within: 10_000, every: 50 },
    )
    await eventually(() => {
      expect(proxy.logLines('the other secret serves from now on')).toMatchObject([
        { serving: 'previous' },
      ])
    })
    await eventually(async () => {
      expect((await readyz(proxy)).checks['credential']?.facts).toMatchObject({
        serving: 'previous',
      })
    })
  })

  test('of which the token endpoint refuses the current: the other one mints, and is named', async () => {
    simulator.clients.splice(0, 1, { id: SEED_CLIENT.id, secret: 'second' })
    const proxy = await start(
      { A: 'first', B: 'second' },
      `credential: { client_id: ${SEED_CLIENT.id}, client_secret: "env:A", previous_client_secret: "env:B" }`,
    )
    expect((await ask(proxy)).status).toBe(200)
    expect(simulator.tokenRequests).toBe(2)
    expect(sumOf(await metricsText(proxy), 'credential_serving', { secret: 'previous' })).toBe(1)
    await eventually(async () => {
      const { code, checks } = await readyz(proxy)
      expect(code).toBe(200)
      expect(checks['credential']?.facts).toMatchObject({ serving: 'previous' })
    })
    await eventually(() => {
      expect(proxy.logLines('token minted')).toMatchObject([{ serving: 'previous' }])
    })
  })
})
