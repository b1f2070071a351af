// Pipelined requests went to the upstream all at once, on connections of their own, and overtook each
// other: a DELETE was carried out before the PUT that its client sent first (RFC 9112 section 9.3.2
// allows that for safe methods alone).

import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'

test('a pipelined request waits for the unsafe one before it', async () => {
  const events: string[] = []
  const upstream = await rawUpstream(async ({ method, socket, whole }) => {
    await whole
    events.push(`${method} came`)
    await pause(200)
    events.push(`${method} answered`)
    socket.write(plainReply())
  })
  const proxy = await localProxy({ base: upstream.origin })
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => undefined).resume()
  socket.write(
    'PUT /v1/dns/a.com HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}' +
      'DELETE /v1/dns/a.com HTTP/1.1\r\nHost: localhost\r\n\r\n',
  )
  await eventually(() => events.length === 4)
  expect(events).toEqual(['PUT came', 'PUT answered', 'DELETE came', 'DELETE answered'])
  socket.destroy()
  await proxy.stop()
  await upstream.close()
})
