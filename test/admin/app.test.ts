import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { adminListener } from '../../src/admin/app.ts'
import type { Check } from '../../src/admin/health.ts'
import { send, valuesOf } from '../support/wire-client.ts'

const GOOD: Check = {
  name: 'credential',
  ok: true,
  detail: 'All is <well>.',
  facts: { role: 'viewer' },
}
const BAD: Check = { name: 'secrets', ok: false, detail: 'It is gone.', warnings: ['Soon.'] }
let checks: readonly Check[] = [GOOD]
const hostAllowed = ({ headers }: IncomingMessage) => headers.host?.startsWith('127.0.0.1') === true
const server = createServer(
  adminListener({
    checks: () => checks,
    facts: () => ({ version: '1.2.3', upstream: 'https://up', listen: ['127.0.0.1:1'], uptime: 7 }),
    metrics: {
      text: () => Promise.resolve('numbers 1\n'),
      contentType: 'text/plain; version=0.0.4',
    },
    reload: () => Promise.resolve(undefined),
    hostAllowed,
  }),
)
let port = 0

beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  ;({ port } = server.address() as AddressInfo)
})
beforeEach(() => {
  checks = [GOOD]
})
afterAll(() => void server.close())

const get = (path: string, ...headers: string[]) => send(port, { path, headers })

describe('the operators\u2019 listener', () => {
  test('is alive whatever the checks say', async () => {
    checks = [BAD]
    expect(await get('/livez')).toMatchObject({ status: 200, text: '{"status":"alive"}' })
  })

  test('is ready when every check is, and names them', async () => {
    const ready = await get('/readyz')
    expect(ready.status).toBe(200)
    expect(JSON.parse(ready.text)).toEqual({
      status: 'ready',
      checks: { credential: { ok: true, detail: 'All is <well>.', facts: { role: 'viewer' } } },
    })
    checks = [GOOD, BAD]
    const unready = await get('/readyz')
    expect(unready.status).toBe(503)
    expect(JSON.parse(unready.text)).toMatchObject({
      status: 'not_ready',
      checks: { credential: { ok: true }, secrets: { ok: false, warnings: ['Soon.'] } },
    })
  })

  test('shows the metrics in their own type', async () => {
    const reply = await get('/metrics')
    expect(reply.text).toBe('numbers 1\n')
    expect(valuesOf(reply.rawHeaders, 'content-type')).toEqual(['text/plain; version=0.0.4'])
  })

  test('shows a page without script, with every value escaped', async () => {
    checks = [GOOD, { ...BAD, detail: '<script>alert(1)</script>' }]
    const { status, text, rawHeaders } = await get('/')
    expect(status).toBe(200)
    expect(text).toContain('All is &lt;well&gt;.')
    expect(text).not.toContain('<script')
    expect(text).toContain('not ready')
    expect(valuesOf(rawHeaders, 'content-security-policy').join()).toContain("default-src 'none'")
  })

  test.each(['/v1/dns', '/v1/auth/token', '/metrics/', '/readyz/x', '/favicon.ico'])(
    'knows nothing of %s: 404',
    async (path) => {
      expect((await get(path)).status).toBe(404)
    },
  )

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('changes nothing: %s is 404', async (method) => {
    for (const path of ['/', '/livez', '/readyz', '/metrics']) {
      expect((await send(port, { method, path, body: 'x' })).status).toBe(404)
    }
  })

  test('answers under its own names only', async () => {
    const reply = await send(port, { path: '/metrics', headers: [], host: 'localhost' })
    expect(reply.status).toBe(421)
    expect(reply.text).not.toContain('numbers')
  })

  test.each([
    ['Origin', 'https://evil.example'],
    ['Origin', 'null'],
    ['Sec-Fetch-Site', 'cross-site'],
    ['Sec-Fetch-Site', 'same-site'],
  ])('shows nothing to scripts of other sites (%s: %s)', async (name, value) => {
    for (const path of ['/', '/readyz', '/metrics']) {
      const reply = await get(path, name, value)
      expect(reply.status).toBe(403)
      expect(reply.rawHeaders.join().toLowerCase()).not.toContain('access-control')
    }
  })

  test('may be opened by a link on another site, which cannot read it', async () => {
    const reply = await get('/', 'Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Mode', 'navigate')
    expect(reply.status).toBe(200)
    expect(valuesOf(reply.rawHeaders, 'x-frame-options')).toEqual(['DENY'])
  })

  test('is not changed by a form on another site, which needs no script', async () => {
    const headers = ['Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Mode', 'navigate']
    const reply = await send(port, { method: 'POST', path: '/reload', headers })
    expect(reply.status).toBe(403)
  })

  test('is never stored or sniffed', async () => {
    for (const path of ['/', '/livez', '/readyz', '/metrics', '/none']) {
      const { rawHeaders } = await get(path)
      expect(valuesOf(rawHeaders, 'cache-control')).toEqual(['no-store'])
      expect(valuesOf(rawHeaders, 'x-content-type-options')).toEqual(['nosniff'])
    }
  })
})
