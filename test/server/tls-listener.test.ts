import { connect as connectPlain, createServer } from 'node:net'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { Agent, request as sendRequest } from 'node:https'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { liveCertificate } from '../../src/server/certificate.ts'
import { breakConnection } from '../../src/server/client-socket.ts'
import { authority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { certificateFiles } from './certificate-files.ts'
import { hello, testListener } from './support.ts'
import type { Serve } from './support.ts'
import type { ListenerDeps, ListenerOptions } from '../../src/server/listener.ts'

const ca = authority('listener test CA')
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

async function secure(
  serve: Serve = hello,
  options: Partial<ListenerOptions> = {},
  deps: Partial<ListenerDeps> = {},
) {
  const files = certificateFiles(ca.issue())
  const certificate = await liveCertificate(files, systemClock)
  return { ...(await testListener(serve, options, { certificate, ...deps })), certificate, files }
}

/** A TLS client that verifies, and writes down what comes and how it ended. */
function client(
  where: { port: number; host?: string } | { path: string },
  bytes = '',
  options: ConnectionOptions = {},
) {
  const seen = { text: '', end: '', serial: '', protocol: '' }
  const socket: TLSSocket = connect(
    { host: '127.0.0.1', ca: ca.cert, servername: 'localhost', ...where, ...options },
    () => {
      seen.serial = socket.getPeerCertificate().serialNumber
      seen.protocol = `${socket.getProtocol()} ${socket.alpnProtocol}`
      if (bytes !== '') socket.write(bytes, 'latin1')
    },
  )
  socket.on('data', (piece) => (seen.text += piece.toString('latin1')))
  socket.on('end', () => (seen.end ||= 'fin'))
  socket.on('error', (error: NodeJS.ErrnoException) => (seen.end = error.code ?? 'error'))
  onTestFinished(() => void socket.destroy())
  return { socket, seen }
}

describe('a TLS listener', () => {
  test.each(['leaves', 'is cut'])(
    'is closed when its last client %s, and not before the exchange is over',
    async (how) => {
      let over: boolean | undefined
      const { listener, port } = await secure((_request, response) => {
        over = false
        response.once('close', () => (over = true))
      })
      const { socket } = client({ port }, GET)
      await eventually(() => over === false)
      listener.stopAccepting()
      const closed = listener.closed().then(() => over)
      if (how === 'leaves') socket.destroy()
      else listener.destroy()
      expect(await closed).toBe(true)
    },
  )

  test.each([
    ['without ALPN', {}, 'TLSv1.3 false'],
    ['that offers HTTP/1.1', { ALPNProtocols: ['http/1.1'] }, 'TLSv1.3 http/1.1'],
    ['that offers both, as browsers do', { ALPNProtocols: ['h2', 'http/1.1'] }, 'TLSv1.3 http/1.1'],
    ['of TLS 1.2', { maxVersion: 'TLSv1.2' }, 'TLSv1.2 false'],
    [
      'that names no host',
      { servername: '', checkServerIdentity: () => undefined },
      'TLSv1.3 false',
    ],
  ] as const)('serves a client %s', async (_what, options, protocol) => {
    const { port, seen: told } = await secure()
    const { seen } = client({ port }, GET, { ...options })
    await eventually(() => seen.text.includes('hello'))
    expect(seen.protocol).toBe(protocol)
    expect(told.lines).toEqual([])
  })

  test.each([
    [
      'offers HTTP/2 alone',
      { ALPNProtocols: ['h2'] },
      'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
      'ERR_SSL_NO_APPLICATION_PROTOCOL',
    ],
    [
      'speaks TLS 1.1 at most',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      'ERR_SSL_UNSUPPORTED_PROTOCOL',
    ],
  ] as const)('turns a client away that %s', async (_what, options, alert, cause) => {
    const { port, seen: told } = await secure()
    const { seen } = client({ port }, GET, { ...options })
    await eventually(() => seen.end !== '')
    expect(seen.end).toBe(alert)
    await eventually(() => told.lines.length > 0)
    expect(told.lines).toEqual([`handshake ${cause}`])
  })

  test('answers plain text with nothing, and goes on', async () => {
    const { port, seen: told } = await secure()
    let got = ''
    const plain = connectPlain(port, '127.0.0.1', () => plain.write(GET))
    plain.on('data', (piece) => (got += piece.toString('latin1')))
    plain.on('error', () => undefined)
    await new Promise((resolve) => void plain.once('close', resolve))
    expect(got).not.toContain('HTTP')
    expect(told.lines).toEqual(['handshake ERR_SSL_HTTP_REQUEST'])
    const { seen } = client({ port }, GET)
    await eventually(() => seen.text.includes('hello'))
  })

  test('gives up a handshake that does not come on, and counts it', async () => {
    const { listener, port, seen: told } = await secure()
    const silent = connectPlain(port, '127.0.0.1')
    silent.on('error', () => undefined)
    await new Promise((resolve) => void silent.once('close', resolve))
    expect(told.lines).toEqual(['handshake ERR_TLS_HANDSHAKE_TIMEOUT'])
    await eventually(() => listener.connections() === 0)
  })

  test('closes at once while a handshake is under way', async () => {
    const { listener, port } = await secure(hello, { tlsHandshakeTimeout: 60_000 })
    const silent = connectPlain(port, '127.0.0.1')
    silent.on('error', () => undefined)
    await eventually(() => listener.connections() === 1)
    listener.stopAccepting()
    listener.closeIdle()
    await listener.closed()
    const left = await eventually(() => listener.connections() === 0 && 'nothing')
    expect(left).toBe('nothing')
  })

  test('answers what is no HTTP, a slow head, and one connection too many as any other', async () => {
    const { port, seen: told } = await secure(hello, { connections: 1 })
    const nonsense = client({ port }, 'nonsense\r\n\r\n')
    await eventually(() => nonsense.seen.end !== '')
    expect(nonsense.seen.text).toMatch(/^HTTP\/1\.1 400 /)
    const slow = client({ port }, 'GET / HT')
    await eventually(() => slow.seen.end !== '')
    expect(slow.seen.text).toMatch(/^HTTP\/1\.1 408 /)
    const holder = client({ port }, GET)
    await eventually(() => holder.seen.text.includes('hello'))
    const surplus = client({ port }, GET)
    await eventually(() => surplus.seen.end !== '')
    expect(surplus.seen.text).toMatch(/^HTTP\/1\.1 503 /)
    expect(told.lines).toContain('limit connections')
  })

  test('serves a client that closed its sending side', async () => {
    const { port } = await secure(
      (_request, response) => void setTimeout(() => response.end('late'), 100),
    )
    const { socket, seen } = client({ port }, '', { allowHalfOpen: true } as ConnectionOptions)
    socket.once('secureConnect', () => socket.end(GET))
    await eventually(() => seen.end !== '')
    expect(seen.text).toContain('late')
  })

  test('shows a broken reply as broken, also one that ends with the connection', async () => {
    const { port } = await secure((request, response) => {
      response.write('half of it')
      setTimeout(() => breakConnection(request.socket), 50)
    })
    for (const version of ['1.1', '1.0']) {
      const { seen } = client({ port }, `GET / HTTP/${version}\r\nHost: x\r\n\r\n`)
      await eventually(() => seen.end !== '')
      expect(seen.text).toContain('half of it')
      expect(seen.end).toBe('ECONNRESET')
    }
  })

  test('resets a client that does not read, and not one that reads slowly', async () => {
    const big = Buffer.alloc(4 * 1024 * 1024, 'x')
    const { port, seen: told } = await secure((_request, response) => void response.end(big), {
      replyWriteTimeout: 200,
    })
    const { socket } = client({ port }, GET)
    socket.pause()
    let closed = false
    socket.once('close', () => (closed = true))
    await eventually(() => told.lines.length > 0, { within: 5000 })
    expect(told.lines).toEqual(['limit reply_write_timeout'])
    socket.resume()
    await eventually(() => closed)

    const slow = client({ port }, GET)
    slow.socket.on('data', () => {
      slow.socket.pause()
      setTimeout(() => slow.socket.resume(), 5)
    })
    await eventually(() => slow.seen.text.length > big.length, { within: 15_000 })
    expect(told.lines).toHaveLength(1)
  })

  test('may be on a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-listener-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'x.sock')
    const endpoint = { kind: 'unix', path, mode: 0o660, owner: undefined, tls: undefined } as const
    const { listener } = await secure(hello, { endpoint })
    expect(listener.address).toBe(`unix:${path}`)
    const { seen } = client({ path }, GET)
    await eventually(() => seen.text.includes('hello'))
  })
})

describe('a certificate that is replaced', () => {
  test('is shown to new connections, and breaks no old one', async () => {
    const { port, files, certificate } = await secure()
    const old = client({ port }, GET)
    await eventually(() => old.seen.text.includes('hello'))
    files.write(ca.issue())
    await certificate.reload()
    const fresh = client({ port }, GET)
    await eventually(() => fresh.seen.text.includes('hello'))
    expect(fresh.seen.serial).not.toBe(old.seen.serial)
    old.socket.write(GET)
    await eventually(() => old.seen.text.split('hello').length === 3)
    // TLS 1.2 is still the least.
    const ancient = client({ port }, GET, {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    })
    await eventually(() => ancient.seen.end !== '')
    expect(ancient.seen.text).toBe('')
  })

  test('several times under load fails no request', async () => {
    const { port, files, certificate } = await secure()
    const kept = new Agent({ keepAlive: true, maxSockets: 8, ca: ca.cert })
    onTestFinished(() => kept.destroy())
    const serials = new Set<string>()
    let [good, failed] = [0, 0]

    function ask(agent: Agent | false): Promise<void> {
      return new Promise((resolve) => {
        const call = sendRequest(
          { host: '127.0.0.1', port, servername: 'localhost', ca: ca.cert, agent },
          (reply) => {
            serials.add((reply.socket as TLSSocket).getPeerCertificate().serialNumber)
            reply.resume()
            reply.on('close', () => {
              if (reply.complete && reply.statusCode === 200) good += 1
              else failed += 1
              resolve()
            })
          },
        )
        call.on('error', () => {
          failed += 1
          resolve()
        })
        call.end()
      })
    }

    const asked: Promise<void>[] = []
    let over = false
    const load = (async () => {
      for (let count = 0; !over; count++) {
        // A third on new connections, which means a handshake each.
        for (let each = 0; each < 6; each++) asked.push(ask(each % 3 === 0 ? false : kept))
        await sleep(20)
      }
    })()
    let replaced = 0
    for (let round = 0; round < 5; round++) {
      const next = ca.issue()
      files.writeCert(next.cert.slice(0, 200))
      await certificate.reload()
      files.writeCert(next.cert)
      await certificate.reload()
      files.writeKey(next.key)
      await certificate.reload()
      if (certificate.current().cert.toString() === next.cert) replaced += 1
    }
    over = true
    await load
    await Promise.all(asked)
    expect(replaced).toBe(5)
    expect(failed).toBe(0)
    expect(good).toBeGreaterThan(300)
    expect(serials.size).toBeGreaterThanOrEqual(5)
  })
})

test('a port in use is told for TLS as for plain text', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void other.close())
  const { port } = other.address() as { port: number }
  const endpoint = { kind: 'tcp', host: '127.0.0.1', port, tls: undefined } as const
  await expect(secure(hello, { endpoint })).rejects.toThrow('something else listens there')
})

test('many clients that come at once are all served while there are places', async () => {
  const { port, seen } = await secure(
    hello,
    { connections: 100, surplus: 20, tlsHandshakeTimeout: 30_000, requestHeadTimeout: 30_000 },
    { identifies: () => true },
  )
  const clients = Array.from({ length: 60 }, () => client({ port }, GET))
  await eventually(() => clients.every(({ seen: got }) => got.text !== '' || got.end !== ''))
  expect(clients.filter(({ seen: got }) => got.text.includes('hello'))).toHaveLength(60)
  expect(seen.lines).toEqual([])
})

test('handshakes that nobody ends take no place from others where callers are identified', async () => {
  const { port, seen } = await secure(
    hello,
    { connections: 5, surplus: 20, tlsHandshakeTimeout: 60_000 },
    { identifies: () => true },
  )
  const silent = Array.from({ length: 60 }, () => connectPlain(port, '127.0.0.1'))
  onTestFinished(() => {
    for (const socket of silent) socket.destroy()
  })
  for (const socket of silent) socket.on('error', () => undefined)
  await eventually(() => seen.count('limit connections') >= 40)
  const late = client({ port }, GET)
  await eventually(() => late.seen.text !== '')
  expect(late.seen.text).toContain('hello')
})
