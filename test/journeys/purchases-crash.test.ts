// Purchases of processes that die, and of two that share a ledger: the real program, as children.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from 'vitest'

import { pause, systemClock } from '../../src/base/clock.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { SEED_KEY } from '../opusdns/seed.ts'
import { eventually } from '../support/eventually.ts'
import { httpClient } from '../support/http-client.ts'
import type { Answer, HttpClient } from '../support/http-client.ts'
import { runCommand, startRunningProxy } from '../support/running-proxy.ts'

const env = { OPUSDNS_API_KEY: SEED_KEY.key }
let simulator: Simulator
let folder: string
const clients: HttpClient[] = []
let names = 0

beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())
beforeEach(() => {
  simulator.reset()
  folder = mkdtempSync(join(tmpdir(), 'opusdns-purchases-'))
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  rmSync(folder, { recursive: true })
})

const config = (purchases: number) => `
ledger: file:${folder}/ledger.db
consumers:
  shop:
    anonymous: true
    grants: [{ operation: ['POST /v1/domains'] }]
    budget: { purchases: ${purchases}, per: month }
`

const started = (text: string) =>
  startRunningProxy({ env: { ...env, OPUSDNS_API_BASE: simulator.origin }, config: text })

function clientOf(origin: string): HttpClient {
  const client = httpClient(origin)
  clients.push(client)
  return client
}

function create(client: HttpClient): Promise<Answer> {
  const name = `shop-${(names += 1)}.example`
  const period = { unit: 'y', value: 1 }
  const body = JSON.stringify({ name, renewal_mode: 'expire', contacts: {}, period })
  const headers = { 'Content-Type': 'application/json' }
  return client.send({ method: 'POST', path: '/v1/domains', headers, body })
}
const bought = () => simulator.count(({ method }) => method === 'POST')
const codeOf = ({ body }: Answer) => (JSON.parse(body.toString()) as { code: string }).code

describe('a process that dies', () => {
  test('between sending and answer leaves an unknown outcome, which an operator clears', async () => {
    const text = config(1)
    const first = await started(text)
    simulator.faults.hang = true
    const dies = expect(create(clientOf(first.origin))).rejects.toThrow(/socket hang up|ECONNRESET/)
    await eventually(() => bought() === 1)
    await first.stop()
    await dies
    simulator.faults.clear()

    const second = await started(text)
    expect(second.stderr()).toBe('')
    expect(second.logLines('purchases of unknown outcome; see the command budget')).toHaveLength(1)
    const client = clientOf(second.origin)
    expect(codeOf(await create(client))).toBe('budget_exceeded')
    expect(bought()).toBe(1)

    const budget = (...args: string[]) =>
      runCommand({ env, args: ['budget', ...args], config: text })
    const shown = await budget('--json')
    expect([shown.code, shown.stderr]).toEqual([0, ''])
    const { consumers, unknown } = JSON.parse(shown.stdout) as {
      consumers: unknown[]
      unknown: { id: string; what: string }[]
    }
    expect(consumers).toMatchObject([{ consumer: 'shop', purchases: { spent: 1, unknown: 1 } }])
    expect(unknown).toMatchObject([{ what: expect.stringMatching(/^POST \/v1\/domains shop-/) }])
    const cleared = await budget('clear', unknown[0]?.id ?? '', '--not-spent')
    expect([cleared.code, cleared.stderr]).toEqual([0, ''])
    expect((await create(client)).status).toBe(201)
  })

  test('does not make two on one ledger inexact', async () => {
    const text = config(5)
    const both = await Promise.all([started(text), started(text)])
    const buyers = both.map(({ origin }) => clientOf(origin))
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => create(buyers[at % 2] as HttpClient)),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5)
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(45)
    expect(bought()).toBe(5)
  })

  test('is not what a process does that waits for another one to write', async () => {
    const text = config(1)
    await (await started(text)).stop()
    const other = new DatabaseSync(join(folder, 'ledger.db'))
    onTestFinished(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    const starting = started(text)
    const early = await Promise.race([starting, pause(systemClock, 1500)])
    expect(early).toBeUndefined()
    other.exec('ROLLBACK')
    expect((await create(clientOf((await starting).origin))).status).toBe(201)
  })
})
