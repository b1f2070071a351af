// Clients over TLS, by the whole proxy: guarded as over TCP, cut as visibly, and through changes of
// the certificate; and what happens when file descriptors are few.

import { spawn } from 'node:child_process'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { SEED_KEY } from '../opusdns/seed.ts'
import { certificateFiles } from '../server/certificate-files.ts'
import { authority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { localProxy } from '../support/local-proxy.ts'
import { rawUpstream } from '../support/raw-upstream.ts'
import type { RawUpstream } from '../support/raw-upstream.ts'
import { ROOT, runCommand, startRunningProxy } from '../support/running-proxy.ts'

const ca = authority('listeners test CA')
const DAY = 86_400_000
let upstream: RawUpstream

beforeAll(async () => {
  upstream = await rawUpstream()
})
afterAll(() => upstream.close())

/** Writes `bytes` over verified TLS; what came, and how it ended. */
function speak(port: number, bytes: string) {
  const seen = { text: '', end: '', serial: '' }
  const socket = connect({ host: '127.0.0.1', port, ca: ca.cert, servername: 'localhost' }, () => {
    seen.serial = socket.getPeerCertificate().serialNumber
    socket.write(bytes, 'latin1')
  })
  socket.on('data', (piece) => (seen.text += piece.toString('latin1')))
  socket.on('end', () => (seen.end ||= 'fin'))
  socket.on('error', (error: NodeJS.ErrnoException) => (seen.end = error.code ?? 'error'))
  onTestFinished(() => void socket.destroy())
  return seen
}

const get = (port: number, host = `localhost:${port}`, version = '1.1') =>
  `GET /v1/dns HTTP/${version}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`

async function tlsProxy(base: string, notAfter?: Date) {
  const files = certificateFiles(ca.issue(notAfter === undefined ? {} : { notAfter }))
  const tls = `{ certificate_file: ${files.certificateFile}, key_file: ${files.keyFile} }`
  const proxy = await startRunningProxy({
    env: { OPUSDNS_API_BASE: base, OPUSDNS_API_KEY: SEED_KEY.key, OPUSDNS_PROXY_LISTEN: '' },
    config: `listen: [{ address: '127.0.0.1:0', tls: ${tls} }]`,
  })
  const port = Number(proxy.listen[0]?.split(':')[1])
  return { files, proxy, port }
}

test('healthcheck asks an admin listener over TLS, whoever signed its certificate', async () => {
  const files = certificateFiles(ca.issue())
  const tls = `{ certificate_file: ${files.certificateFile}, key_file: ${files.keyFile} }`
  const env = { OPUSDNS_API_BASE: upstream.origin, OPUSDNS_API_KEY: SEED_KEY.key }
  const admin = (port: string) => `admin: { listen: { address: '127.0.0.1:${port}', tls: ${tls} } }`
  const proxy = await startRunningProxy({
    env: { ...env, OPUSDNS_PROXY_ADMIN: '' },
    config: admin('0'),
  })
  const port = proxy.admin.split(':')[1] ?? ''
  const { code, stdout } = await runCommand({
    args: ['healthcheck', '--live'],
    env: { OPUSDNS_PROXY_ADMIN: '' },
    config: admin(port),
  })
  expect({ code, stdout }).toEqual({ code: 0, stdout: '{"status":"alive"}\n' })
})

describe('a proxy that serves TLS', () => {
  test('forwards, guards the Host, and takes a new certificate at SIGHUP', async () => {
    const { files, proxy, port } = await tlsProxy(upstream.origin, new Date(Date.now() + 2 * DAY))
    const first = speak(port, get(port))
    await eventually(() => first.end !== '')
    expect(first.text).toMatch(/^HTTP\/1\.1 200 /)
    const stranger = speak(port, get(port, 'evil.example'))
    await eventually(() => stranger.end !== '')
    expect(stranger.text).toMatch(/^HTTP\/1\.1 421 /)

    const pages = async (path: string) => (await fetch(`${proxy.adminOrigin}${path}`)).text()
    const before = JSON.parse(await pages('/readyz')) as {
      checks: { certificates: { ok: boolean; warnings: string[] } }
    }
    expect(before.checks.certificates.ok).toBe(true)
    expect(before.checks.certificates.warnings).toHaveLength(1)
    expect(before.checks.certificates.warnings[0]).toContain(`127.0.0.1:${port} expires on `)

    const expires = Math.floor(Date.now() / 1000) * 1000 + 90 * DAY
    files.write(ca.issue({ notAfter: new Date(expires) }))
    proxy.kill('SIGHUP')
    await eventually(() => proxy.logLines('certificate changed').length === 1)
    const second = speak(port, get(port))
    await eventually(() => second.end !== '')
    expect(second.text).toMatch(/^HTTP\/1\.1 200 /)
    expect(second.serial).not.toBe(first.serial)
    const numbers = await pages('/metrics')
    const listener = `listener="127.0.0.1:${port}"`
    expect(numbers).toContain(
      `opusdns_proxy_certificate_expiry_timestamp_seconds{${listener}} ${expires / 1000}\n`,
    )
    expect(numbers).toContain(
      `opusdns_proxy_certificate_reloads_total{${listener},result="changed"} 1\n`,
    )

    files.writeKey('half of a k')
    proxy.kill('SIGHUP')
    await eventually(
      () => proxy.logLines('certificate not taken; the last good one stays').length === 1,
    )
    const third = speak(port, get(port))
    await eventually(() => third.end !== '')
    expect(third.serial).toBe(second.serial)
    expect(proxy.stdout()).not.toContain('half of a k')
  })

  test.each(['1.1', '1.0'])(
    'shows a reply that the upstream cut as broken to HTTP/%s, and lives on',
    async (version) => {
      const cutting = await rawUpstream((request) => {
        request.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
        setTimeout(() => request.socket.destroy(), 100)
      })
      onTestFinished(() => cutting.close())
      const { proxy, port } = await tlsProxy(cutting.origin)
      const seen = speak(port, get(port, undefined, version))
      await eventually(() => seen.end !== '')
      expect(seen.text).toContain('half')
      expect(seen.text).not.toContain('\r\n0\r\n')
      expect(seen.end).toBe('ECONNRESET')
      const again = speak(port, get(port, 'evil.example'))
      await eventually(() => again.end !== '')
      expect(again.text).toMatch(/^HTTP\/1\.1 421 /)
      expect(proxy.logLines().filter(({ level }) => level === 'fatal')).toEqual([])
    },
  )

  test('does not start with certificates that cannot serve, and names all of them', async () => {
    const [one, other] = [ca.issue(), ca.issue()]
    const files = { 'a.pem': one.cert, 'b.key': other.key, 'c.pem': 'nothing' }
    const entry = (cert: string) =>
      `{ address: '127.0.0.1:0', tls: { certificate_file: ${cert}, key_file: b.key } }`
    const { code, stderr } = await runCommand({
      env: { OPUSDNS_API_KEY: SEED_KEY.key, OPUSDNS_PROXY_LISTEN: '' },
      files,
      config: `listen: [${entry('a.pem')}, ${entry('c.pem')}, ${entry('gone.pem')}]`,
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(/listen\[0\]\.tls\.key_file .* b\.key\n.*does not belong.* a\.pem\n/)
    expect(stderr).toMatch(/listen\[1\]\.tls\.certificate_file .* c\.pem\n.*no certificate/)
    expect(stderr).toMatch(/listen\[2\]\.tls\.certificate_file .* gone\.pem\n.*ENOENT/)
    expect(stderr).not.toContain(other.key.split('\n')[1])
  })
})

test('what cannot be read is logged and counted by status, without a byte of it', async () => {
  const proxy = await localProxy({ base: upstream.origin })
  onTestFinished(() => proxy.stop())
  const socket = connectTcp(proxy.port, '127.0.0.1', () => socket.write('CANARY CANARY\r\n\r\n'))
  socket.resume()
  await new Promise((resolve) => void socket.once('close', resolve))
  await eventually(() => proxy.lines.some((line) => line['msg'] === 'unreadable request'))
  const line = proxy.lines.find((one) => one['msg'] === 'unreadable request')
  expect(line).toMatchObject({ level: 'info', status: 400, cause: 'HPE_INVALID_METHOD' })
  expect(JSON.stringify(proxy.lines)).not.toContain('CANARY')
  expect(await proxy.metric('requests_total', { code: '400', source: 'proxy' })).toBe(1)
})

test('64 file descriptors and 200 connections: no busy loop, and it serves again', async () => {
  const child = spawn(
    '/bin/sh',
    ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, join(ROOT, 'src/main.ts'), 'serve'],
    {
      cwd: ROOT,
      env: {
        OPUSDNS_API_BASE: upstream.origin,
        OPUSDNS_API_KEY: SEED_KEY.key,
        OPUSDNS_PROXY_LISTEN: '127.0.0.1:0',
        OPUSDNS_PROXY_ADMIN: '127.0.0.1:0',
      },
    },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (piece) => (output += String(piece)))
  child.stderr.resume()
  await eventually(() => output.includes('"msg":"ready"'), { within: 20_000 })
  const ready = JSON.parse(
    output.split('\n').find((line) => line.includes('"msg":"ready"')) ?? '{}',
  ) as { listen: string[]; admin: string }
  const port = Number(ready.listen[0]?.split(':')[1])
  const cpu = async () => {
    const text = await (await fetch(`http://${ready.admin}/metrics`)).text()
    return Number(/^process_cpu_seconds_total ([\d.]+)/m.exec(text)?.[1])
  }
  expect(output).toContain('limits.connections lowered')

  const clients = Array.from({ length: 200 }, () => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.on('error', () => undefined)
    return socket
  })
  await eventually(() => clients.filter((socket) => socket.destroyed).length > 100)
  // The pages answer although clients hold all that they may.
  const before = await cpu()
  await new Promise((resolve) => void setTimeout(resolve, 1500))
  expect((await cpu()) - before).toBeLessThan(0.75)
  for (const socket of clients) socket.destroy()
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/v1/dns`)).status === 200)
  expect(child.exitCode).toBeNull()
})
