// Transfer codes and other secrets in the replies of OpusDNS: masked for whoever was not granted them,
// whatever way the reply comes.

import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { send, valuesOf } from '../support/wire-client.ts'

const CODE = 'Xy-17-pq'
const DOMAIN = `{"name":"example.com","auth_code":"${CODE}","expires_on":"2027"}`
const MASKED = DOMAIN.replace(CODE, '********')
const REQUEST_CODE = '/v1/domains/tld-specific/eu/example.com/auth_code/request'

let upstream: RawUpstream
let open: LocalProxy
let revealing: LocalProxy
let consumers: Gateway

beforeAll(async () => {
  upstream = await rawUpstream()
  const base = upstream.origin
  open = await localProxy({ base })
  revealing = await localProxy({ base, config: 'policy: { allow: [transfer_codes] }' })
  consumers = await gateway({
    base,
    consumers: {
      reader: 'grants: [read]',
      admin: 'grants: [admin]',
      trusted: 'grants: [class: [read, write, credential]]',
      one: `grants: [operation: ['POST /v1/domains/tld-specific/eu/{domain_reference}/auth_code/request']]`,
      trial: 'mode: report, grants: []',
    },
  })
})
afterAll(async () => {
  await Promise.all([open.stop(), revealing.stop(), consumers.stop()])
  await upstream.close()
})

/** Answers every request with the pieces, each in a write of its own. */
function answering(head: string, ...pieces: readonly (string | Buffer)[]): void {
  upstream.script = async ({ socket, whole }) => {
    await whole
    const length = pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0)
    socket.write(`HTTP/1.1 ${head}\r\nContent-Length: ${length}\r\n\r\n`)
    for (const piece of pieces) {
      socket.write(piece)
      await new Promise((resolve) => void setImmediate(resolve))
    }
  }
}

const JSON_HEAD = '200 OK\r\nContent-Type: application/json'
const fieldsOf = () => upstream.requests.at(-1)?.fields ?? []
const as = (name: string) => ['X-Api-Key', consumers.keys[name] ?? '']

describe('without consumers', () => {
  test.each([
    ['GET', '/v1/domains'],
    ['POST', '/v1/domains'],
    ['GET', '/v1/domains/example.com'],
    ['PATCH', '/v1/domains/example.com'],
    ['POST', '/v1/domains/transfer'],
    ['GET', '/v1/job/job_1'],
    ['GET', '/v1/jobs/batch_1/jobs'],
    ['POST', '/v1/job/job_1/retry'],
    ['GET', '/v1/events'],
    ['GET', '/v1/domains/newer/than/this'],
  ])('%s %s shows no transfer code, and all else byte for byte', async (method, path) => {
    answering(JSON_HEAD, DOMAIN)
    const reply = await send(open.port, {
      method,
      path,
      headers: ['Accept-Encoding', 'gzip, br', 'Range', 'bytes=30-'],
    })
    expect([reply.status, reply.text, reply.complete]).toEqual([200, MASKED, true])
    expect(valuesOf(reply.rawHeaders, 'content-length')).toEqual([String(DOMAIN.length)])
    expect(valuesOf(fieldsOf(), 'accept-encoding')).toEqual(['identity'])
    expect(valuesOf(fieldsOf(), 'range')).toEqual([])
  })

  test('it does not matter where the reply is cut', async () => {
    const from = DOMAIN.indexOf('auth')
    for (let at = from - 2; at < from + 26; at += 1) {
      answering(JSON_HEAD, DOMAIN.slice(0, at), DOMAIN.slice(at, at + 1), DOMAIN.slice(at + 1))
      const reply = await send(open.port, { path: '/v1/domains/example.com' })
      expect(reply.text).toBe(MASKED)
    }
  })

  test('an error is masked too', async () => {
    answering('422 No\r\nContent-Type: application/problem+json', DOMAIN)
    const reply = await send(open.port, { method: 'PATCH', path: '/v1/domains/example.com' })
    expect([reply.status, reply.text]).toEqual([422, MASKED])
  })

  test('transfer codes show where the policy allows them, and the request is as it was', async () => {
    answering(JSON_HEAD, DOMAIN)
    const reply = await send(revealing.port, {
      path: '/v1/domains',
      headers: ['Accept-Encoding', 'gzip'],
    })
    expect(reply.text).toBe(DOMAIN)
    expect(valuesOf(fieldsOf(), 'accept-encoding')).toEqual(['gzip'])
  })

  test('an operation without secrets may still be compressed', async () => {
    const bytes = gzipSync('{"name":"example.com."}')
    answering(`${JSON_HEAD}\r\nContent-Encoding: gzip`, bytes)
    const reply = await send(open.port, {
      path: '/v1/dns/example.com',
      headers: ['Accept-Encoding', 'gzip'],
    })
    expect(reply.body).toEqual(bytes)
    expect(valuesOf(fieldsOf(), 'accept-encoding')).toEqual(['gzip'])
  })
})

describe('a reply in which nothing could be masked', () => {
  const coded = `${JSON_HEAD}\r\nContent-Encoding: gzip`

  test.each([
    ['compressed', coded, gzipSync(DOMAIN)],
    ['compressed and an error', coded.replace('200 OK', '422 No'), gzipSync(DOMAIN)],
    ['a part', '206 Part\r\nContent-Range: bytes 30-62/63', DOMAIN.slice(30)],
  ])('is refused: %s', async (_what, head, body) => {
    answering(head, body)
    const reply = await send(open.port, { path: '/v1/domains/example.com' })
    expect(reply.status).toBe(502)
    expect(JSON.parse(reply.text)).toMatchObject({ code: 'reply_not_readable' })
    expect(reply.text).not.toContain(CODE.slice(0, 4))
  })

  test('to a purchase is no reason to buy again', async () => {
    answering(coded, gzipSync(DOMAIN))
    const reply = await send(open.port, { method: 'POST', path: '/v1/domains', body: '{}' })
    expect(reply.status).toBe(409)
    expect(JSON.parse(reply.text)).toMatchObject({ code: 'outcome_unknown' })
  })

  test('passes where it has no body', async () => {
    upstream.script = ({ socket }) =>
      socket.write(`HTTP/1.1 ${coded}\r\nContent-Length: 50\r\n\r\n`)
    const reply = await send(open.port, { method: 'HEAD', path: '/v1/domains' })
    expect([reply.status, reply.complete]).toEqual([200, true])
  })
})

describe('a consumer', () => {
  test.each([
    ['reader', MASKED],
    ['admin', MASKED],
    ['trusted', DOMAIN],
    ['trial', MASKED],
  ])('%s sees of a domain what it was granted', async (name, text) => {
    answering(JSON_HEAD, DOMAIN)
    const reply = await send(consumers.port, {
      path: '/v1/domains/example.com',
      headers: as(name),
    })
    expect([reply.status, reply.text]).toEqual([200, text])
  })

  test.each([
    ['one', 200, CODE],
    ['trusted', 200, CODE],
    ['admin', 403, 'not_granted'],
    ['trial', 200, '********'],
  ])('%s asks for a transfer code: %i', async (name, status, part) => {
    answering(JSON_HEAD, DOMAIN)
    const path = REQUEST_CODE
    const reply = await send(consumers.port, { method: 'POST', path, headers: as(name) })
    expect(reply.status).toBe(status)
    expect(reply.text).toContain(part)
  })
})
