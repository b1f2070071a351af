// A gateway off loopback had to be told every name that it is called by, or answered 421, though a page that
// rebinds its name to it has no key to show. Where a place alone makes somebody a consumer (a network,
// being on this machine), such a page would act as that consumer: there names are asked for, as ever.

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { testKey } from '../consumers/support.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { localProxy } from '../support/local-proxy.ts'
import { ask } from '../demo/client.ts'

const { entry, text } = testKey()
const KEYED = `a: { keys: [{ id: ${entry.id}, sha256: ${entry.sha256} }], grants: [read] }`

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

/** The status of a request for `host`, with the key of `a` unless told otherwise. */
async function statusOf(
  config: string,
  host: string,
  headers: Record<string, string> = { 'X-Api-Key': text },
) {
  const proxy = await localProxy({ base: simulator.origin, config })
  onTestFinished(() => proxy.stop())
  const origin = `http://127.0.0.1:${proxy.port}`
  return (await ask(origin, 'GET', '/v1/dns', { Host: host, ...headers })).status
}

test('any valid name reaches a gateway whose consumers all show something', async () => {
  expect(await statusOf(`consumers: { ${KEYED} }`, 'gateway.corp:8080')).toBe(200)
  expect(await statusOf(`consumers: { ${KEYED} }`, 'gateway.corp', {})).toBe(401)
})

test('a page that rebound its name gets nothing from it', async () => {
  const page = { Origin: 'http://evil.example', 'Sec-Fetch-Site': 'same-origin' }
  expect(await statusOf(`consumers: { ${KEYED} }`, 'evil.example', page)).toBe(401)
})

test.each([
  ['names are configured', `hosts: [gateway.corp]\nconsumers: { ${KEYED} }`],
  [
    'a network is a consumer',
    `consumers: { ${KEYED}, b: { networks: [10.0.0.0/8], grants: [read] } }`,
  ],
  ['this machine is one', `consumers: { ${KEYED}, b: { anonymous: true, grants: [read] } }`],
  ['there are no consumers', ''],
])('other names are refused where %s', async (_what, config) => {
  expect(await statusOf(config, 'evil.example')).toBe(421)
})
