// INTERMEDIARY rules 9 and 10: what a client asks of the connection itself.

import { describe, expect, test } from 'vitest'

import { BEHIND, get, head, post, rulesKit } from './support.ts'

const kit = rulesKit('limits: { body_size: { write: 1KiB } }')

describe('rule 9: Expect', () => {
  test.each(['100-continue', '100-Continue', '100-CONTINUE'])(
    'rule 9: %s: asked to go on, then served; the upstream is not asked',
    async (value) => {
      const bytes = post('Content-Length: 5', `Expect: ${value}`)
      const outcome = await kit.exchange([bytes, { wait: 60 }, 'hello'], { replies: 1 })
      expect(outcome.interim.map(({ status }) => status)).toEqual([100])
      expect(outcome.text.startsWith('HTTP/1.1 100 Continue\r\n\r\n')).toBe(true)
      expect(outcome.statuses).toEqual([200])
      expect(outcome.requests[0]).toMatchObject({ body: 'hello', complete: true })
      expect(outcome.requests[0]?.head).not.toMatch(/^expect/im)
    },
  )

  test('rule 9: with chunks, and with the body already sent', async () => {
    const chunked = post('Transfer-Encoding: chunked', 'Expect: 100-continue')
    expect((await kit.served(`${chunked}5\r\nhello\r\n0\r\n\r\n`)).body).toBe('hello')
    const measured = post('Content-Length: 5', 'Expect: 100-continue')
    expect((await kit.served(`${measured}hello`)).body).toBe('hello')
  })

  test('rule 9: without a body it is served too', async () => {
    const request = await kit.served(get('/v1/x', 'Expect: 100-continue'))
    expect(request.head).not.toMatch(/^expect/im)
  })

  test('rule 9: in HTTP/1.0 there is no 100', async () => {
    const bytes =
      'POST /v1/x HTTP/1.0\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n'
    const outcome = await kit.exchange([bytes, { wait: 30 }, 'hello'])
    expect([outcome.interim.length, outcome.statuses]).toEqual([0, [200]])
  })

  test.each([
    ['too large', post('Content-Length: 5000', 'Expect: 100-continue'), 413],
    [
      'for another host',
      head('POST /v1/x', 'Host: evil.example', 'Content-Length: 5', 'Expect: 100-continue'),
      421,
    ],
    [
      'blocked',
      head('POST /v1/users', 'Host: localhost', 'Content-Length: 5', 'Expect: 100-continue'),
      403,
    ],
    [
      'malformed',
      post('Content-Length: 5', 'Transfer-Encoding: chunked', 'Expect: 100-continue'),
      400,
    ],
    [
      'on an odd path',
      head('POST /v1/%2e%2e/x', 'Host: localhost', 'Content-Length: 5', 'Expect: 100-continue'),
      400,
    ],
  ])(
    'rule 9: a request that is %s is refused without being asked for its body',
    async (_what, bytes, status) => {
      const outcome = await kit.refused(bytes, status)
      expect(outcome.interim).toEqual([])
    },
  )

  test.each([
    '100',
    '200-ok',
    '100-continue, x',
    'x, 100-continue',
    '100-continue;a=b',
    '100 continue',
    '"100-continue"',
    'the-moon',
    '100-continue,',
    '100-continuex',
    '102-processing',
  ])('rule 9: %s: 417, and nothing is forwarded', async (value) => {
    const bytes = post('Content-Length: 5', `Expect: ${value}`)
    const outcome = await kit.refused(`${bytes}hello${BEHIND}`, 417)
    expect(outcome.interim).toEqual([])
  })

  test('rule 9: twice is refused', async () => {
    const twice = post('Content-Length: 5', 'Expect: 100-continue', 'Expect: 100-continue')
    await kit.refused(`${twice}hello${BEHIND}`, [400, 417])
  })
})

describe('rule 10: Upgrade', () => {
  const WEBSOCKET = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13']
  const SETTINGS = 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'

  test.each([
    ['websocket', ['Connection: Upgrade', 'Upgrade: websocket', ...WEBSOCKET]],
    ['websocket, spelled otherwise', ['Connection: keep-alive, uPgRaDe', 'upgrade: WebSocket']],
    ['h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', SETTINGS]],
    ['h2c, settings not named', ['Connection: Upgrade', 'Upgrade: h2c', SETTINGS]],
    ['h2c, nothing named', ['Upgrade: h2c', SETTINGS]],
    [
      'h2c in two lines of Connection',
      ['Connection: Upgrade', 'Connection: HTTP2-Settings', 'Upgrade: h2c', SETTINGS],
    ],
    ['settings alone', [SETTINGS]],
    ['a list', ['Connection: Upgrade', 'Upgrade: h2c, websocket, TLS/1.0']],
    ['TLS', ['Connection: Upgrade', 'Upgrade: TLS/1.0']],
    ['two lines', ['Connection: Upgrade', 'Upgrade: h2c', 'Upgrade: websocket']],
    ['an empty one', ['Connection: Upgrade', 'Upgrade:']],
    ['Connection alone', ['Connection: Upgrade']],
  ])('rule 10: (%s) is served as plain HTTP/1.1', async (_what, fields) => {
    // Node.js would lose what came in the same packet, and read on: so this is the last request.
    const asked =
      /^connection:.*upgrade/im.test(fields.join('\n')) && /^upgrade:/im.test(fields.join('\n'))
    const targets = asked ? ['/v1/x'] : ['/v1/x', '/v1/y']
    const outcome = await kit.exchange([get('/v1/x', ...fields), { wait: 80 }, get('/v1/y')], {
      replies: targets.length,
    })
    expect(outcome.statuses).toEqual(targets.map(() => 200))
    expect(outcome.text).not.toContain('101 ')
    expect(outcome.requests.map(({ target }) => target)).toEqual(targets)
    expect(outcome.requests[0]?.head).not.toMatch(/^(upgrade|http2-settings)|h2c/im)
  })

  test('rule 10: what stands right behind such a request is dropped', async () => {
    // Node.js takes it for the other protocol, and drops what came in the same packet.
    const bytes = get('/v1/x', 'Connection: Upgrade', 'Upgrade: h2c', SETTINGS)
    for (const behind of ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', get('/v1/y')]) {
      const outcome = await kit.exchange(bytes + behind, { replies: 1 })
      expect(outcome.statuses[0]).toBe(200)
      const targets = outcome.requests.map(({ target }) => target)
      expect(targets).toEqual(['/v1/x'])
      expect(outcome.statuses.filter((status) => status === 200)).toHaveLength(targets.length)
    }
  })

  test('rule 10: a body of a request that asks for it is a body', async () => {
    const fields = ['Connection: Upgrade', 'Upgrade: h2c', SETTINGS]
    const bytes = post(...fields, `Content-Length: ${BEHIND.length}`)
    expect((await kit.served(bytes + BEHIND)).body).toBe(BEHIND)
  })

  test.each([
    [get('/v1/x', 'Connection: Upgrade', 'Upgrade: websocket', ...WEBSOCKET)],
    [get('/v1/x')],
  ])('rule 10: a 101 of the upstream is a 502', async (bytes) => {
    const usual = kit.upstream.respond
    kit.upstream.respond = ({ target }) =>
      target === '/v1/x'
        ? 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframes'
        : usual({ target } as never)
    try {
      const outcome = await kit.exchange(bytes, { replies: 1 })
      expect(outcome.statuses).toEqual([502])
      expect(outcome.text).not.toContain('frames')
      await kit.served(get('/v1/y'))
    } finally {
      kit.upstream.respond = usual
    }
  })
})
