// The attack: an error whose coding decodes to something harmless, with the credential in a part of
// the coded bytes that no decoder puts out: a file name, a skippable frame, bytes behind the end. The
// text was searched, the bytes that were passed on were not.

import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'

const KEY = Buffer.from(SEED_KEY.key)
const NAMED = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3])
const SKIPPED = Buffer.from([0x50, 0x2a, 0x4d, 0x18, KEY.length, 0, 0, 0])

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

test.each([
  ['gzip', 'file name', [NAMED, KEY, Buffer.of(0), gzipSync('{}').subarray(10)]],
  ['deflate', 'bytes behind the end', [deflateSync('{}'), KEY]],
  ['br', 'bytes behind the end', [brotliCompressSync('{}'), KEY]],
  ['zstd', 'skippable frame', [SKIPPED, KEY, zstdCompressSync('{}')]],
  ['zstd', 'bytes behind the end', [zstdCompressSync('{}'), KEY]],
])('%s: the credential does not pass as %s', async (coding, _where, parts) => {
  const body = Buffer.concat(parts)
  upstream.script = ({ socket }) => {
    socket.write(`HTTP/1.1 400 Bad Request\r\nContent-Encoding: ${coding}\r\n`)
    socket.write(`Content-Length: ${body.length}\r\n\r\n`)
    return socket.write(body)
  }
  const reply = await send(proxy.port)
  expect(reply.body.includes(KEY)).toBe(false)
})
