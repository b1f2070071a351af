import { expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import type { FaultCode } from '../../src/base/fault.ts'
import { Secret } from '../../src/base/secret.ts'
import { tokenEndpoint } from '../../src/credentials/token-endpoint.ts'
import { manualClock } from '../support/manual-clock.ts'
import { asked, token } from './support.ts'

const ID = 'organization_01h45ytscbebyvny4gc8cr8ma2'
const SECRET = 'a b+c&d=e%f/ü~*'

test('the form body is encoded by the rules of RFC 6749 appendix B', async () => {
  const upstream = asked(() => token('t'))
  await tokenEndpoint({ encoding: 'form' }, upstream, manualClock())(ID, Secret.of(SECRET))
  const [question] = upstream.questions
  expect(question).toMatchObject({
    method: 'POST',
    path: '/v1/auth/token',
    deadline: 10_000,
    maxBytes: 65_536,
  })
  expect(question?.headers.join(' ')).toContain('content-type application/x-www-form-urlencoded')
  expect(question?.body).toBe(
    `grant_type=client_credentials&client_id=${ID}&client_secret=a+b%2Bc%26d%3De%25f%2F%C3%BC%7E*`,
  )
})

test('the JSON body holds the same three fields', async () => {
  const upstream = asked(() => token('t'))
  await tokenEndpoint({ encoding: 'json' }, upstream, manualClock())(ID, Secret.of(SECRET))
  const [question] = upstream.questions
  expect(question?.headers.join(' ')).toContain('content-type application/json')
  expect(JSON.parse(question?.body ?? '')).toEqual({
    grant_type: 'client_credentials',
    client_id: ID,
    client_secret: SECRET,
  })
})

test.each<[FaultCode, string]>([
  ['upstream_timeout', 'timeout'],
  ['upstream_connect_timeout', 'timeout'],
  ['upstream_protocol', 'bad_reply'],
  ['upstream_refused', 'unreachable'],
  ['upstream_tls', 'unreachable'],
  ['upstream_terminated', 'unreachable'],
])('%s is told as %s', async (code, result) => {
  const upstream = asked(() => new Fault(code, { detail: 'in our words' }))
  const mint = tokenEndpoint({ encoding: 'form' }, upstream, manualClock())
  expect(await mint(ID, Secret.of('s'))).toMatchObject({ ok: false, result })
})

test('an error that is no Fault is hidden', async () => {
  const upstream = { ask: () => Promise.reject(new Error(SECRET)) }
  const result = await tokenEndpoint(
    { encoding: 'form' },
    upstream,
    manualClock(),
  )(ID, Secret.of(SECRET))
  expect(result).toEqual({
    ok: false,
    result: 'unreachable',
    detail: 'The token endpoint could not be asked.',
  })
})
