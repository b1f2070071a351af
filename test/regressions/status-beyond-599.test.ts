// The attack: an upstream that answers with a status of 600 or above, which means nothing to HTTP (RFC
// 9110 section 15) and which clients treat as they like. It was passed on.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { send, valuesOf } from '../support/wire-client.ts'

let upstream: RawUpstream
let proxy: LocalProxy

beforeAll(async () => {
  upstream = await rawUpstream()
  proxy = await localProxy({ base: upstream.origin })
})
afterAll(async () => {
  await proxy.stop()
  await upstream.close()
})

test.each([600, 999])(
  'a status of %i is answered 502, and the next request works',
  async (code) => {
    const ordinary = upstream.script
    upstream.script = ({ socket }) => socket.write(plainReply('{}', `HTTP/1.1 ${code} X`))
    const refused = await send(proxy.port)
    expect(refused.status).toBe(502)
    expect(valuesOf(refused.rawHeaders, 'proxy-status')).toHaveLength(1)
    upstream.script = ordinary
    expect((await send(proxy.port)).status).toBe(200)
  },
)
