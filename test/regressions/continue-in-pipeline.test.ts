// The attack: `Expect: 100-continue` (or a 103 of the upstream) for a request that is pipelined behind
// one not yet answered. Node put the informational reply between the head and the body of the final
// one, so that the client's reading of everything behind it was shifted by as many bytes.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { readReply } from '../fuzz/strict-http.ts'
import { wire } from '../opusdns/wire.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
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

/** Status lines of the replies in `text`, the whole of which must be replies. */
function statusLines(text: string): string[] {
  const lines: string[] = []
  for (let at = 0; at < text.length;) {
    const read = readReply(text, at, 'GET', true)
    if (read.kind !== 'message') throw new Error(`no whole replies: ${text}`)
    lines.push(read.message.line)
    at = read.message.end
  }
  return lines
}

const FIRST = 'GET /v1/first HTTP/1.1\r\nHost: localhost\r\n\r\n'
const END = 'Host: localhost\r\nConnection: close\r\n'

/** The second reply is there first, in a piece too large to be joined to its head. */
function slowFirst(hints: string): void {
  upstream.script = async ({ socket, target, whole }) => {
    await whole
    if (target === '/v1/second') socket.write(hints + plainReply('x'.repeat(20_000)))
    else setTimeout(() => socket.write(plainReply()), 300)
  }
}

test('a 100 stands before the reply that it belongs to, or nowhere', async () => {
  slowFirst('')
  const second = `POST /v1/second HTTP/1.1\r\n${END}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}`
  const { text } = await wire(proxy.port, FIRST + second, 3_000)
  const final = statusLines(text).filter((line) => !line.includes(' 100 '))
  expect(final).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK'])
})

test('so does a 103', async () => {
  slowFirst('HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n')
  const { text } = await wire(proxy.port, `${FIRST}GET /v1/second HTTP/1.1\r\n${END}\r\n`, 3_000)
  const final = statusLines(text).filter((line) => !line.includes(' 103 '))
  expect(final).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK'])
})
