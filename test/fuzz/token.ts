// Fuzzes replies of the token endpoint: random JSON, near-misses, spoiled bytes. The outcome is a token
// that a header can carry and that lives, or a refusal in our own words; nothing throws or quotes.

import { inspect } from 'node:util'

import fc from 'fast-check'

import { tokenReply } from '../../src/credentials/token-reply.ts'
import { mutated, mutations } from './mutations.ts'
import { still } from './subject.ts'

const WALL = Date.UTC(2026, 10, 23)
/** In every token, so that a quotation would be seen. */
const MARK = 'ThisIsASecretToken'

const claims = fc.record(
  { exp: fc.anything(), iat: fc.anything(), n: fc.string() },
  { requiredKeys: [] },
)
const part = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url')
const token = fc.oneof(
  fc.constant(MARK),
  fc.string({ unit: 'binary' }).map((rest) => MARK + rest),
  fc.stringMatching(/^[A-Za-z0-9\-._~+/]{0,20}={0,3}$/).map((rest) => MARK + rest),
  fc.integer({ min: 0, max: 20_000 }).map((length) => MARK + 'x'.repeat(length)),
  fc
    .oneof(
      claims.map((it) => JSON.parse(JSON.stringify(it, plain)) as unknown),
      fc.record({ exp: fc.integer({ min: 0, max: 4e9 }), iat: fc.integer({ min: 0, max: 4e9 }) }),
      fc.jsonValue(),
    )
    .map((it) => `${part({ alg: 'none' })}.${part(it)}.${MARK}`),
)

/** JSON knows no bigint. */
function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' || typeof value === 'symbol' ? String(value) : value
}

const lifetime = fc.oneof(
  fc.integer({ min: -10, max: 100_000 }),
  fc.double(),
  fc.integer({ min: 0, max: 4_000 }).map(String),
  fc.jsonValue(),
)
const near = fc
  .record(
    {
      access_token: fc.oneof(
        { weight: 5, arbitrary: token },
        { weight: 1, arbitrary: fc.jsonValue() },
      ),
      token_type: fc.constantFrom<unknown>(
        'Bearer',
        'bearer',
        'BEARER',
        'mac',
        '',
        null,
        1,
        'Bearer ',
      ),
      expires_in: lifetime,
      code: fc.constantFrom('ERROR_AUTHENTICATION', 'ERROR_INVALID_ORGANIZATION_CREDENTIALS', MARK),
      error: fc.constantFrom('invalid_client', MARK),
      type: fc.constantFrom('request-validation-failed', MARK),
      __proto__: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((it) => JSON.stringify(it))
const body = fc.oneof(
  { weight: 4, arbitrary: near },
  {
    weight: 2,
    arbitrary: fc.tuple(near, mutations).map(([text, changes]) => mutated(text, changes)),
  },
  { weight: 1, arbitrary: fc.json().map((text) => `${text}${MARK}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '[]',
      'null',
      `"${MARK}"`,
      '{"access_token":',
      '[[[['.repeat(9_000),
    ),
  },
)
const headers = fc.record(
  {
    date: fc.oneof(
      fc.date({ noInvalidDate: true }).map((it) => it.toUTCString()),
      fc.string(),
    ),
    'retry-after': fc.oneof(
      fc.integer().map(String),
      fc.string(),
      fc.constantFrom('9'.repeat(400)),
    ),
  },
  { requiredKeys: [] },
)
const status = fc.oneof(
  { weight: 3, arbitrary: fc.constant(200) },
  { weight: 1, arbitrary: fc.constantFrom(400, 401, 404, 422, 429, 500, 302, 204) },
  { weight: 1, arbitrary: fc.integer({ min: 200, max: 599 }) },
)

const judged = fc.property(status, headers, body, (code, fields, text) => {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(fields)) given[name] = value
  const result = tokenReply({ status: code, headers: given, body: Buffer.from(text) }, WALL)
  if (inspect(result, { depth: 9 }).includes(MARK)) throw new Error('the token is quoted')
  if (result.ok) {
    const carried = result.token.reveal()
    if (code < 200 || code > 299) throw new Error(`a token from a ${code}`)
    if (!/^[A-Za-z0-9\-._~+/]+=*$/.test(carried) || carried.length > 16_384) {
      throw new Error('a token that no header carries')
    }
    if ((JSON.parse(text) as Record<string, unknown>)['access_token'] !== carried) {
      throw new Error('another token')
    }
    if (!(result.life >= 1_000 && result.life <= 86_400_000)) throw new Error(`life ${result.life}`)
    return
  }
  if (!/^[A-Z].*\.$/s.test(result.detail)) throw new Error('no sentence')
  const wait = result.retryAfter
  if (wait !== undefined && !(wait >= 0 && wait <= 60_000)) throw new Error(`a wait of ${wait}`)
  if (result.result === 'terminal' && ![400, 401, 404, 422].includes(code)) {
    throw new Error('terminal without a reason')
  }
})

/** Replies of the token endpoint. */
export const tokenSubject = still('token', 1_500, judged)
