// Client certificates over real TLS: who is let in, who that is, and that neither a resumed session nor a
// change of the CA makes anybody somebody else.

import { X509Certificate } from 'node:crypto'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { Fault } from '../../src/base/fault.ts'
import { consumerIdentity } from '../../src/consumers/identity.ts'
import { liveCertificate } from '../../src/server/certificate.ts'
import { issuedTokens } from '../../src/store/issued-tokens.ts'
import { consumersOf, testKey } from '../consumers/support.ts'
import { certificateFiles } from '../server/certificate-files.ts'
import { testListener } from '../server/support.ts'
import type { Serve } from '../server/support.ts'
import { authority } from '../support/certificates.ts'
import type { Certificate } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'

const DAY = 86_400_000
const serverCa = authority('server CA')
const clientCa = authority('client CA')
const KEY = testKey()
const OTHER = testKey()
const CONSUMERS = consumersOf({
  certbot: { keys: [KEY.entry], mtls: ['spiffe://corp/certbot', 'DNS:certbot.corp'] },
  billing: { keys: [OTHER.entry], mtls: ['CN=billing'] },
  // Where everybody in this test comes from.
  near: { networks: ['127.0.0.0/8'] },
})
const certbot = clientCa.issue({
  commonNames: ['x'],
  alternatives: [['uri', 'spiffe://corp/certbot']],
})
const stranger = clientCa.issue({ name: 'stranger.corp' })

/** The same with one bit of its signature changed. */
function forged({ cert, key }: Certificate): Certificate {
  const der = new X509Certificate(cert).raw
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
  const body = der.toString('base64')
  return { cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`, key }
}

/** A TLS listener that says who asks. `ahead` moves the wall clock on. */
async function gate(mode: 'required' | 'optional', keepAliveTimeout = 5000) {
  const files = certificateFiles(serverCa.issue())
  const caFile = join(dirname(files.certificateFile), 'clients.pem')
  writeFileSync(caFile, clientCa.cert)
  const place = 'listen[0].tls.client_ca_file'
  const client = { caFile, required: mode === 'required', place }
  const certificate = await liveCertificate({ ...files, client }, systemClock)
  let ahead = 0
  const clock = { ...systemClock, wall: () => Date.now() + ahead }
  const tokens = issuedTokens({ life: 60_000, max: 10 }, clock)
  const { identify } = consumerIdentity(
    { consumers: CONSUMERS, trustedHops: [] },
    { tokens, clock },
  )
  const serve: Serve = (request, response) => {
    const apiKey = request.headers['x-api-key'] as string | undefined
    try {
      const { consumer, by } = identify({
        apiKey,
        authorization: request.headers.authorization,
        forwardedFor: undefined,
        socket: request.socket,
      })
      response.end(`${consumer} by ${by}`)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      response.statusCode = error.status
      response.end(error.code)
    }
  }
  const options = {
    endpoint: { kind: 'tcp', host: '127.0.0.1', port: 0, tls: { ...files, client } },
    tlsHandshakeTimeout: 5000,
    requestHeadTimeout: 10_000,
    keepAliveTimeout,
  } as const
  const { port, seen } = await testListener(serve, options, { certificate })
  return {
    port,
    seen,
    writeCa: (text: string) => writeFileSync(caFile, text),
    reload: () => certificate.reload(),
    failure: () => certificate.failure(),
    passTime: (ms: number) => (ahead += ms),
  }
}

/** A connection of a client; closed at the end of the test. */
function dial(port: number, own?: Certificate, more: ConnectionOptions = {}) {
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: serverCa.cert,
    servername: 'localhost',
    ...own,
    ...more,
  })
  const seen = { text: '', over: false, reused: false, session: undefined as Buffer | undefined }
  socket.on('secureConnect', () => (seen.reused = socket.isSessionReused()))
  socket.on('session', (session: Buffer) => (seen.session = session))
  socket.on('data', (piece: Buffer) => (seen.text += piece.toString('latin1')))
  socket.on('error', () => undefined)
  socket.on('close', () => (seen.over = true))
  onTestFinished(() => void socket.destroy())
  return { socket, seen }
}

const head = (apiKey?: string) =>
  `GET / HTTP/1.1\r\nHost: localhost\r\n${apiKey === undefined ? '' : `X-Api-Key: ${apiKey}\r\n`}\r\n`

/** Asks over an open connection; the last line of the answer, or `closed`. */
async function ask(
  { socket, seen }: { socket: TLSSocket; seen: { text: string; over: boolean } },
  apiKey?: string,
): Promise<string> {
  seen.text = ''
  socket.write(head(apiKey))
  const body = () => /\r\n\r\n(.+)$/s.exec(seen.text)?.[1]
  await eventually(() => seen.over || body() !== undefined)
  return body() ?? 'closed'
}

const once = (port: number, own?: Certificate, apiKey?: string, more?: ConnectionOptions) =>
  ask(dial(port, own, more), apiKey)

describe('where a certificate is required', () => {
  test('its SPIFFE id, DNS name or common name says who asks', async () => {
    const { port } = await gate('required')
    expect(await once(port, certbot)).toBe('certbot by mtls')
    expect(await once(port, clientCa.issue({ name: 'certbot.corp' }))).toBe('certbot by mtls')
    expect(await once(port, clientCa.issue({ name: 'billing' }))).toBe('billing by mtls')
  })

  test.each<[string, Certificate | undefined]>([
    ['none', undefined],
    ['one of another CA', authority('client CA').issue({ name: 'billing' })],
    ['one of the CA of servers', serverCa.issue({ name: 'billing' })],
    [
      'one that has expired',
      clientCa.issue({ name: 'billing', notAfter: new Date(Date.now() - DAY / 2) }),
    ],
    [
      'one that is not valid yet',
      clientCa.issue({ name: 'billing', notBefore: new Date(Date.now() + DAY / 2) }),
    ],
    ['one with a forged signature', forged(certbot)],
  ])('with %s nobody gets in', async (_, own) => {
    const { port, seen } = await gate('required')
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await once(port, own, KEY.text, { maxVersion }).catch(() => 'closed')).toBe('closed')
    }
    await eventually(() => seen.lines.filter((line) => line.startsWith('handshake ')).length === 2)
  })

  test('one that names nobody is refused, whatever network it comes from', async () => {
    const { port } = await gate('required')
    expect(await once(port, stranger)).toBe('unidentified')
    expect(await once(port, stranger, 'placeholder')).toBe('unidentified')
    // A key says who it is; the certificate only opened the door.
    expect(await once(port, stranger, KEY.text)).toBe('certbot by key')
  })

  test('one that names two consumers names nobody', async () => {
    const { port } = await gate('required')
    const both = clientCa.issue({
      commonNames: ['billing'],
      alternatives: [['dns', 'certbot.corp']],
    })
    expect(await once(port, both)).toBe('unidentified')
  })

  test('a key of the same consumer is fine, one of another is not, a wrong one neither', async () => {
    const { port } = await gate('required')
    expect(await once(port, certbot, KEY.text)).toBe('certbot by key')
    expect(await once(port, certbot, OTHER.text)).toBe('identity_conflict')
    expect(await once(port, certbot, testKey().text)).toBe('invalid_consumer_key')
    expect(await once(port, certbot, 'placeholder')).toBe('certbot by mtls')
  })

  test('it ends on its day, in the middle of a connection too', async () => {
    const { port, passTime } = await gate('required')
    const connection = dial(port, certbot)
    expect(await ask(connection)).toBe('certbot by mtls')
    passTime(2 * DAY)
    expect(await ask(connection)).toBe('unidentified')
  })
})

describe('where a certificate is optional', () => {
  test('whoever has none says otherwise who it is', async () => {
    const { port } = await gate('optional')
    expect(await once(port)).toBe('near by network')
    expect(await once(port, undefined, KEY.text)).toBe('certbot by key')
    expect(await once(port, certbot)).toBe('certbot by mtls')
  })

  test('one that is not trusted is a reason to go, not to be taken for somebody near', async () => {
    const { port, seen } = await gate('optional')
    for (const own of [
      authority('client CA').issue({ name: 'billing' }),
      clientCa.issue({ name: 'billing', notAfter: new Date(Date.now() - DAY / 2) }),
    ]) {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        expect(await once(port, own, KEY.text, { maxVersion })).toBe('closed')
      }
    }
    expect(seen.lines).toContain('handshake CERT_HAS_EXPIRED')
    expect(seen.lines.filter((line) => line.startsWith('handshake'))).toHaveLength(4)
  })
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session that is resumed by %s', (version) => {
  const tls = { minVersion: version, maxVersion: version }

  test.each(['required', 'optional'] as const)(
    'is still that of its certificate, where one is %s',
    async (mode) => {
      const { port } = await gate(mode)
      const first = dial(port, certbot, tls)
      expect(await ask(first)).toBe('certbot by mtls')
      await eventually(() => first.seen.session !== undefined)
      const { session } = first.seen
      // Without the certificate: the session alone has to know.
      const again = dial(port, undefined, { ...tls, session })
      expect(await ask(again)).toBe('certbot by mtls')
      expect(again.seen.reused).toBe(true)
      expect(await ask(again, OTHER.text)).toBe('identity_conflict')
    },
  )

  test('without a certificate is nobody with one', async () => {
    const { port } = await gate('optional')
    const first = dial(port, undefined, tls)
    expect(await ask(first)).toBe('near by network')
    await eventually(() => first.seen.session !== undefined)
    const again = dial(port, undefined, { ...tls, session: first.seen.session })
    expect(await ask(again)).toBe('near by network')
    expect(again.seen.reused).toBe(true)
  })

  test('does not outlive the CA that it came in by', async () => {
    const { port, writeCa, reload } = await gate('required')
    const first = dial(port, certbot, tls)
    expect(await ask(first)).toBe('certbot by mtls')
    await eventually(() => first.seen.session !== undefined)
    writeCa(authority('another client CA').cert)
    await reload()
    const again = dial(port, certbot, { ...tls, session: first.seen.session })
    expect(await ask(again)).toBe('closed')
    expect(again.seen.reused).toBe(false)
  })
})

describe('the CAs of clients', () => {
  test('change without a restart: the new are trusted, those of the former are sent away', async () => {
    const { port, writeCa, reload } = await gate('required', 60_000)
    const idle = dial(port, certbot)
    expect(await ask(idle)).toBe('certbot by mtls')
    const next = authority('next client CA')
    writeCa(clientCa.cert + next.cert)
    await reload()
    await eventually(() => idle.seen.over)
    expect(await once(port, certbot)).toBe('certbot by mtls')
    expect(await once(port, next.issue({ name: 'billing' }))).toBe('billing by mtls')
    writeCa(next.cert)
    await reload()
    expect(await once(port, certbot)).toBe('closed')
  })

  test('stay as they were while the file is half-written, or holds no CA', async () => {
    const { port, writeCa, reload, failure } = await gate('required')
    for (const text of ['', clientCa.cert.slice(0, 300), certbot.cert]) {
      writeCa(text)
      await reload()
      expect(failure()?.place).toMatch(/^listen\[0\]\.tls\.client_ca_file /)
      expect(await once(port, certbot)).toBe('certbot by mtls')
    }
  })
})
