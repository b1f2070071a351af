// The attack: a client knows a path that OpusDNS answers with 401 whatever the key. It asked for it in a
// loop, held readiness at 503, and drove everybody onto the previous key, which was revoked long ago.

import { expect, onTestFinished, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'

test('neither readiness nor the requests of others suffer from it', async () => {
  const simulator = await startSimulator()
  onTestFinished(() => simulator.close())
  simulator.faults.add({ status: 401 }, { path: '/v1/organizations' })
  const proxy = await localProxy({
    base: simulator.origin,
    credential: { OPUSDNS_API_KEY: SEED_KEY.key, REVOKED: 'opk_revoked' },
    config:
      'credential: { api_key: "env:OPUSDNS_API_KEY", previous_api_key: "env:REVOKED" }\nlog: { access: false }',
  })
  onTestFinished(() => proxy.stop())
  const status = async (url: string) => {
    const reply = await fetch(url)
    await reply.arrayBuffer()
    return reply.status
  }
  const ready = () => status(`${proxy.adminOrigin}/readyz`)
  const origin = `http://127.0.0.1:${proxy.port}`
  await eventually(async () => (await ready()) === 200)
  const trials = () =>
    simulator.requests.filter(({ target }) => target.endsWith('/introspect')).length
  const before = trials()
  const seen = { others: new Set<number>(), ready: new Set<number>() }
  // Until two trials have looked into it: five seconds after the one at start, and five more.
  await eventually(
    async () => {
      expect(await status(`${origin}/v1/organizations`)).toBe(401)
      seen.others.add(await status(`${origin}/v1/dns`))
      seen.ready.add(await ready())
      return trials() >= before + 2
    },
    { within: 25_000, every: 20 },
  )
  expect(seen).toEqual({ others: new Set([200]), ready: new Set([200]) })
  expect(await proxy.metric('credential_serving', { secret: 'current' })).toBe(1)
  expect(proxy.lines.filter(({ msg }) => msg === 'the other secret serves from now on')).toEqual([])
}, 30_000)
