// The attack: CONNECT, and a reset. Node takes its own listeners off a connection that asks for a
// tunnel; the error of the reset had none left and ended the process, and requests before the CONNECT
// never heard that their client was gone: each kept its place among limits.in_flight for ever.

import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { startRunningProxy } from '../support/running-proxy.ts'

const CONNECT = 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'
const GET = 'GET /v1/dns HTTP/1.1\r\nHost: localhost\r\n\r\n'

test.each([
  ['alone', CONNECT],
  ['behind a request', `${GET}${CONNECT}`],
  ['behind two requests', `${GET}${GET}${CONNECT}`],
])('a reset after CONNECT (%s) harms nobody', async (_name, bytes) => {
  const upstream = await rawUpstream(() => undefined)
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_KEY: `opk_${'x'.repeat(40)}`, OPUSDNS_API_BASE: upstream.origin },
  })
  const { hostname, port } = new URL(proxy.origin)
  for (const wait of [1, 20, 100]) {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    socket.write(bytes)
    await pause(wait)
    socket.resetAndDestroy()
  }
  await pause(300)
  expect(proxy.logLines('uncaught error: draining')).toEqual([])
  await upstream.close()
})

test('requests in front of a CONNECT give their places back when the client leaves', async () => {
  const upstream = await rawUpstream(() => undefined)
  const proxy = await localProxy({ base: upstream.origin })
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(GET.repeat(5) + CONNECT)
  // One at a time; the others wait.
  await eventually(async () => (await proxy.metric('inflight_requests')) === 1)
  // A close, not a reset, which ends the process as long as the test above fails.
  socket.end()
  await eventually(async () => (await proxy.metric('inflight_requests')) === 0)
  expect(await proxy.metric('inflight_requests')).toBe(0)
  await proxy.stop()
  await upstream.close()
})
