// The attack: `Expect: 100-continue` on a request that has no body, and others pipelined behind it. No
// 100 was sent, so Node closed the connection after the reply; the others had gone to the upstream by
// then, and their replies to nobody.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { wire } from '../opusdns/wire.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'

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

test.each(['GET', 'POST'])('as many replies come as requests went out: %s', async (method) => {
  const before = upstream.requests.length
  const { text } = await wire(
    proxy.port,
    `${method} /v1/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n` +
      'POST /v1/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n' +
      'GET /v1/c HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    3_000,
  )
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(upstream.requests.length - before)
})
