// What is named by an id of OpusDNS, by consumers whose grants go by name: the proxy asks whose it is, and
// what is another's looks as if it were not there.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { wire } from '../opusdns/wire.ts'
import { eventually } from '../support/eventually.ts'
import { gateway } from '../support/gateway.ts'
import type { Gateway } from '../support/gateway.ts'
import { plainReply, rawUpstream } from '../support/raw-upstream.ts'
import type { RawRequest, RawUpstream } from '../support/raw-upstream.ts'
import { open, send } from '../support/wire-client.ts'

const id = (kind: string, letter: string) => `${kind}_01${letter.repeat(24)}`
const OWN_DOMAIN = id('domain', 'a')
const FOREIGN_DOMAIN = id('domain', 'b')
const OWN_FORWARD = id('email_forward', 'c')
const FOREIGN_FORWARD = id('email_forward', 'd')
const OWN_ALIAS = id('email_forward_alias', 'f')
const KNOWN: Readonly<Record<string, object>> = {
  [`/v1/domains/${OWN_DOMAIN}`]: { name: 'Example.com.', auth_code: 'secret-code' },
  [`/v1/domains/${FOREIGN_DOMAIN}`]: { name: 'example.net' },
  [`/v1/email-forwards/${OWN_FORWARD}`]: {
    hostname: 'mail.example.com',
    aliases: [{ alias: 'x', email_forward_alias_id: OWN_ALIAS, forward_to: [] }],
  },
  [`/v1/email-forwards/${FOREIGN_FORWARD}`]: { hostname: 'mail.example.net' },
}

const folder = mkdtempSync(join(tmpdir(), 'by-id-'))
const audit = join(folder, 'audit.jsonl')
let upstream: RawUpstream
let proxy: Gateway
beforeAll(async () => {
  upstream = await rawUpstream()
  proxy = await gateway({
    base: upstream.origin,
    consumers: {
      domains: 'grants: [{ domains:read: [example.com] }]',
      forwards: "grants: [{ forwards: ['*.example.com'] }]",
      dns: 'grants: [{ dns: { zones: [example.com] } }]',
      trial:
        "mode: report, grants: [{ domains:read: [example.com] }, { forwards: ['*.example.com'] }]",
    },
    config: `audit: { to: 'file:${audit}' }\n`,
  })
})
afterAll(async () => {
  await proxy.stop()
  await upstream.close()
  rmSync(folder, { recursive: true })
})

const known = async ({ method, target, socket, whole }: RawRequest) => {
  await whole
  const found = KNOWN[target]
  if (method !== 'GET') socket.write('HTTP/1.1 204 No Content\r\n\r\n')
  else if (found !== undefined) socket.write(plainReply(JSON.stringify(found)))
  else socket.write(plainReply('{"detail":"of OpusDNS"}', 'HTTP/1.1 404 Not Found'))
}
let before = 0
beforeEach(() => {
  upstream.script = known
  before = upstream.requests.length
})
const asked = () =>
  upstream.requests.slice(before).map(({ method, target }) => `${method} ${target}`)
const ask = (consumer: string, method: string, path: string, body?: string) =>
  send(proxy.port, {
    method,
    path,
    headers: ['X-Api-Key', proxy.keys[consumer] ?? ''],
    ...(body === undefined ? {} : { body }),
  })

describe('a domain', () => {
  test('of its consumer is shown, with its transfer code masked', async () => {
    const path = `/v1/domains/${OWN_DOMAIN}`
    const reply = await ask('domains', 'GET', path)
    expect([reply.status, reply.text]).toEqual([
      200,
      '{"name":"Example.com.","auth_code":"***********"}',
    ])
    expect(asked()).toEqual([`GET ${path}`, `GET ${path}`])
    for (const { fields } of upstream.requests.slice(before)) {
      expect(fields.filter((name) => name.toLowerCase() === 'x-api-key')).toHaveLength(1)
      expect(fields).not.toContain(proxy.keys['domains'])
    }
    expect((await ask('domains', 'HEAD', path)).status).toBe(204)
    expect((await ask('domains', 'GET', `${path}/dnssec`)).status).toBe(404)
    expect(asked().slice(2)).toEqual([
      `GET ${path}`,
      `HEAD ${path}`,
      `GET ${path}`,
      `GET ${path}/dnssec`,
    ])
  })

  test('of somebody else looks like one that there is not', async () => {
    const foreign = await ask('domains', 'GET', `/v1/domains/${FOREIGN_DOMAIN}`)
    const nothing = await ask('domains', 'GET', `/v1/domains/${id('domain', 'e')}`)
    for (const { status, text } of [foreign, nothing]) {
      expect(status).toBe(404)
      expect(text).toContain('not_visible')
      expect(text).not.toContain('example.net')
    }
    const bare = (text: string) =>
      text.replaceAll(/domain_01[a-z]+/g, 'ID').replaceAll(/"[\w-]+-\d+"/g, '')
    expect(bare(foreign.text)).toBe(bare(nothing.text))
    expect(asked()).toHaveLength(2)
  })

  test('is asked for by nobody whom no grant lets read any', async () => {
    expect((await ask('dns', 'GET', `/v1/domains/${OWN_DOMAIN}`)).status).toBe(403)
    expect((await ask('domains', 'DELETE', `/v1/domains/${OWN_DOMAIN}`)).status).toBe(403)
    expect((await ask('domains', 'GET', `/v1/domains/${id('contact', 'a')}`)).status).toBe(404)
    expect(asked()).toEqual([])
  })

  test('of somebody else is told in report mode, and shown', async () => {
    expect((await ask('trial', 'GET', `/v1/domains/${FOREIGN_DOMAIN}`)).status).toBe(200)
    expect(proxy.lines.filter(({ msg }) => msg === 'would be denied')).toHaveLength(1)
  })
})

describe('an email forward', () => {
  test('of its consumer is changed and deleted, with the body as it was sent', async () => {
    const path = `/v1/email-forwards/${OWN_FORWARD}`
    const alias = `${path}/aliases/${OWN_ALIAS}`
    for (const [method, target, body] of [
      ['GET', path],
      ['PATCH', `${path}/disable`],
      ['PUT', alias, '{"alias":"x", "forward_to":["a@b.example"]}'],
      ['DELETE', path],
    ] as const) {
      expect((await ask('forwards', method, target, body)).status).toBeLessThan(300)
      expect(asked().slice(-2)).toEqual([`GET ${path}`, `${method} ${target}`])
      const sent = upstream.requests.at(-1)
      await sent?.whole
      expect(sent?.body.toString()).toBe(body ?? '')
    }
  })

  test('of somebody else is neither, and looks like one that there is not', async () => {
    for (const one of [FOREIGN_FORWARD, id('email_forward', 'e')]) {
      for (const [method, rest] of [
        ['DELETE', ''],
        ['PATCH', '/enable'],
        ['GET', ''],
      ] as const) {
        const reply = await ask('forwards', method, `/v1/email-forwards/${one}${rest}`)
        expect([reply.status, reply.text]).toEqual([404, expect.stringContaining('not_visible')])
        expect(reply.text).not.toContain('example.net')
      }
    }
    expect(new Set(asked().map((line) => line.split(' ')[0]))).toEqual(new Set(['GET']))
  })
})

test('an alias of another forward is not there', async () => {
  const path = `/v1/email-forwards/${OWN_FORWARD}`
  for (const method of ['PUT', 'DELETE']) {
    const alias = `${path}/aliases/${id('email_forward_alias', 'g')}`
    const reply = await ask('forwards', method, alias, '{"forward_to":["a@b.example"]}')
    expect([reply.status, reply.text]).toEqual([404, expect.stringContaining('not_visible')])
  }
  expect(asked()).toEqual([`GET ${path}`, `GET ${path}`])
})

test('early hints of a look-up are not for the client', async () => {
  upstream.script = async (request) => {
    await request.whole
    request.socket.write(
      'HTTP/1.1 103 Early Hints\r\nLink: </v1/x.example.net>; rel=preload\r\n\r\n',
    )
    await known(request)
  }
  const text = `GET /v1/email-forwards/${FOREIGN_FORWARD} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${proxy.keys['forwards']}\r\n\r\n`
  const reply = await wire(proxy.port, text)
  expect(reply.text).toMatch(/^HTTP\/1\.1 404 /)
  expect(reply.text).not.toContain('example.net')
})

describe('in report mode', () => {
  const large = JSON.stringify({ hostname: 'mail.example.com', more: 'x'.repeat(1_100_000) })
  test.each<[string, string | undefined]>([
    ['a refusal', plainReply('{}', 'HTTP/1.1 403 Forbidden')],
    ['an error', plainReply('{}', 'HTTP/1.1 500 Broken')],
    ['no JSON', plainReply('no JSON')],
    ['more than fits', plainReply(large)],
    ['the end of the connection', undefined],
    ['a wait of ten minutes', plainReply('{}', 'HTTP/1.1 429 Slow\r\nRetry-After: 600')],
  ])('a look-up that gets %s stops nobody', async (_, reply) => {
    // Of its own, for the wait holds all who ask for the same.
    const path = `/v1/email-forwards/${id('email_forward', 'z')}`
    upstream.script = async ({ method, socket, whole }) => {
      await whole
      if (method !== 'GET') socket.write('HTTP/1.1 204 No Content\r\n\r\n')
      else if (reply === undefined) socket.destroy()
      else socket.write(reply)
    }
    // The second one meets the wait before it asks.
    for (const _time of [1, 2]) {
      expect((await ask('trial', 'DELETE', path)).status).toBe(204)
    }
    expect(asked().filter((line) => line === `DELETE ${path}`)).toHaveLength(2)
  })
})

test('look-ups are among the requests that are in flight', async () => {
  const small = await gateway({
    base: upstream.origin,
    consumers: { forwards: "grants: [{ forwards: ['*.example.com'] }]" },
    config: 'limits: { in_flight: 3 }\n',
  })
  onTestFinished(() => small.stop())
  upstream.script = () => undefined
  const path = `/v1/email-forwards/${OWN_FORWARD}`
  const headers = ['X-Api-Key', small.keys['forwards'] ?? '']
  const calls = Array.from({ length: 3 }, () => open(small.port, { path, headers }))
  for (const call of calls) {
    call.on('error', () => undefined)
    call.end()
  }
  await eventually(() => asked().length === 3)
  expect((await send(small.port, { path, headers })).status).toBe(503)
  expect(asked()).toHaveLength(3)
  for (const call of calls) call.destroy()
})

describe('a body that nobody looks at', () => {
  test('is refused at once when it is malformed, before anything is looked up', async () => {
    const text = `PUT /v1/email-forwards/${OWN_FORWARD}/aliases/x HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: ${proxy.keys['forwards']}\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n`
    expect((await wire(proxy.port, text)).text).toMatch(/^HTTP\/1\.1 400 /)
    expect(asked()).toEqual([])
  })
})

describe('a look-up', () => {
  const path = `/v1/email-forwards/${OWN_FORWARD}`
  const failed = async (reply: string | Buffer) => {
    upstream.script = async ({ socket, whole }) => {
      await whole
      socket.write(reply)
    }
    const { status, text, rawHeaders } = await ask('forwards', 'DELETE', path)
    expect(asked().filter((line) => !line.startsWith('GET '))).toEqual([])
    return { status, text, rawHeaders }
  }

  test('that OpusDNS refuses is answered in its words', async () => {
    const busy = 'HTTP/1.1 429 Too Many\r\nRetry-After: 1'
    expect(await failed(plainReply('{"of":"OpusDNS"}', busy))).toMatchObject({
      status: 429,
      text: '{"of":"OpusDNS"}',
    })
    const last = await eventually(() => {
      const lines = readFileSync(audit, 'utf8').trim().split('\n')
      const one = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
      return one['status'] === 429 && one
    })
    expect(last).toMatchObject({ decision: 'deny', reason: 'undecided', attempts: 0 })
  })

  test.each([
    '[]',
    '{}',
    'html',
    '{"hostname":7}',
    '{"hostname":"a b"}',
    '{"hostname":"mail.example.com","hostname":"x.example.net"}',
  ])('answered with %s decides nothing', async (body) => {
    await eventually(() => proxy.metric('upstream_held_seconds').then((held) => held === 0))
    const { status, text } = await failed(plainReply(body))
    expect([status, text]).toEqual([502, expect.stringContaining('reply_not_readable')])
  })

  test('that OpusDNS does not answer leaves no record of a decision, nor of something sent', async () => {
    await failed(plainReply('{}', 'HTTP/1.1 500 Broken'))
    const record = await eventually(() => {
      const last = readFileSync(audit, 'utf8').trim().split('\n').at(-1) ?? ''
      return last.includes('"status":500') && (JSON.parse(last) as Record<string, unknown>)
    })
    expect(record).toMatchObject({ decision: 'deny', reason: 'undecided', attempts: 0 })
    expect(record).not.toHaveProperty('ahead')
  })

  test('leaves a record of what was asked for, and that nothing of it was sent', async () => {
    await ask('forwards', 'DELETE', `/v1/email-forwards/${FOREIGN_FORWARD}`)
    await ask('forwards', 'DELETE', path)
    const records = await eventually(() => {
      const all = readFileSync(audit, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      const last = all.at(-1)
      return last?.['event'] === 'outcome' && all.slice(-3)
    })
    expect(records).toMatchObject([
      { decision: 'deny', reason: 'not_visible', names: ['mail.example.net'], attempts: 0 },
      {
        decision: 'allow',
        ahead: true,
        names: ['mail.example.com'],
        grant: 'forwards: [*.example.com]',
      },
      { event: 'outcome', status: 204, attempts: 1 },
    ])
  })
})
