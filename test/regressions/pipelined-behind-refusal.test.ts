// The attack: a request that is refused and closes the connection, and in the same packet another one.
// Node had read it already: it went to the upstream, and its reply to nobody.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { wire } from '../opusdns/wire.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

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

test('what is pipelined behind a refused request never reaches the upstream', async () => {
  const behind =
    'POST /v1/behind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}' +
    'GET /v1/behind HTTP/1.1\r\nHost: localhost\r\n\r\n'
  const { text } = await wire(
    proxy.port,
    `GET /v1/dns HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n${behind}`,
    3_000,
  )
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
  expect((await send(proxy.port, { path: '/v1/next' })).status).toBe(200)
  expect(upstream.requests.map(({ target }) => target)).toEqual(['/v1/next'])
})
