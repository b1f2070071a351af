// The attack: a request with `Upgrade`, and behind it in the same packet the head of another one, whose
// body comes later. Node's parser drops what is left of the packet; so the body was read as a request.

import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'

import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'

const INNER = 'DELETE /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n'

test.each(['websocket', 'h2c'])(
  'the body of a request behind an `Upgrade: %s` is never taken for a request',
  async (protocol) => {
    const upstream = await rawUpstream()
    const proxy = await localProxy({ base: upstream.origin })
    const socket = connect(proxy.port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(
      `GET /v1/dns HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n` +
        `POST /v1/tags HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${INNER.length}\r\n\r\n`,
    )
    await pause(200)
    socket.write(INNER)
    await pause(300)
    expect(upstream.requests.map(({ method }) => method)).not.toContain('DELETE')
    socket.destroy()
    await proxy.stop()
    await upstream.close()
  },
)
