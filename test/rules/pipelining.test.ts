// INTERMEDIARY rules 11 and 12: several requests on one connection, and answers that come early.

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'

import { reply } from './recorder.ts'
import { BEHIND, drip, get, head, post, rulesKit } from './support.ts'

const kit = rulesKit(
  'limits: { request_head_timeout: 400ms, request_body_idle_timeout: 400ms, body_size: { read: 1KiB, write: 64KiB } }',
)

/** The upstream says which target it answers, `/v1/slow...` late, until `run` is over. */
async function named<T>(run: () => Promise<T>): Promise<T> {
  const usual = kit.upstream.respond
  kit.upstream.respond = ({ target, body, socket }) => {
    const text = reply(`${target} ${body}`)
    if (!target.startsWith('/v1/slow')) return text
    void delay(80).then(() => socket.write(text, 'latin1'))
    return undefined
  }
  try {
    return await run()
  } finally {
    kit.upstream.respond = usual
  }
}

describe('rule 11: pipelining', () => {
  test('rule 11: replies come in order, each to its own request, however late the first is', async () => {
    const bytes =
      get('/v1/slow1') +
      `${post('Content-Length: 5')}hello` +
      `${post('Transfer-Encoding: chunked')}5\r\nworld\r\n0\r\n\r\n` +
      head('HEAD /v1/h', 'Host: localhost') +
      get('/v1/slow2') +
      get('/v1/last')
    const outcome = await named(() => kit.exchange(bytes, { replies: 6 }))
    expect(outcome.statuses).toEqual([200, 200, 200, 200, 200, 200])
    const bodies = outcome.replies.map(({ body }) => body.trim())
    expect(bodies).toEqual(['/v1/slow1', '/v1/x hello', '/v1/x world', '', '/v1/slow2', '/v1/last'])
  })

  test('rule 11: also when they come byte by byte', async () => {
    const bytes = drip(get('/v1/a') + `${post('Content-Length: 5')}hello` + get('/v1/b'), 7)
    const outcome = await named(() => kit.exchange(bytes, { replies: 3 }))
    expect(outcome.replies.map(({ body }) => body.trim())).toEqual([
      '/v1/a',
      '/v1/x hello',
      '/v1/b',
    ])
  })

  test.each([
    ['garbage', 'GARBAGE\r\n\r\n'],
    ['a bad field', get('/v1/x', 'X A: 1')],
    ['two framings', `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`],
    ['another coding', `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`],
    ['two Hosts', head('GET /v1/x', 'Host: localhost', 'Host: localhost')],
    ['two types', post('Content-Type: a/b', 'Content-Type: a/b', 'Content-Length: 0')],
    ['an odd path', get('/v1/%2e%2e/x')],
    ['no version', 'GET /v1/x\r\n\r\n'],
    ['an expectation', `${post('Expect: x', 'Content-Length: 5')}hello`],
    ['a body too large', post('Content-Length: 99999')],
    ['a chunk that is wrong', `${post('Transfer-Encoding: chunked')}zz\r\n`],
    ['a tunnel', head('CONNECT evil.example:443', 'Host: evil.example:443')],
    [
      'HTTP/1.0 with chunks',
      'POST /v1/x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])(
    'rule 11: %s in the middle: the first is answered, the last is not served',
    async (_what, bytes) => {
      for (const first of ['/v1/slow', '/v1/fast']) {
        const outcome = await named(() => kit.exchange(get(first) + bytes + BEHIND))
        expect(outcome.end).not.toBe('quiet')
        expect(outcome.replies[0]).toMatchObject({ status: 200, body: `${first} `, complete: true })
        // The refusal may be left out, but never comes first.
        expect(outcome.statuses.slice(1).filter((status) => status < 400)).toEqual([])
        expect(outcome.statuses.length).toBeLessThanOrEqual(2)
        const next = await kit.exchange(get('/v1/next'), { replies: 1 })
        const targets = [...outcome.requests, ...next.requests].map(({ target }) => target)
        expect(targets).toEqual([first, '/v1/next'])
      }
    },
  )

  test.each([
    ['an unknown path', get('/nowhere'), 404],
    ['another host', head('GET /v1/x', 'Host: evil.example'), 421],
    ['a blocked operation', get('/v1/auth/client_credentials'), 403],
    ['a method that is unknown here', head('TRACE /v1/x', 'Host: localhost'), 405],
  ])(
    'rule 11: %s, whose framing is sound, harms nobody behind it',
    async (_what, bytes, status) => {
      const outcome = await named(() =>
        kit.exchange(get('/v1/a') + bytes + get('/v1/b'), { replies: 3 }),
      )
      expect(outcome.statuses).toEqual([200, status, 200])
      expect(outcome.replies[2]?.body).toBe('/v1/b ')
      expect(outcome.requests.map(({ target }) => target)).toEqual(['/v1/a', '/v1/b'])
    },
  )

  test('rule 11: nothing behind Connection: close is served', async () => {
    const outcome = await kit.exchange(get('/v1/x', 'Connection: close') + BEHIND)
    expect([outcome.statuses, outcome.end]).toEqual([[200], 'fin'])
    expect(outcome.requests.map(({ target }) => target)).toEqual(['/v1/x'])
  })

  test('rule 11: a refused body is never read as a request', async () => {
    for (const path of ['/nowhere', '/v1/users', '/v1/%2e%2e/x']) {
      const bytes = head(`POST ${path}`, 'Host: localhost', `Content-Length: ${BEHIND.length}`)
      await kit.refused([bytes, { wait: 20 }, BEHIND], [400, 403, 404])
      await kit.refused(bytes + BEHIND, [400, 403, 404])
    }
  })
})

describe('rule 12: early answers', () => {
  test('rule 12: 414 for a target over its bound', async () => {
    await kit.denied(get(`/v1/x?${'a'.repeat(29_000)}`), 414)
    await kit.denied(get(`/v1/${'a'.repeat(29_000)}`), 414)
    expect((await kit.served(get(`/v1/x?${'a'.repeat(28_000)}`))).target).toHaveLength(28_006)
  })

  test('rule 12: 431 for a head over its bound, in one field, in many, or without an end', async () => {
    await kit.refused(get('/v1/x', `X-A: ${'a'.repeat(40_000)}`), 431)
    await kit.refused(get('/v1/x', ...Array<string>(500).fill(`X-A: ${'a'.repeat(90)}`)), 431)
    await kit.refused(get('/v1/x', `${'X'.repeat(40_000)}: a`), 431)
    await kit.refused(`GET /v1/x HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(200_000)}`, 431)
    await kit.refused(`GET /${'a'.repeat(200_000)}`, [414, 431])
  })

  test('rule 12: 413 by the length alone, before a byte of the body', async () => {
    await kit.refused(post('Content-Length: 65537'), 413)
    await kit.refused(get('/v1/x', 'Content-Length: 1025'), 413)
    await kit.refused(post('Content-Length: 999999999999999'), 413)
  })

  test('rule 12: 413 can be read although the client goes on writing', async () => {
    const body = 'x'.repeat(500_000)
    const { replies } = await kit.refused([post('Content-Length: 500000'), body], 413)
    expect(replies[0]?.complete).toBe(true)
    await kit.refused([post('Content-Length: 500000'), ...drip(body, 50_000)], 413)
  })

  test('rule 12: 413 for chunks that grow over the bound, and the upstream never has a whole request', async () => {
    const chunk = `2710\r\n${'x'.repeat(10_000)}\r\n`
    const outcome = await kit.exchange([post('Transfer-Encoding: chunked'), chunk.repeat(8)])
    expect([outcome.statuses, outcome.end === 'quiet']).toEqual([[413], false])
    expect(outcome.requests.filter(({ complete }) => complete)).toEqual([])
  })

  test.each([
    ['stops in its request line', 'GET /v1'],
    ['stops behind its request line', 'GET /v1/x HTTP/1.1\r\n'],
    ['stops in a field', 'GET /v1/x HTTP/1.1\r\nHost: local'],
    ['stops before its empty line', 'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n'],
  ])('rule 12: 408 for a head that %s', async (_what, bytes) => {
    await kit.refused(bytes, 408)
  })

  test('rule 12: 408 for a head that drips, however steadily', async () => {
    const slow = [...get('/v1/x', 'X-A: 1')].flatMap((byte) => [byte, { wait: 50 }])
    await kit.refused(slow, 408)
  })

  test.each([
    ['has no body at all', post('Content-Length: 5')],
    ['stops in its body', `${post('Content-Length: 5')}hel`],
    ['stops between chunks', `${post('Transfer-Encoding: chunked')}5\r\nhello\r\n`],
    ['stops before its last line', `${post('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n`],
  ])('rule 12: 408 for a request that %s', async (_what, bytes) => {
    await kit.refused(bytes, 408)
  })

  test('rule 12: a head cut short by the end of the connection is no request', async () => {
    const outcome = await kit.exchange([
      'GET /v1/x HTTP/1.1\r\nHost: localhost\r\n',
      { wait: 30 },
      { fin: true },
    ])
    expect(outcome.end).not.toBe('quiet')
    expect(outcome.statuses.filter((status) => status !== 400)).toEqual([])
    expect(outcome.requests).toEqual([])
  })
})
