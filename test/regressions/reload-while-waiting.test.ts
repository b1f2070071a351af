// The attack: an operator changes `upstream` and reloads while requests wait for their token. The old
// connections were closed under them, and they got 502.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { usage } from '../../src/server/usage.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import { startRunningProxy } from '../support/running-proxy.ts'
import type { RunningProxy } from '../support/running-proxy.ts'

async function reload(proxy: RunningProxy, config: string): Promise<void> {
  writeFileSync(join(proxy.cwd, 'proxy.yaml'), config)
  const reply = await fetch(`${proxy.adminOrigin}/reload`, { method: 'POST' })
  expect(reply.status).toBe(200)
}

test('a request that waits for its token is served after a reload that changes the upstream', async () => {
  const simulator = await startSimulator()
  onTestFinished(() => simulator.close())
  simulator.faults.add({ tokenDelay: 2_000 }, { times: 1 })
  const config = `credential: { client_id: ${SEED_CLIENT.id}, client_secret: "env:SECRET" }\n`
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_BASE: simulator.origin, SECRET: SEED_CLIENT.secret },
    config,
  })
  const waiting = fetch(`${proxy.origin}/v1/dns`)
  await eventually(() => simulator.tokenRequests > 0)
  // The first keeps the connections, so that they are the second one's to close.
  await reload(proxy, `${config}hosts: [other.example]\n`)
  await reload(proxy, `${config}upstream: { connections: 7 }\n`)
  expect((await waiting).status).toBe(200)
}, 20_000)

test('connections that a reload dropped are closed when the last request is over, whoever began it', async () => {
  const upstream = await rawUpstream(() => undefined)
  onTestFinished(() => upstream.close())
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_BASE: upstream.origin, OPUSDNS_API_KEY: 'opk_a-key' },
    config: 'hosts: [one.example]\n',
  })
  const waiting = fetch(`${proxy.origin}/v1/dns`)
  await eventually(() => upstream.requests.length === 1)
  // The first keeps the connections, so that they are the second one's to close.
  await reload(proxy, 'hosts: [other.example]\n')
  const later = fetch(`${proxy.origin}/v1/tlds/`)
  await eventually(() => upstream.requests.length === 2)
  await reload(proxy, 'upstream: { connections: 7 }\n')
  const [first, second] = upstream.requests
  second?.socket.write(plainReply())
  expect((await later).status).toBe(200)
  first?.socket.write(plainReply())
  expect((await waiting).status).toBe(200)
  // Idle ones would stay open longer.
  await eventually(() => first?.closed === true && second?.closed === true, { within: 2000 })
})

test('what nobody uses any more is ended once, by the last user or at once', () => {
  let ended = 0
  const users = usage()
  const first = users.begin()
  first()
  const second = users.begin()
  const third = users.begin()
  users.retire(() => ended++)
  second()
  expect(ended).toBe(0)
  third()
  expect(ended).toBe(1)
  usage().retire(() => ended++)
  expect(ended).toBe(2)
})
