// The attack: keep every connection to the upstream busy, and send bodies and leave. What was given up stayed in the client library's queue, body and all, until a connection
// got free, and limits.in_flight did not count it.

import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'

const BODY = 'x'.repeat(60_000)
const ATTACKS = 200

test(
  'requests that were given up in the queue leave no memory behind',
  { timeout: 20_000 },
  async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const upstream = await rawUpstream(() => undefined)
    const proxy = await localProxy({
      base: upstream.origin,
      config: 'upstream: { connections: 1 }',
    })
    const holder = connect(proxy.port, '127.0.0.1')
    holder.write('GET /v1/dns HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await eventually(() => upstream.requests.length === 1)
    collect()
    const before = process.memoryUsage().arrayBuffers

    const sockets = Array.from({ length: ATTACKS }, () => {
      const socket = connect(proxy.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(
        `POST /v1/tags HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
      )
      return socket
    })
    await eventually(async () => (await proxy.metric('inflight_requests')) === ATTACKS + 1)
    await pause(500)
    for (const socket of sockets) socket.resetAndDestroy()
    await eventually(async () => (await proxy.metric('inflight_requests')) === 1)
    await eventually(() => {
      collect()
      return process.memoryUsage().arrayBuffers - before < (ATTACKS * BODY.length) / 4
    })
    expect(upstream.requests).toHaveLength(1)
    holder.destroy()
    await proxy.stop()
    await upstream.close()
  },
)
