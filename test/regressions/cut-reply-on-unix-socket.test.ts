// The attack: cut a reply short while the client is on a unix socket. Such a socket knows no reset, and
// the exception ended the process.

import { connect } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'

test('a cut reply ends the connection on a unix socket before its length is reached', async () => {
  const upstream = await rawUpstream()
  upstream.script = ({ socket }) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
    setTimeout(() => socket.resetAndDestroy(), 50)
  }
  const folder = mkdtempSync(join(tmpdir(), 'unix-'))
  const path = join(folder, 's')
  const proxy = await localProxy({ base: upstream.origin, listen: `unix:${path}` })
  const text = await new Promise<string>((resolve) => {
    let seen = ''
    const client = connect(path)
    client.on('data', (bytes) => (seen += bytes.toString()))
    client.on('error', () => undefined)
    client.on('close', () => resolve(seen))
    client.write('GET /v1/dns HTTP/1.1\r\nHost: localhost\r\n\r\n')
  })
  expect(text).toMatch(/content-length: 100\r\n/i)
  expect(text.endsWith('half')).toBe(true)
  expect((await proxy.accessLine(() => true))['complete']).toBe(false)
  await proxy.stop()
  await upstream.close()
  rmSync(folder, { recursive: true })
})
