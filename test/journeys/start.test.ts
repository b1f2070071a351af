// The start where the secret comes from: files with well-known names, and sources that hang.

import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { readyz } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { launch } from '../support/program.ts'
import { startRunningProxy } from '../support/running-proxy.ts'
import type { RunningProxy } from '../support/running-proxy.ts'

const OLD = 'opk_old-key'
const NEW = 'opk_new-key'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ apiKeys: [{ key: OLD }, { key: NEW }] })
})
afterAll(() => simulator.close())

const isReady = (proxy: RunningProxy) => eventually(async () => (await readyz(proxy)).code === 200)

async function keyInUse(proxy: RunningProxy): Promise<string | undefined> {
  expect((await fetch(`${proxy.origin}/v1/dns`)).status).toBe(200)
  const last = simulator.requests.findLast(({ target }) => target === '/v1/dns')
  return headerValues(last?.rawHeaders ?? [], 'x-api-key')[0]
}

describe('a key in the directory of systemd, and no configuration', () => {
  test('serves, is followed, and stays through a reload, also through one that loses it', async () => {
    const proxy = await startRunningProxy({
      // The directory is relative only here, where the test does not know its name yet.
      env: { OPUSDNS_API_BASE: simulator.origin, CREDENTIALS_DIRECTORY: 'credentials' },
      files: { 'credentials/opusdns_api_key': `${OLD}\n` },
    })
    const file = join(proxy.cwd, 'credentials/opusdns_api_key')
    await isReady(proxy)
    expect(await keyInUse(proxy)).toBe(OLD)

    proxy.kill('SIGHUP')
    await eventually(() => expect(proxy.logLines('configuration reloaded')).toHaveLength(1))
    expect(await keyInUse(proxy)).toBe(OLD)

    writeFileSync(file, NEW)
    await eventually(async () => (await keyInUse(proxy)) === NEW)

    rmSync(file)
    const reply = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
    expect(reply.status).toBe(422)
    expect(await reply.text()).toContain('is not given')
    expect(await keyInUse(proxy)).toBe(NEW)
  })
})

// At the same time, for the two long ones are nothing but waiting.
describe.concurrent('a source that hangs', () => {
  /** A server that accepts connections, and never says a word. */
  async function silence(finished: (end: () => void) => void) {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    finished(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return { port: (server.address() as AddressInfo).port, connections: () => sockets.size }
  }

  const held = {
    // Hangs while a file is there, as a vault does while it is being restarted.
    files: { held: '', 'key.sh': `while [ -e held ]; do sleep 0.05; done; echo ${OLD}` },
    config: 'credential: { api_key: { exec: [/bin/sh, key.sh], timeout: 1m } }\n',
  }

  test('delays the start by 5 s, then requests get 503 until it answers', async () => {
    const env = { OPUSDNS_API_BASE: simulator.origin }
    const proxy = await startRunningProxy({ ...held, env, keep: true })
    expect(proxy.startedIn).toBeGreaterThan(5000)
    expect(proxy.logLines('secret not read in time; starting without it')).toMatchObject([
      { level: 'warn', reference: expect.stringContaining('exec:/bin/sh') },
    ])
    const state = await readyz(proxy)
    expect(state).toMatchObject({ code: 503, status: 'not_ready' })
    expect(state.checks['secrets']?.detail).toContain('has not been read yet')
    expect((await fetch(`${proxy.adminOrigin}/livez`)).status).toBe(200)
    const reply = await fetch(`${proxy.origin}/v1/dns`)
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await reply.json()).toMatchObject({ code: 'secret_unavailable' })

    rmSync(join(proxy.cwd, 'held'))
    await isReady(proxy)
    expect(await keyInUse(proxy)).toBe(OLD)
  }, 30_000)

  test('that answers within the 5 s costs no request', async ({ onTestFinished }) => {
    const child = launch({ ...held, env: { OPUSDNS_API_BASE: simulator.origin } })
    onTestFinished(async () => void (await child.stop()))
    rmSync(join(child.cwd, 'held'))
    await eventually(() => child.output.stdout.includes('"msg":"ready"'))
    const ready = /"listen":\["([^"]+)"/.exec(child.output.stdout)?.[1]
    expect((await fetch(`http://${ready}/v1/dns`)).status).toBe(200)
    expect(child.output.stdout).not.toContain('not read in time')
  })

  const vault = (port: number) => ({
    OPUSDNS_API_BASE: simulator.origin,
    VAULT_ADDR: `http://127.0.0.1:${port}`,
    VAULT_TOKEN: 't',
  })
  const config = 'credential: { api_key: { from: "vault:secret/data/a#k", timeout: 1m } }\n'

  test('keeps nobody from ending the start', async ({ onTestFinished }) => {
    const { port, connections } = await silence(onTestFinished)
    const child = launch({ env: vault(port), config })
    onTestFinished(async () => void (await child.stop()))
    await eventually(() => connections() > 0)
    const sentAt = performance.now()
    child.process.kill('SIGTERM')
    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - sentAt).toBeLessThan(3000)
    expect(child.output.stderr).toBe('')
  })

  test('keeps no proxy from ending', async ({ onTestFinished }) => {
    const { port } = await silence(onTestFinished)
    const proxy = await startRunningProxy({ env: vault(port), config, keep: true })
    const sentAt = performance.now()
    proxy.kill('SIGTERM')
    expect(await proxy.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - sentAt).toBeLessThan(4000)
    expect(proxy.logLines('stopped')).toHaveLength(1)
  }, 30_000)
})
