// Rules 32 to 35, as far as no other test holds them (docs/http-rules.md says which do): the way to
// the upstream over TLS, and one answer to every key that is not good.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import type { TLSSocket, TlsOptions } from 'node:tls'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { authority } from '../support/certificates.ts'
import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { exchange } from './odd-upstream.ts'
import { values } from './reply-reader.ts'
import type { Seen } from './reply-reader.ts'

const GET = 'GET /v1/dns HTTP/1.1\r\nHost: localhost\r\n\r\n'
const ca = authority('opusdns-auth-proxy test CA')
const OLD = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'opusdns-rules-'))
  writeFileSync(join(folder, 'ca.pem'), ca.cert)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What one connection looked like to the server. */
interface Met {
  readonly protocol: string | null
  readonly servername: string
  readonly reused: boolean
  bytes: string
}

/** A TLS server that answers each read with a reply that ends its connection, and its proxy. */
async function overTls(options: TlsOptions) {
  const met: Met[] = []
  const server = createServer({ ...ca.issue(), ...options }, (socket: TLSSocket) => {
    const { servername } = socket as { servername?: string | false }
    const one: Met = {
      protocol: socket.getProtocol(),
      servername: servername === false ? '' : (servername ?? ''),
      reused: socket.isSessionReused(),
      bytes: '',
    }
    met.push(one)
    socket.on('error', () => undefined)
    socket.on('data', (piece) => {
      one.bytes += piece.toString('latin1')
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}')
    })
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const proxy = await localProxy({
    base: `https://localhost:${port}`,
    config: `upstream: { ca_file: ${join(folder, 'ca.pem')} }`,
  })
  onTestFinished(async () => {
    await proxy.stop()
    server.close()
  })
  return { met, port, proxy }
}

describe('TLS to the upstream', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const { met, proxy } = await overTls({ minVersion: version, maxVersion: version })
    expect((await exchange(proxy.port, GET)).status).toBe(200)
    expect(met.at(-1)?.protocol).toBe(version)
  })

  test.each(['TLSv1', 'TLSv1.1'] as const)(
    'does not speak %s: 502, and nothing is sent',
    async (version) => {
      const { met, port, proxy } = await overTls({ ...OLD, maxVersion: version })
      const seen = await exchange(proxy.port, GET)
      expect(seen.status).toBe(502)
      expect(JSON.parse(seen.body)).toMatchObject({ code: 'upstream_tls' })
      expect(met.map(({ bytes }) => bytes).join('')).toBe('')
      // The server would have: whoever allows it is let in.
      const lax = connect({ ...OLD, port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert })
      await new Promise<void>((resolve, reject) => {
        lax.once('secureConnect', resolve)
        lax.once('error', reject)
      })
      expect(lax.getProtocol()).toBe(version)
      lax.destroy()
    },
  )

  test('names the configured host, whatever the client calls it', async () => {
    const { met, port, proxy } = await overTls({})
    const named = `GET http://127.0.0.1/v1/dns HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Host: evil.example\r\n\r\n`
    expect((await exchange(proxy.port, named)).status).toBe(200)
    expect(new Set(met.map(({ servername }) => servername))).toEqual(new Set(['localhost']))
    expect(met.at(-1)?.bytes.toLowerCase()).toContain(`\r\nhost: localhost:${port}\r\n`)
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('takes up its session again: %s', async (version) => {
    const { met, proxy } = await overTls({ minVersion: version, maxVersion: version })
    for (let at = 0; at < 6; at++) {
      expect((await exchange(proxy.port, GET)).status).toBe(200)
    }
    expect(met.filter(({ reused }) => reused).length).toBeGreaterThan(1)
  })

  test('knows no option that would switch verification off', async () => {
    for (const option of ['verify', 'insecure', 'reject_unauthorized', 'tls_verify']) {
      const config = `upstream: { ${option}: false }`
      await expect(localProxy({ base: 'https://localhost:1', config })).rejects.toThrow(
        /configuration|not valid/i,
      )
    }
  })
})

describe('a local token that is not good', () => {
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

  /** A reply without what differs from request to request. */
  const essence = ({ status, fields, body }: Seen) => {
    const id = values(fields, 'x-request-id')[0] ?? ''
    const kept = fields.filter((_, at) => fields[at - (at % 2)]?.toLowerCase() !== 'date')
    return JSON.stringify({ status, kept, body }).replaceAll(id, '<id>')
  }

  test('is answered the same, whatever is wrong with it', async () => {
    const login = 'grant_type=client_credentials&client_id=a&client_secret=b'
    const granted = await exchange(
      proxy.port,
      `POST /v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${login.length}\r\n\r\n${login}`,
      'POST',
    )
    expect(granted.status).toBe(200)
    const { access_token: good } = JSON.parse(granted.body) as { access_token: string }
    const call = (token: string) =>
      exchange(proxy.port, GET.replace('\r\n\r\n', `\r\nAuthorization: Bearer ${token}\r\n\r\n`))
    expect((await call(good)).status).toBe(200)
    const flip = (at: number) =>
      `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`
    const before = upstream.requests.length
    const answers: string[] = []
    for (const token of [
      flip(good.length - 1),
      flip(Math.floor(good.length / 2)),
      good.slice(0, -1),
      `${good}A`,
    ]) {
      const seen = await call(token)
      expect(seen.status, seen.text).toBe(401)
      expect(seen.text).not.toContain(token)
      answers.push(essence(seen))
    }
    expect(new Set(answers).size).toBe(1)
    expect(upstream.requests.length).toBe(before)
  })
})
