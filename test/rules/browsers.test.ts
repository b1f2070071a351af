// INTERMEDIARY rule 30: a page in the operator's browser can read nothing and change nothing, here
// and at the admin listener.

import { describe, expect, test } from 'vitest'

import { get, head, post, rulesKit } from './support.ts'

const kit = rulesKit()
const FOREIGN = [
  ['Origin: https://evil.example'],
  ['Origin: http://localhost:1'],
  ['Origin: https://localhost.evil.example'],
  ['Origin: http://localhost/'],
  ['Origin: localhost'],
  ['Origin: null'],
  ['Origin:'],
  ['Origin: file://'],
  ['Origin: https://evil.example', 'Origin: http://localhost'],
  ['Origin: http://localhost', 'Origin: https://evil.example'],
  ['Origin: http://localhost, https://evil.example'],
  ['origin: https://evil.example', 'Sec-Fetch-Site: same-origin'],
  ['Sec-Fetch-Site: cross-site'],
  ['Sec-Fetch-Site: same-site'],
  ['Sec-Fetch-Site: CROSS-SITE'],
  ['Sec-Fetch-Site: nonsense'],
  ['Sec-Fetch-Site:'],
  ['Sec-Fetch-Site: none', 'Sec-Fetch-Site: cross-site'],
  ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Site: none'],
  ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
  ['Connection: origin, sec-fetch-site', 'Origin: https://evil.example'],
]

describe('rule 30: the proxy', () => {
  test.each(FOREIGN)('rule 30: %s: 403, for reading and writing alike', async (...fields) => {
    for (const bytes of [
      get('/v1/x', ...fields),
      `${post(...fields, 'Content-Type: text/plain', 'Content-Length: 2')}{}`,
      head('DELETE /v1/x', 'Host: localhost', ...fields),
      head('HEAD /v1/x', 'Host: localhost', ...fields),
    ]) {
      const { text } = await kit.denied(bytes, 403)
      expect(text).not.toMatch(/^access-control-/im)
    }
  })

  test.each([
    ['Origin: https://evil.example', 'Access-Control-Request-Method: DELETE'],
    ['Origin: https://evil.example', 'Access-Control-Request-Headers: x-api-key'],
    ['Access-Control-Request-Method: POST'],
    ['Access-Control-Request-Headers: content-type'],
    ['Access-Control-Request-Private-Network: true'],
    ['Origin: http://localhost', 'Access-Control-Request-Private-Network: true'],
  ])('rule 30: a preflight (%s, %s) is refused', async (...fields) => {
    const { text } = await kit.denied(head('OPTIONS /v1/x', 'Host: localhost', ...fields), 403)
    expect(text).not.toMatch(/^access-control-/im)
  })

  test('rule 30: a name that was rebound to us is refused, whatever else is said', async () => {
    const rebound = head('GET /v1/x', 'Host: evil.example', 'Sec-Fetch-Site: same-origin')
    await kit.denied(rebound, 421)
    await kit.denied(head('GET /v1/x', 'Host: evil.example', 'Origin: http://evil.example'), 421)
  })

  test('rule 30: the local token endpoint is closed to pages too', async () => {
    const form = 'grant_type=client_credentials&client_id=a&client_secret=b'
    const fields = [
      'Content-Type: application/x-www-form-urlencoded',
      `Content-Length: ${form.length}`,
    ]
    const bytes = head(
      'POST /v1/auth/token',
      'Host: localhost',
      'Origin: https://evil.example',
      ...fields,
    )
    const { text } = await kit.denied(bytes + form, 403)
    expect(text).not.toContain('access_token')
  })

  test.each([
    [],
    ['Origin: http://localhost:8080'],
    ['Origin: https://localhost:8080'],
    ['Sec-Fetch-Site: same-origin'],
    ['Sec-Fetch-Site: none'],
  ])('rule 30: our own page or no page (%s) is served', async (...fields) => {
    const request = await kit.served(head('GET /v1/x', 'Host: localhost:8080', ...fields))
    expect(request.target).toBe('/v1/x')
  })

  test('rule 30: what the upstream allows to pages reaches no page', async () => {
    const usual = kit.upstream.respond
    kit.upstream.respond = () =>
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nAccess-Control-Expose-Headers: *\r\nAccess-Control-Allow-Private-Network: true\r\n\r\n{}'
    try {
      const { replies, text } = await kit.exchange(get('/v1/x'), { replies: 1 })
      expect(replies[0]?.body).toBe('{}')
      expect(text).not.toMatch(/^access-control-/im)
    } finally {
      kit.upstream.respond = usual
    }
  })
})

describe('rule 30: the admin listener', () => {
  const PAGES = ['/', '/livez', '/readyz', '/metrics']
  const ask = (bytes: string) =>
    kit.exchange(bytes, { replies: 1, to: Number(new URL(kit.proxy.adminOrigin).port) })

  test.each([
    ['Origin: https://evil.example'],
    ['Origin: null'],
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: same-site'],
    ['Sec-Fetch-Site: nonsense'],
  ])('rule 30: %s: 403 on every page', async (field) => {
    for (const page of PAGES) {
      const { statuses, text } = await ask(get(page, field))
      expect(statuses).toEqual([403])
      expect(text).not.toMatch(/^access-control-/im)
    }
  })

  test.each(['evil.example', 'localhost.evil.example', '0.0.0.0', 'a@localhost'])(
    'rule 30: Host: %s: refused on every page',
    async (host) => {
      for (const page of PAGES) {
        const { statuses } = await ask(head(`GET ${page}`, `Host: ${host}`))
        expect([400, 421]).toContain(statuses[0])
      }
    },
  )

  test('rule 30: it can change nothing, and answers no preflight', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      for (const page of PAGES) {
        const { statuses, text } = await ask(
          head(`${method} ${page}`, 'Host: localhost', 'Content-Length: 0'),
        )
        expect(statuses[0]).toBeGreaterThanOrEqual(400)
        expect(text).not.toMatch(/^access-control-/im)
      }
    }
  })

  test('rule 30: two Hosts, none, and bytes that are no HTTP are refused', async () => {
    for (const bytes of [
      head('GET /metrics', 'Host: localhost', 'Host: evil.example'),
      head('GET /metrics', 'Host: evil.example', 'Host: localhost'),
      head('GET /metrics', 'X-A: 1'),
      'GET /metrics HTTP/1.1\nHost: localhost\n\n',
    ]) {
      const { statuses } = await ask(bytes)
      expect([400, 421]).toContain(statuses[0])
    }
  })

  test('rule 30: an operator is served, and no page may frame or sniff it', async () => {
    for (const page of PAGES) {
      const { replies } = await ask(get(page))
      expect(replies[0]?.status).toBe(200)
      expect(replies[0]?.value('X-Frame-Options')).toBe('DENY')
      expect(replies[0]?.value('X-Content-Type-Options')).toBe('nosniff')
    }
  })
})
