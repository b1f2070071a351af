// The fault: white space behind a field value, which HTTP allows, made `gzip ` an unknown coding, and
// the API's own error a 502; for a purchase that was plainly refused, a 409 that nobody knows.

import { gzipSync } from 'node:zlib'

import { expect, test } from 'vitest'

import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

test.each(['gzip ', 'identity ', ''])('an error with the coding "%s" passes', async (coding) => {
  const upstream = await rawUpstream()
  const proxy = await localProxy({ base: upstream.origin })
  try {
    const body = coding === 'gzip ' ? gzipSync('{"detail":"no"}') : Buffer.from('{"detail":"no"}')
    upstream.script = ({ socket }) => {
      socket.write(`HTTP/1.1 422 No\r\nContent-Encoding: ${coding}\r\n`)
      socket.write(`Content-Length: ${body.length}\r\n\r\n`)
      return socket.write(body)
    }
    expect((await send(proxy.port)).status).toBe(422)
  } finally {
    await proxy.stop()
    await upstream.close()
  }
})
