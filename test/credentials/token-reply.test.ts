import { describe, expect, test } from 'vitest'

import { tokenReply } from '../../src/credentials/token-reply.ts'
import type { Answer } from '../../src/opusdns/question.ts'
import { answer, jwt, wrongSecret } from './support.ts'

const WALL = Date.UTC(2026, 10, 23)
const seconds = (wall: number) => Math.floor(wall / 1000)
const read = (reply: Answer) => tokenReply(reply, WALL)

function lifeOf(
  expires_in: unknown,
  access_token = 'opaque',
  headers: Record<string, string> = {},
) {
  const result = read(answer(200, { access_token, token_type: 'Bearer', expires_in }, headers))
  return result.ok ? result.life : result.detail
}

describe('how long a token lives', () => {
  test.each([
    ['a number', 3600, 3_600_000],
    ['a float', 3599.5, 3_599_500],
    ['a string', '3600', 3_600_000],
    ['a string with a fraction', ' 60.5 ', 60_500],
    ['more than a day', 1e9, 86_400_000],
    ['zero', 0, 300_000],
    ['a negative number', -1, 300_000],
    ['words', 'soon', 300_000],
    ['null', null, 300_000],
    ['an object', { seconds: 3600 }, 300_000],
    ['nothing', undefined, 300_000],
  ])('expires_in that is %s', (_name, value, life) => {
    expect(lifeOf(value)).toBe(life)
  })

  test('a number beyond what JSON can hold is a day', () => {
    const result = read(
      answer(200, '{"access_token":"a","token_type":"Bearer","expires_in":1e999}'),
    )
    expect(result).toMatchObject({ ok: true, life: 86_400_000 })
  })

  test('a life that nobody stated is marked as assumed', () => {
    expect(read(answer(200, { access_token: 'a' }))).toMatchObject({ assumed: true })
    expect(read(answer(200, { access_token: 'a', expires_in: 9 }))).toMatchObject({
      assumed: false,
    })
  })

  test('the exp of a JWT stands in for a missing expires_in', () => {
    expect(lifeOf(undefined, jwt({ exp: seconds(WALL) + 120 }))).toBe(120_000)
  })

  test('the earlier of exp and expires_in wins, either way', () => {
    expect(lifeOf(3600, jwt({ exp: seconds(WALL) + 120 }))).toBe(120_000)
    expect(lifeOf(60, jwt({ exp: seconds(WALL) + 120 }))).toBe(60_000)
  })

  test('exp is judged by the endpoint’s Date, so our clock may be hours wrong', () => {
    const theirs = WALL - 7_200_000
    const date = new Date(theirs).toUTCString()
    expect(lifeOf(3600, jwt({ exp: seconds(theirs) + 600 }), { date })).toBe(600_000)
  })

  test('whole seconds in a JWT may hide one: a token of less than four is trusted for less', () => {
    expect(lifeOf(undefined, jwt({ exp: seconds(WALL) + 4 }))).toBe(4_000)
    expect(lifeOf(undefined, jwt({ exp: seconds(WALL) + 3 }))).toBe(2_666)
    expect(lifeOf(undefined, jwt({ exp: seconds(WALL) + 1 }))).toContain('expired already')
  })

  test('without a Date the token’s own iat tells the time', () => {
    expect(lifeOf(3600, jwt({ iat: 1_000_000, exp: 1_000_090 }))).toBe(90_000)
  })

  test('a Date that is none is ignored', () => {
    const exp = seconds(WALL) + 120
    expect(lifeOf(undefined, jwt({ exp }), { date: '1' })).toBe(120_000)
  })

  test.each([
    ['seconds as words', { exp: 'soon' }],
    ['nothing', {}],
    ['null', { exp: null }],
  ])('a JWT whose exp is %s says nothing', (_name, claims) => {
    expect(lifeOf(undefined, jwt(claims))).toBe(300_000)
  })

  test('three parts that are no JWT say nothing', () => {
    expect(lifeOf(60, 'a.b.c')).toBe(60_000)
  })

  test('a token that is dead on arrival is a bad reply that is not asked for again at once', () => {
    const result = read(answer(200, { access_token: jwt({ exp: seconds(WALL) - 5 }) }))
    expect(result).toMatchObject({ ok: false, result: 'bad_reply', retryAfter: 5_000 })
  })
})

describe('bad replies', () => {
  const good = { access_token: 'abc', token_type: 'Bearer', expires_in: 60 }
  test.each<[string, Answer, string]>([
    ['an empty body', answer(200, ''), 'bad_reply'],
    ['no content', answer(204, ''), 'bad_reply'],
    ['HTML', answer(200, '<html>'), 'bad_reply'],
    ['half a body', answer(200, JSON.stringify(good).slice(0, 20)), 'bad_reply'],
    ['an array', answer(200, [good]), 'bad_reply'],
    ['null', answer(200, null), 'bad_reply'],
    [
      'bytes that are not UTF-8',
      { ...answer(200, ''), body: Buffer.from([0x22, 0xff, 0x22]) },
      'bad_reply',
    ],
    ['more than 64 KiB', answer(200, { ...good, pad: 'x'.repeat(65_536) }), 'bad_reply'],
    ['no token', answer(200, { ...good, access_token: undefined }), 'bad_reply'],
    ['an empty token', answer(200, { ...good, access_token: '' }), 'bad_reply'],
    ['a token that is a number', answer(200, { ...good, access_token: 5 }), 'bad_reply'],
    ['a token with a space', answer(200, { ...good, access_token: 'a b' }), 'bad_reply'],
    ['a token with a line break', answer(200, { ...good, access_token: 'a\r\nx: y' }), 'bad_reply'],
    ['a token with an umlaut', answer(200, { ...good, access_token: 'ä' }), 'bad_reply'],
    [
      'a token beyond 16 KiB',
      answer(200, { ...good, access_token: 'a'.repeat(16_385) }),
      'bad_reply',
    ],
    ['another token type', answer(200, { ...good, token_type: 'mac' }), 'bad_reply'],
    ['a token type that is no text', answer(200, { ...good, token_type: 1 }), 'bad_reply'],
    ['a redirect', answer(302, '', { location: 'https://evil.example/' }), 'http_3xx'],
    ['a 500', answer(500, 'oops'), 'http_5xx'],
    ['a 429', answer(429, ''), 'http_429'],
    ['a 403', answer(403, {}), 'http_4xx'],
    ['a 401 in HTML', answer(401, '<h1>401</h1>'), 'http_4xx'],
    ['a 401 with an unknown code', answer(401, { code: 'ERROR_OTHER' }), 'http_4xx'],
    ['a 404 of the router', answer(404, { detail: 'Not Found' }), 'http_4xx'],
    ['a 400 that is not about the client', answer(400, { error: 'invalid_request' }), 'http_4xx'],
  ])('%s can be retried', (_name, reply, result) => {
    expect(read(reply)).toMatchObject({ ok: false, result })
  })

  test.each<[string, Answer]>([
    ['the real 401', wrongSecret()],
    [
      'the 401 of the specification',
      answer(401, { type: 'authentication', code: 'ERROR_AUTHENTICATION' }),
    ],
    [
      'the real 404',
      answer(404, { type: 'organization-not-found', code: 'ERROR_ORGANIZATION_NOT_FOUND' }),
    ],
    ['invalid_client with 400', answer(400, { error: 'invalid_client' })],
    ['invalid_client with 401', answer(401, { error: 'invalid_client' })],
    ['a validation error', answer(422, { type: 'request-validation-failed', errors: [] })],
  ])('%s is terminal', (_name, reply) => {
    expect(read(reply)).toMatchObject({ ok: false, result: 'terminal' })
  })

  test('token_type may be missing, and is compared without case', () => {
    expect(read(answer(200, { ...good, token_type: undefined })).ok).toBe(true)
    expect(read(answer(200, { ...good, token_type: 'bEaReR' })).ok).toBe(true)
  })

  test('no text quotes the body', () => {
    const marked = 'CANARY-5d41'
    const bodies = [`{"access_token":"${marked}`, marked, `"${marked}"`, `{"detail":"${marked}"}`]
    for (const status of [200, 302, 400, 401, 404, 422, 500]) {
      for (const body of [
        ...bodies,
        `{"type":"request-validation-failed","errors":[{"input":"${marked}"}]}`,
      ]) {
        const result = read(answer(status, body, { 'retry-after': marked, date: marked }))
        expect(result.ok).toBe(false)
        expect(JSON.stringify(result)).not.toContain(marked)
      }
    }
  })

  test('a good token is hidden in the result', () => {
    expect(JSON.stringify(read(answer(200, good)))).not.toContain('abc')
  })
})

describe('Retry-After', () => {
  const wait = (value: string, headers = {}) => {
    const result = read(answer(503, '', { 'retry-after': value, ...headers }))
    return result.ok ? 'ok' : result.retryAfter
  }

  test.each([
    ['7', 7_000],
    ['0', 0],
    ['3600', 60_000],
    ['9'.repeat(400), 60_000],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['', undefined],
  ])('%s', (value, ms) => {
    expect(wait(value)).toBe(ms)
  })

  test('a date counts from the reply’s own Date', () => {
    const date = 'Mon, 23 Nov 2026 10:00:00 GMT'
    expect(wait('Mon, 23 Nov 2026 10:00:20 GMT', { date })).toBe(20_000)
    expect(wait('Mon, 23 Nov 2026 09:00:00 GMT', { date })).toBe(0)
    expect(wait('Mon, 23 Nov 2026 00:00:30 GMT')).toBe(30_000)
  })
})
