// The fault: the credential was attached before the request waited for a connection, so a token that
// expired meanwhile was sent.

import { afterEach, expect, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { send, valuesOf } from '../support/wire-client.ts'

let simulator: Simulator
let proxy: LocalProxy

afterEach(async () => {
  await proxy.stop()
  await simulator.close()
})

test('a request that waited for a connection carries the token of the moment', async () => {
  simulator = await startSimulator({ tokenLife: 4 })
  const config = 'upstream: { connections: 1 }'
  proxy = await localProxy({ base: simulator.origin, credential: 'oauth', config })
  await send(proxy.port, { path: '/v1/dns' })
  simulator.faults.add({ delay: 4500 }, { times: 1, path: '/v1/domains' })
  const slow = send(proxy.port, { path: '/v1/domains' })
  await eventually(() => simulator.count(({ target }) => target === '/v1/domains') === 1)
  const waiting = send(proxy.port, { method: 'POST', path: '/v1/dns/example.com/dnssec/enable' })
  await slow
  expect((await waiting).status).toBeLessThan(300)
  const tokenOf = (path: string) =>
    simulator.requests
      .filter(({ target }) => target === path)
      .flatMap(({ rawHeaders }) => valuesOf(rawHeaders, 'authorization'))
  const [late] = tokenOf('/v1/dns/example.com/dnssec/enable')
  const [early] = tokenOf('/v1/domains')
  expect(late).toBeDefined()
  expect(late).not.toBe(early)
})
