// Consumers through the whole proxy: by key, by a local login, by socket and by certificate; and how a
// caller that is nobody is told so.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as secureRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { testKey } from '../consumers/support.ts'
import { startSimulator } from '../opusdns/simulator.ts'
import type { Simulator } from '../opusdns/simulator.ts'
import { authority } from '../support/certificates.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { send, valuesOf } from '../support/wire-client.ts'
import type { Sending } from '../support/wire-client.ts'

const KEY = testKey()
const BRIEF = testKey('2126-01-01')
const EXPIRED = testKey('2020-01-01')
const keys = [KEY, BRIEF, EXPIRED].map(
  ({ entry }) =>
    `{ id: ${entry.id}, sha256: ${entry.sha256}${'expires' in entry ? `, expires: ${entry.expires}` : ''} }`,
)
const ca = authority('consumers CA')
const leaf = ca.issue()
const folder = mkdtempSync(join(tmpdir(), 'consumers-'))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const socketPath = join(folder, 'reader.sock')
const REFUSED =
  '{"type":"invalid-organization-credentials","title":"Authentication Error","status":401,"code":"ERROR_INVALID_ORGANIZATION_CREDENTIALS","detail":"Invalid client secret"}'

let simulator: Simulator
let proxy: LocalProxy
beforeAll(async () => {
  simulator = await startSimulator()
  proxy = await localProxy({
    base: simulator.origin,
    listen: '',
    config: `
listen:
  - 127.0.0.1:0
  - unix:${socketPath}
  - address: 127.0.0.1:0
    tls:
      certificate_file: ${file('cert.pem', leaf.cert)}
      key_file: ${file('key.pem', leaf.key)}
      client_ca_file: ${file('clients.pem', ca.cert)}
consumers:
  certbot: { keys: [${keys.join(', ')}], mtls: ['DNS:certbot.corp'], grants: [read] }
  reader: { sockets: [${socketPath}], grants: [read] }
`,
  })
})
afterAll(async () => {
  await proxy.stop()
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
})

const ask = (sending: Sending = {}) => send(proxy.port, sending)
const FORM = ['Content-Type', 'application/x-www-form-urlencoded']
const login = (
  fields: Record<string, string>,
  headers: readonly string[] = [],
  more: Sending = {},
) =>
  ask({
    path: '/v1/auth/token',
    method: 'POST',
    headers: [...FORM, ...headers],
    body: new URLSearchParams({ grant_type: 'client_credentials', ...fields }).toString(),
    ...more,
  })

describe('a consumer key', () => {
  test('lets in, in X-Api-Key or as a bearer, and stays here', async () => {
    for (const headers of [
      ['X-Api-Key', KEY.text],
      ['Authorization', `Bearer ${KEY.text}`],
    ]) {
      const before = simulator.requests.length
      expect((await ask({ headers })).status).toBe(200)
      expect(simulator.requests.slice(before)).toHaveLength(1)
      expect(JSON.stringify(simulator.requests[before])).not.toContain(KEY.text)
    }
    expect((await proxy.accessLine(({ consumer }) => consumer === 'certbot'))['status']).toBe(200)
  })

  test.each([
    ['none', [], 'unidentified', 'Bearer'],
    ['a placeholder', ['X-Api-Key', 'dummy'], 'unidentified', 'Bearer'],
    ['Basic', ['Authorization', `Basic ${btoa(`certbot:${KEY.text}`)}`], 'unidentified', 'Bearer'],
    [
      'a wrong one',
      ['X-Api-Key', testKey().text],
      'invalid_consumer_key',
      'Bearer error="invalid_token"',
    ],
    [
      'an expired one',
      ['X-Api-Key', EXPIRED.text],
      'invalid_consumer_key',
      'Bearer error="invalid_token"',
    ],
  ])('%s is answered 401, and nothing goes upstream', async (_, headers, code, challenge) => {
    const before = simulator.requests.length
    const reply = await ask({ headers })
    expect(reply.status).toBe(401)
    expect(valuesOf(reply.rawHeaders, 'www-authenticate')).toEqual([challenge])
    expect(JSON.parse(reply.text)).toMatchObject({ code, detail: expect.any(String) })
    expect(simulator.requests).toHaveLength(before)
  })

  test('appears in no log line, however it was sent', async () => {
    await ask({ headers: ['X-Api-Key', KEY.text, 'Authorization', `Bearer ${EXPIRED.text}`] })
    await login({ client_id: 'certbot', client_secret: EXPIRED.text })
    await proxy.accessLine(({ path }) => path === '/v1/auth/token')
    const lines = JSON.stringify(proxy.lines)
    for (const { text } of [KEY, BRIEF, EXPIRED]) expect(lines).not.toContain(text.slice(14, 40))
  })
})

describe('a login with a consumer key', () => {
  const basic = (id: string, secret: string) => [
    'Authorization',
    `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`,
  ]
  test.each([
    ['the name of the consumer', () => login({ client_id: 'certbot', client_secret: KEY.text })],
    ['the id of the key', () => login({ client_id: KEY.id, client_secret: KEY.text })],
    ['HTTP Basic', () => login({}, basic('certbot', KEY.text))],
    [
      'HTTP Basic and the id again',
      () => login({ client_id: 'certbot' }, basic('certbot', KEY.text)),
    ],
    [
      'JSON',
      () =>
        ask({
          path: '/v1/auth/token',
          method: 'POST',
          headers: ['Content-Type', 'application/json'],
          body: JSON.stringify({
            grant_type: 'client_credentials',
            client_id: 'certbot',
            client_secret: KEY.text,
          }),
        }),
    ],
  ])('by %s yields a token of the consumer', async (_, run) => {
    const reply = await run()
    expect(reply.status).toBe(200)
    const { access_token: token } = JSON.parse(reply.text) as { access_token: string }
    const got = await ask({ headers: ['Authorization', `Bearer ${token}`] })
    expect(got.status).toBe(200)
  })

  test.each([
    ['a wrong secret', { client_id: 'certbot', client_secret: testKey().text }],
    ['an expired secret', { client_id: 'certbot', client_secret: EXPIRED.text }],
    ['a placeholder', { client_id: 'certbot', client_secret: 'secret' }],
    ['an unknown client id', { client_id: 'nobody', client_secret: KEY.text }],
    ['neither', { client_id: 'nobody', client_secret: 'secret' }],
  ])('with %s is answered word for word as OpusDNS answers a wrong secret', async (_, fields) => {
    for (const reply of [
      await login(fields),
      await login({}, basic(fields.client_id, fields.client_secret)),
    ]) {
      expect(reply.status).toBe(401)
      expect(reply.text).toBe(REFUSED)
      expect(valuesOf(reply.rawHeaders, 'www-authenticate')).toContain(
        'Basic realm="opusdns-auth-proxy"',
      )
    }
  })

  test.each([
    ['a secret twice', { client_secret: 'x' }, basic('certbot', KEY.text)],
    ['two client ids', { client_id: 'billing' }, basic('certbot', KEY.text)],
    ['a Basic without a colon', {}, ['Authorization', `Basic ${btoa('certbot')}`]],
    ['a Basic that is not form-encoded', {}, ['Authorization', `Basic ${btoa('a%zz:b')}`]],
    ['no secret', { client_id: 'certbot' }, []],
  ])('with %s is malformed', async (_, fields, headers) => {
    const reply = await login(fields, headers)
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({ code: 'bad_request' })
  })
})

describe('a connection that says who it is', () => {
  test('by its socket needs no key, and a placeholder does no harm', async () => {
    const reply = await ask({ socketPath, host: 'localhost', headers: ['X-Api-Key', 'dummy'] })
    expect(reply.status).toBe(200)
    await proxy.accessLine(({ consumer }) => consumer === 'reader')
    const wrong = ['X-Api-Key', testKey().text]
    expect((await ask({ socketPath, host: 'localhost', headers: wrong })).status).toBe(401)
  })

  test('by its certificate needs none either', async () => {
    const before = proxy.lines.length
    const port = Number(proxy.listen[2]?.split(':')[1])
    const own = ca.issue({ name: 'certbot.corp' })
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path: '/v1/dns', ca: ca.cert, ...own }
      const call = secureRequest({ ...options, servername: 'localhost', agent: false }, (reply) => {
        reply.resume()
        resolve(reply.statusCode)
      })
      onTestFinished(() => void call.destroy())
      call.on('error', reject)
      call.end()
    })
    expect(status).toBe(200)
    await proxy.accessLine(
      (line) => line['consumer'] === 'certbot' && proxy.lines.indexOf(line) >= before,
    )
  })
})

describe('a trusted hop', () => {
  test('says whose request it passes on; the next one of its connection is somebody else', async () => {
    const gateway = await localProxy({
      base: simulator.origin,
      config: `
trusted_hops: ['127.0.0.1']
consumers:
  certbot: { networks: [10.1.0.0/16], grants: [read] }
  other: { networks: [10.2.0.0/16], grants: [] }
  hop: { networks: ['127.0.0.0/8'], grants: [admin] }
`,
    })
    onTestFinished(() => gateway.stop())
    const through = (...field: readonly string[]) =>
      send(gateway.port, { headers: field.flatMap((value) => ['X-Forwarded-For', value]) })
    expect((await through('10.1.2.3')).status).toBe(200)
    expect((await through('10.2.2.3')).status).toBe(403)
    // Whatever the caller itself wrote stands on the left.
    expect((await through('10.1.2.3', '10.2.2.3')).status).toBe(403)
    expect((await through('10.1.2.3, 10.9.9.9')).status).toBe(401)
    expect((await through()).status).toBe(401)
    await gateway.accessLine(({ consumer }) => consumer === 'certbot')
    const sent = simulator.requests.at(-1)?.rawHeaders.join(' ').toLowerCase()
    expect(sent).toContain('x-api-key')
    expect(sent).not.toContain('forwarded')
  })
})

test('OPTIONS that ends at the proxy is answered to consumers alone', async () => {
  const options = (headers: readonly string[]) =>
    send(proxy.port, {
      method: 'OPTIONS',
      path: '/v1/dns',
      headers: ['Max-Forwards', '0', ...headers],
    })
  expect((await options([])).status).toBe(401)
  expect((await options(['X-Api-Key', KEY.text])).status).toBe(204)
})
