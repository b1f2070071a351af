// The attack: a gateway with more than seven credentials. Every request put a listener for each of them on
// its response, so that Node.js warned of a leak, and requests became dearer with every credential.

import { expect, onTestFinished, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import { SEED_KEY } from '../opusdns/seed.ts'
import { startRunningProxy } from '../support/running-proxy.ts'

test('a request costs no more listeners with twenty credentials, and nothing warns of a leak', async () => {
  const simulator = await startSimulator()
  onTestFinished(() => simulator.close())
  const names = Array.from({ length: 20 }, (_, index) => `team-${index}`)
  const lines = names.map((name) => `  ${name}: { credential: { api_key: env:KEY } }\n`)
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY: SEED_KEY.key, KEY: SEED_KEY.key },
    config: `credentials:\n${lines.join('')}`,
  })
  expect((await fetch(`${proxy.origin}/v1/dns`)).status).toBe(200)
  proxy.kill('SIGTERM')
  await proxy.exited
  expect(proxy.stderr()).toBe('')
})
