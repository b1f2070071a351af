// The attack: an upstream that answers HEAD with 401, with a reason phrase that Node will not write, or
// with a redirect of two slashes. The first was never answered, the second ended the process, the
// third led a client to another host.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

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

describe('an odd reply', () => {
  test('401 to HEAD reaches the client', async () => {
    upstream.script = ({ socket }) =>
      socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 20\r\n\r\n')
    for (let turn = 0; turn < 3; turn++) {
      const { status } = await send(proxy.port, { method: 'HEAD', path: '/v1/dns' })
      expect(status).toBe(401)
    }
  })

  test.each(['whole', 'in pieces'])('with a reason phrase beyond ASCII passes, %s', async (how) => {
    upstream.script = ({ socket }) => {
      const bytes = Buffer.from(plainReply('{"a":1}', 'HTTP/1.1 200 Vérité ✓'))
      if (how === 'whole') return socket.write(bytes)
      socket.write(bytes.subarray(0, -3))
      return setTimeout(() => socket.write(bytes.subarray(-3)), 50)
    }
    const { status, text } = await send(proxy.port, { path: '/v1/dns' })
    expect({ status, text }).toEqual({ status: 200, text: '{"a":1}' })
  })

  test('that redirects to two slashes on its own host stays on ours', async () => {
    upstream.script = ({ socket }) =>
      socket.write(
        `HTTP/1.1 307 Temporary Redirect\r\nLocation: ${upstream.origin}//evil.example/v1\r\nContent-Length: 0\r\n\r\n`,
      )
    const { rawHeaders } = await send(proxy.port, { path: '/v1/dns' })
    expect(valuesOf(rawHeaders, 'location')).toEqual(['/evil.example/v1'])
  })
})
