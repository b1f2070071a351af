// The attack: a 103 whose Link has many parameters of the form a=b, and an end that fits nothing. The
// pattern tried each parameter in two ways, so that 24 of them blocked the process for seconds, and
// 40 for hours.

import { expect, test } from 'vitest'

import { localProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

test('a Link of many parameters in a 103 takes no time', async () => {
  const upstream = await rawUpstream()
  const proxy = await localProxy({ base: upstream.origin })
  try {
    const link = `</x>${';a=b'.repeat(24)};"`
    upstream.script = ({ socket }) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\nLink: ${link}\r\n\r\n${plainReply()}`)
    const before = performance.now()
    const { status } = await send(proxy.port)
    expect(status).toBe(200)
    expect(performance.now() - before).toBeLessThan(1500)
  } finally {
    await proxy.stop()
    await upstream.close()
  }
}, 60_000)
