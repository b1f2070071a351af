// The attack: a redirect to the upstream's own host with a tab within the credential. The value was
// searched, then rewritten by a URL parser, which takes tabs out.

import { expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { send, valuesOf } from '../support/wire-client.ts'

test('a redirect is searched for the credential in the form in which it is passed on', async () => {
  const upstream = await rawUpstream()
  const proxy = await localProxy({ base: upstream.origin })
  try {
    const { key } = SEED_KEY
    const location = `${upstream.origin}/v1/x?key=${key.slice(0, 9)}\t${key.slice(9)}`
    upstream.script = ({ socket }) =>
      socket.write(`HTTP/1.1 307 T\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
    const { rawHeaders } = await send(proxy.port)
    expect(valuesOf(rawHeaders, 'location').join('').includes(key)).toBe(false)
  } finally {
    await proxy.stop()
    await upstream.close()
  }
})
