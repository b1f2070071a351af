// The attack: someone on the network ends a TLS connection by a FIN without close_notify, in the middle
// of a reply whose end is the end of the connection. It looked whole (RFC 9112 section 9.8).

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { authority } from '../support/certificates.ts'
import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

test('a TLS reply that ends with its connection, but without close_notify, is a broken one', async () => {
  const ca = authority('truncation')
  const folder = mkdtempSync(join(tmpdir(), 'tls-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, ca.cert)
  const upstream = await rawUpstream(undefined, { tls: ca.issue() })
  // Stands between both, and can cut the TCP connection without a word of TLS.
  const middle: Socket[] = []
  const between = createServer((near) => {
    const far = connect(upstream.port, '127.0.0.1')
    near.on('error', () => undefined).pipe(far.on('error', () => undefined))
    far.on('data', (bytes) => near.write(bytes))
    middle.push(near)
  })
  await new Promise<void>((resolve) => void between.listen(0, '127.0.0.1', resolve))
  const proxy = await localProxy({
    base: `https://localhost:${(between.address() as AddressInfo).port}`,
    config: `upstream: { ca_file: '${caFile}' }`,
  })
  try {
    upstream.script = ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n{"half":')
      setTimeout(() => middle.forEach((it) => it.end()), 100)
    }
    const reply = await send(proxy.port).catch(() => ({ complete: false }))
    expect(reply.complete).toBe(false)
  } finally {
    await proxy.stop()
    await upstream.close()
    middle.forEach((it) => it.destroy())
    between.close()
    rmSync(folder, { recursive: true })
  }
})
