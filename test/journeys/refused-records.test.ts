// What the records say of requests that were refused before anybody knew who asked: what was tried, and
// with which key; and no secret of theirs.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { newConsumerKey } from '../../src/consumers/consumer-key.ts'
import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'

const folder = mkdtempSync(join(tmpdir(), 'refused-'))
const AUDIT = join(folder, 'audit.jsonl')
const CANARY = 'canary-3f9c'

let upstream: RawUpstream
let proxy: Gateway

beforeAll(async () => {
  upstream = await rawUpstream(({ socket }) => socket.write(plainReply()))
  proxy = await gateway({
    base: upstream.origin,
    consumers: { reader: 'grants: [read]' },
    config: `audit: { to: 'file:${AUDIT}' }`,
  })
})
afterAll(async () => {
  await proxy.stop()
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

let requests = 0

/** Sends the bytes, and reads what the audit file and the log say of the request. */
async function refused(line: string, fields: readonly string[] = [], body = '') {
  requests += 1
  const id = `refused-${requests}`
  const head = [line, 'Host: localhost', `X-Request-Id: ${id}`, 'Connection: close', ...fields]
  const socket = connect(proxy.port, '127.0.0.1')
  socket.on('error', () => undefined).resume()
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1')
  const log = await proxy.accessLine((entry) => entry['id'] === id)
  const audit = await eventually(() => {
    const found = readFileSync(AUDIT, 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>)
      .find((entry) => entry['id'] === id)
    return found ?? false
  })
  socket.destroy()
  return { log, audit: audit as Record<string, unknown> }
}

test.each([
  [`/v1/dns/%2e%2e/users?key=${CANARY}`, '/v1/dns/%2e%2e/users'],
  [`/v1//dns#${CANARY}`, '/v1//dns…'],
  [`/v1/dns;key=${CANARY}`, '/v1/dns…'],
  [`/v1/dns%3Fkey=${CANARY}`, '/v1/dns…'],
  [`/v1/dns%253Fkey=${CANARY}`, '/v1/dns…'],
  [`http://user:${CANARY}@localhost/v1/../dns`, '/v1/../dns'],
  [`ftp://user:${CANARY}@localhost/v1/dns`, ''],
  [`/v1//${'a'.repeat(5000)}`, `/v1//${'a'.repeat(995)}…`],
])(
  'a target that is not canonical is shown without what may be secret: %s',
  async (target, shown) => {
    const { log, audit } = await refused(`GET ${target} HTTP/1.1`)
    expect(audit).toMatchObject({ method: 'GET', path: shown, decision: 'deny' })
    expect(log).toMatchObject({ path: shown })
    expect(readFileSync(AUDIT, 'utf8')).not.toContain(CANARY)
    expect(JSON.stringify(proxy.lines)).not.toContain(CANARY)
  },
)

test('a request of nobody says what it asked for', async () => {
  const { log, audit } = await refused('DELETE /v1/dns/example.com HTTP/1.1', [
    `X-Api-Key: ${CANARY}`,
  ])
  const asked = { operation: '/v1/dns/{zone_name}', path: '/v1/dns/example.com' }
  const expected = { ...asked, method: 'DELETE', consumer: 'none' }
  expect(audit).toMatchObject({ ...expected, by: '', decision: 'deny', reason: 'unidentified' })
  expect(log).toMatchObject(expected)
  expect(upstream.requests).toHaveLength(0)
})

const { id, key } = newConsumerKey()
const form = (secret: string) =>
  `grant_type=client_credentials&client_id=reader&client_secret=${secret}`

test.each([
  ['in X-Api-Key', [`X-Api-Key: ${key.reveal()}`], ''],
  ['as a bearer', [`Authorization: Bearer ${key.reveal()}`], ''],
  ['in both', [`X-Api-Key: ${key.reveal()}`, `Authorization: bearer ${key.reveal()}`], ''],
  ['in a login', ['Content-Type: application/x-www-form-urlencoded'], form(key.reveal())],
])('a key that is not known is named by its id: %s', async (_where, fields, body) => {
  const line = body === '' ? 'GET /v1/dns HTTP/1.1' : 'POST /v1/auth/token HTTP/1.1'
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  const { audit } = await refused(line, [...fields, ...length], body)
  expect(audit).toMatchObject({ consumer: 'none', by: `key:${id}`, status: 401 })
  expect(readFileSync(AUDIT, 'utf8')).not.toContain(key.reveal().slice(-49))
})

test('what only begins like a key is not named', async () => {
  const { audit } = await refused('GET /v1/dns HTTP/1.1', [`X-Api-Key: opxk_${CANARY}_abcdefgh`])
  expect(audit).toMatchObject({ by: '', reason: 'invalid_consumer_key' })
})
