// The attack: as many event streams as there are connections to OpusDNS. They never end, so that every
// other request waited in vain.

import { connect } from 'node:net'
import { expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

test('event streams take no connection from other requests', async () => {
  const upstream = await rawUpstream(({ socket, target }) => {
    if (target === '/v1/dns') return socket.write(plainReply())
    return socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n')
  })
  const proxy = await localProxy({ base: upstream.origin, config: 'upstream: { connections: 2 }' })
  const streams = [1, 2, 3].map(() => {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write('GET /v1/availability/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return socket
  })
  await eventually(async () => (await proxy.metric('inflight_requests')) === 3)
  expect((await send(proxy.port)).status).toBe(200)
  // Half as many as the others.
  expect(upstream.requests.filter(({ target }) => target !== '/v1/dns')).toHaveLength(1)
  for (const socket of streams) socket.destroy()
  await proxy.stop()
  await upstream.close()
})
