// The attack: dry runs whose answers nobody reads, or reads drop by drop, so that no time limit ends them. Each kept
// one of the four places there are, so that nobody else had a dry run.

import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import { send } from '../support/wire-client.ts'
import type { Reply } from '../support/wire-client.ts'

const ADMIN = 'grants: [admin]'
const BODY = '{"rrsets":[]}'
const PATH = '/v1/dns/example.com/rrsets'

/** A zone with more bytes than the sockets on the way take up. */
function largeZone(records: number): string {
  const rrsets = Array.from({ length: records }, (_, at) => {
    return { name: `host${at}`, type: 'TXT', ttl: 60, records: [{ rdata: 'x'.repeat(8000) }] }
  })
  return plainReply(JSON.stringify({ name: 'example.com.', rrsets }))
}

function dryRun({ port, keys }: Gateway, consumer: string): Promise<Reply> {
  const identity = ['X-Api-Key', keys[consumer] ?? '']
  const headers = [...identity, 'Prefer', 'dry-run', 'Content-Type', 'application/json']
  return send(port, { method: 'PUT', path: PATH, headers, body: BODY })
}

test('dry runs that nobody reads keep no other waiting', async () => {
  const zone = largeZone(1500)
  const upstream = await rawUpstream(({ socket }) => socket.write(zone))
  const proxy = await gateway({
    base: upstream.origin,
    consumers: { a: ADMIN, b: ADMIN, c: ADMIN, reader: ADMIN },
    config: 'limits: { held_size: 256MiB }',
  })
  onTestFinished(async () => {
    await proxy.stop()
    await upstream.close()
  })
  for (const [at, consumer] of ['a', 'a', 'b', 'c'].entries()) {
    const socket = connect(proxy.port, '127.0.0.1').on('error', () => undefined)
    socket.pause()
    onTestFinished(() => void socket.destroy())
    socket.write(
      `PUT ${PATH} HTTP/1.1\r\nHost: localhost\r\nPrefer: dry-run\r\nX-Api-Key: ${proxy.keys[consumer]}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    )
    await eventually(() => upstream.requests.length > at)
  }
  const reply = await dryRun(proxy, 'reader')
  expect(reply.status).toBe(200)
  expect(JSON.parse(reply.text).changes).toHaveLength(1500)
  expect(upstream.requests).toHaveLength(5)
  expect(await proxy.metric('inflight_requests')).toBe(4)
})

test('an answer is held on the account of its consumer for as long as nobody reads it', async () => {
  // Zone and request are small, and the answer is large: each name is written out in full.
  const name = `${'a'.repeat(60)}.`.repeat(3)
  const records = Array.from({ length: 30_000 }, (_, at) => ({ rdata: `${at}` }))
  const rrsets = [{ name: `${name}example.com.`, type: 'TXT', ttl: 60, records }]
  const zone = plainReply(JSON.stringify({ name: 'example.com.', rrsets }))
  const upstream = await rawUpstream(({ socket }) => socket.write(zone))
  const proxy = await gateway({
    base: upstream.origin,
    consumers: { flood: ADMIN },
    config: 'limits: { held_size: 4MiB }',
  })
  const reply = await dryRun(proxy, 'flood')
  await proxy.stop()
  await upstream.close()
  expect([reply.status, JSON.parse(reply.text).code]).toEqual([503, 'overloaded'])
  expect(zone.length).toBeLessThan(1024 * 1024)
})
