// The attack: while the token endpoint hangs, begin a large upload and leave. The stream of its body
// had no listener yet for the error, which ended the whole process.

import { connect } from 'node:net'
import { expect, test } from 'vitest'

import { startSimulator } from '../opusdns/simulator.ts'
import { SEED_CLIENT } from '../opusdns/seed.ts'
import { eventually } from '../support/eventually.ts'
import { startRunningProxy } from '../support/running-proxy.ts'

test('an upload that is left while the token is awaited harms nobody', async () => {
  const simulator = await startSimulator()
  simulator.faults.tokenHang = true
  const proxy = await startRunningProxy({
    env: {
      OPUSDNS_CLIENT_ID: SEED_CLIENT.id,
      OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret,
      OPUSDNS_API_BASE: simulator.origin,
    },
  })
  const { hostname, port } = new URL(proxy.origin)
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /v1/tags HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n${'x'.repeat(1000)}`,
  )
  await eventually(async () => {
    const text = await (await fetch(`http://${proxy.admin}/metrics`)).text()
    return text.includes('opusdns_proxy_inflight_requests 1')
  })
  socket.resetAndDestroy()
  await eventually(() => proxy.logLines('request').length === 1)
  const { status } = await fetch(`http://${proxy.admin}/livez`)
  expect(status).toBe(200)
  expect(proxy.logLines('uncaught error: draining')).toEqual([])
  proxy.kill('SIGKILL')
  await proxy.exited
  await simulator.close()
})
