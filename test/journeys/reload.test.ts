// A new configuration while the program runs, by signal and by POST /reload: taken whole or not at all,
// and no request in flight notices (rotation-under-load.test.ts has it under load).

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { metricsText, sumOf } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { startRunningProxy } from '../support/running-proxy.ts'
import type { RunningProxy } from '../support/running-proxy.ts'

const OLD = 'opk_old-key'
const NEW = 'opk_new-key'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ apiKeys: [{ key: OLD }, { key: NEW }] })
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

/** A folder with two keys and a configuration, and what may be done to it. */
function place() {
  const cwd = mkdtempSync(join(tmpdir(), 'opusdns-reload-'))
  onTestFinished(() => rmSync(cwd, { recursive: true }))
  const put = (name: string, text: string) => writeFileSync(join(cwd, name), text, { mode: 0o600 })
  put('old', OLD)
  put('new', NEW)
  put('client', SEED_CLIENT.secret)
  return {
    cwd,
    put,
    key: (name: string, more = '') => `credential: { api_key: 'file:${cwd}/${name}' }\n${more}`,
    client: `credential: { client_id: ${SEED_CLIENT.id}, client_secret: 'file:${cwd}/client' }\n`,
    start: (config: string, env: Record<string, string> = {}) =>
      startRunningProxy({ env: { OPUSDNS_API_BASE: simulator.origin, ...env }, cwd, config }),
  }
}

async function reload(proxy: RunningProxy) {
  const reply = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
  return { status: reply.status, text: await reply.text() }
}

async function keyInUse(proxy: RunningProxy): Promise<string | undefined> {
  expect((await fetch(`${proxy.origin}/v1/dns`)).status).toBe(200)
  const last = simulator.requests.findLast(({ target }) => target === '/v1/dns')
  return headerValues(last?.rawHeaders ?? [], 'x-api-key')[0]
}

describe('a reload', () => {
  test('by SIGHUP takes another key', async () => {
    const { key, put, start } = place()
    const proxy = await start(key('old'))
    put('proxy.yaml', key('new'))
    proxy.kill('SIGHUP')
    await eventually(async () => (await keyInUse(proxy)) === NEW)
    await eventually(() => expect(proxy.logLines('configuration reloaded')).toHaveLength(1))
  })

  test('of a bad file says all that is wrong with it, and the old one stays', async () => {
    const { key, put, start } = place()
    const proxy = await start(key('old'))
    put(
      'proxy.yaml',
      key('new', 'limits: { in_flight: 0, body_size: { read: CANARY } }\nnonsense: 1\n'),
    )
    const { status, text } = await reload(proxy)
    expect(status).toBe(422)
    const { problems } = JSON.parse(text) as { problems: { place: string }[] }
    const places = problems.map(({ place: where }) => where.split(' ')[0])
    expect(new Set(places)).toEqual(
      new Set(['limits.body_size.read', 'limits.in_flight', 'nonsense']),
    )
    expect(await keyInUse(proxy)).toBe(OLD)
    expect(sumOf(await metricsText(proxy), 'config_reloads_total', { result: 'refused' })).toBe(1)
    const refused = () => proxy.logLines('reload refused; the old configuration stays')
    await eventually(() => expect(refused()).toHaveLength(3))
  })

  test('with a secret that cannot be read is refused, and the old one serves', async () => {
    const { key, put, start } = place()
    const proxy = await start(key('old'))
    put('empty', '')
    put('proxy.yaml', key('empty'))
    const { status, text } = await reload(proxy)
    expect(status).toBe(422)
    expect(text).toContain('is empty')
    expect(await keyInUse(proxy)).toBe(OLD)
  }, 30_000)

  test('whose second key is new and cannot be read is refused, without a false alarm', async () => {
    const { cwd, key, put, start } = place()
    const proxy = await start(key('old'))
    await eventually(() => expect(proxy.logLines('credential tried')).toHaveLength(1))
    const both = `credential: { api_key: 'file:${cwd}/old', previous_api_key: 'file:${cwd}/no' }\n`
    put('proxy.yaml', both)
    const { status, text } = await reload(proxy)
    expect(status).toBe(422)
    const { problems } = JSON.parse(text) as { problems: unknown[] }
    expect(problems).toEqual([
      {
        place: 'credential.previous_api_key',
        fault: `cannot be used: file:${cwd}/no cannot be read (ENOENT)`,
        remedy: expect.stringContaining('check the path'),
      },
    ])
    expect(await keyInUse(proxy)).toBe(OLD)
    const numbers = await metricsText(proxy)
    expect(sumOf(numbers, 'secret_reloads_total', { result: 'failed' })).toBe(0)
    expect(proxy.logLines('credential tried')).toHaveLength(1)
  })

  test('names a bad CA file and every secret that cannot be read, all at once', async () => {
    const { cwd, key, put, start } = place()
    const proxy = await start(key('old'))
    put('ca.pem', 'nonsense')
    put(
      'proxy.yaml',
      `credential: { api_key: 'file:${cwd}/no', previous_api_key: 'file:${cwd}/nor' }\n` +
        `upstream: { ca_file: '${cwd}/ca.pem' }\n`,
    )
    const { status, text } = await reload(proxy)
    expect(status).toBe(422)
    const { problems } = JSON.parse(text) as { problems: { place: string }[] }
    const places = problems
      .map(({ place: where }) => where.split(' ')[0])
      .toSorted((a, b) => (a ?? '').localeCompare(b ?? ''))
    expect(places).toEqual([
      'credential.api_key',
      'credential.previous_api_key',
      'upstream.ca_file',
    ])
    expect(await keyInUse(proxy)).toBe(OLD)
  })

  test('keeps the last good value of a known place that fails, also beside a new one, and says so', async () => {
    const { cwd, key, put, start } = place()
    const proxy = await start(key('old'))
    renameSync(join(cwd, 'old'), join(cwd, 'moved'))
    const warned = {
      status: 'reloaded',
      warnings: [expect.stringContaining('The last good value')],
    }
    const same = await reload(proxy)
    expect(same.status).toBe(200)
    expect(JSON.parse(same.text)).toEqual(warned)
    const failing = async () => sumOf(await metricsText(proxy), 'secret_failing')
    expect(await failing()).toBe(1)
    put(
      'proxy.yaml',
      `credential: { api_key: 'file:${cwd}/old', previous_api_key: 'file:${cwd}/new' }\n`,
    )
    const beside = await reload(proxy)
    expect(beside.status).toBe(200)
    expect(JSON.parse(beside.text)).toEqual(warned)
    expect(await keyInUse(proxy)).toBe(OLD)
    renameSync(join(cwd, 'moved'), join(cwd, 'old'))
    expect(JSON.parse((await reload(proxy)).text)).toEqual({ status: 'reloaded', warnings: [] })
    expect(await failing()).toBe(0)
  })

  test('of what is fixed at start is refused with the remedy', async () => {
    const { key, put, start } = place()
    const proxy = await start(key('old', 'log: { level: info }\n'))
    put('proxy.yaml', key('new', 'log: { level: debug }\n'))
    const { status, text } = await reload(proxy)
    expect(status).toBe(422)
    expect(text).toContain('restart the proxy')
    expect(await keyInUse(proxy)).toBe(OLD)
  })

  test('that changes another part keeps the token that is in use', async () => {
    const { client, put, start } = place()
    const proxy = await start(client)
    await keyInUse(proxy)
    const before = simulator.tokenRequests
    put('proxy.yaml', `${client}policy: { allow: [auth] }\n`)
    expect((await reload(proxy)).status).toBe(200)
    const path = '/v1/auth/client_credentials'
    expect((await fetch(`${proxy.origin}${path}`)).headers.get('proxy-status')).toBeNull()
    expect(simulator.tokenRequests).toBe(before)
  })

  test('remembers a key that came by the environment', async () => {
    const { put, start } = place()
    const proxy = await start('log: { access: true }\n', { OPUSDNS_API_KEY: OLD })
    put('proxy.yaml', 'log: { access: false }\n')
    expect((await reload(proxy)).status).toBe(200)
    expect(await keyInUse(proxy)).toBe(OLD)
    expect(proxy.logLines('request')).toEqual([])
  })

  test('lets a request that has begun end on what it began with', async () => {
    const { key, put, start } = place()
    const proxy = await start(key('old'))
    simulator.faults.add({ delay: 1500 }, { times: 1, path: '/v1/dns' })
    const slow = fetch(`${proxy.origin}/v1/dns`)
    await eventually(() => simulator.requests.some(({ target }) => target === '/v1/dns'))
    put('proxy.yaml', key('new', 'upstream: { connections: 7 }\n'))
    expect((await reload(proxy)).status).toBe(200)
    expect(await keyInUse(proxy)).toBe(NEW)
    expect((await slow).status).toBe(200)
  })
})

test('a page of another site cannot cause one', async () => {
  const { key, put, start } = place()
  const proxy = await start(key('old'))
  put('proxy.yaml', key('new'))
  const headers = { Origin: 'https://evil.example' }
  const reply = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST', headers })
  expect(reply.status).toBe(403)
  expect((await fetch(`${proxy.adminOrigin}/reload`)).status).toBe(404)
  expect(await keyInUse(proxy)).toBe(OLD)
})
