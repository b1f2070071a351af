import { describe, expect, test } from 'vitest'

import { apiKey } from '../../src/credentials/api-key.ts'
import { introspect } from '../../src/credentials/introspection.ts'
import type { Question } from '../../src/opusdns/question.ts'
import { manualClock, settle } from '../support/manual-clock.ts'
import { answer, asked, down, oauthRig, place, token, wrongSecret } from './support.ts'
import type { Reply } from './support.ts'

function key(text: string | undefined, previous?: string) {
  const clock = manualClock()
  const other = previous === undefined ? undefined : place(clock, previous).live
  return apiKey(
    { name: 'main' },
    { current: place(clock, text).live, previous: other, clock, observe: () => {} },
  )
}

const trial = (reply: Reply) =>
  introspect(
    key('opk_1'),
    asked(() => reply),
  )
const sent = (question: Question | undefined) => question?.headers.join(' ')

const REPLY = {
  api_key_id: 'api_key_01h45ytscbebyvny4gc8cr8ma2',
  role: 'dns_manager',
  status: 'active',
  expires_at: '2026-12-01T12:00:00Z',
}

test('the key is tried at the introspection endpoint', async () => {
  const upstream = asked(() => answer(200, REPLY))
  const facts = await introspect(key('opk_1'), upstream)
  expect(facts).toMatchObject({ outcome: 'accepted', role: 'dns_manager', status: 'active' })
  expect(upstream.questions[0]).toMatchObject({
    method: 'GET',
    path: '/v1/auth/client_credentials/introspect',
  })
  expect(sent(upstream.questions[0])).toContain('X-Api-Key opk_1')
})

test.each([
  ['2026-12-01T12:00:00Z', Date.UTC(2026, 11, 1, 12)],
  ['2026-12-01T12:00:00', Date.UTC(2026, 11, 1, 12)],
  ['2026-12-01T12:00:00.123456', Date.UTC(2026, 11, 1, 12, 0, 0, 123)],
  ['2026-12-01T12:00:00+02:00', Date.UTC(2026, 11, 1, 10)],
  ['soon', undefined],
  ['5', undefined],
  [null, undefined],
])('expires_at %s', async (expires_at, expiresOn) => {
  expect((await trial(answer(200, { ...REPLY, expires_at }))).expiresOn).toBe(expiresOn)
})

describe('a reply that is not the expected JSON still accepts', () => {
  test.each<[string, unknown]>([
    ['HTML', '<html>'],
    ['nothing', ''],
    ['null', null],
    ['an array', []],
    ['a role that is no text', { role: 5 }],
    ['a role that would break a log line', { role: 'x\nready' }],
  ])('%s', async (_name, body) => {
    const facts = await trial(answer(200, body))
    expect(facts.outcome).toBe('accepted')
    expect(facts.role).toBeUndefined()
  })
})

test.each<[Reply, string]>([
  [answer(401, {}), 'rejected'],
  [answer(403, {}), 'rejected'],
  [answer(404, {}), 'unknown'],
  [answer(405, {}), 'unknown'],
  [answer(302, ''), 'unknown'],
  [answer(429, ''), 'unreachable'],
  [answer(503, ''), 'unreachable'],
  [down(), 'unreachable'],
])('%#: the outcome is %2$s', async (reply, outcome) => {
  expect((await trial(reply)).outcome).toBe(outcome)
})

test('a key that is refused is marked, and one that is accepted is confirmed', async () => {
  const credential = key('opk_1')
  await introspect(
    credential,
    asked(() => answer(401, {})),
  )
  expect(credential.status().usable).toBe(false)
  await introspect(
    credential,
    asked(() => answer(200, REPLY)),
  )
  expect(credential.status().usable).toBe(true)
})

test('when the first key is refused the other is tried in the same trial', async () => {
  const credential = key('opk_new', 'opk_old')
  credential.start()
  await settle()
  const upstream = asked((question) =>
    answer(sent(question)?.includes('opk_old') ? 200 : 401, REPLY),
  )
  expect(await introspect(credential, upstream)).toMatchObject({ outcome: 'accepted' })
  expect(upstream.questions).toHaveLength(2)
  expect(credential.status()).toMatchObject({ usable: true, serving: 'previous' })
})

test('a key that cannot be read leaves the question open', async () => {
  expect(
    (
      await introspect(
        key(undefined),
        asked(() => down()),
      )
    ).outcome,
  ).toBe('unreachable')
})

test('a 401 to a token is no verdict, and costs no second token', async () => {
  const rig = oauthRig(() => token('t'))
  expect(
    (
      await introspect(
        rig.credential,
        asked(() => answer(401, {})),
      )
    ).outcome,
  ).toBe('unknown')
  expect(rig.mints()).toBe(1)
  expect(rig.credential.status()).toMatchObject({ usable: true })
})

test('a client secret that is refused is a rejection', async () => {
  const rig = oauthRig(() => wrongSecret())
  expect(
    (
      await introspect(
        rig.credential,
        asked(() => answer(200, REPLY)),
      )
    ).outcome,
  ).toBe('rejected')
})

test('no detail quotes a reply', async () => {
  for (const status of [200, 302, 401, 403, 404, 500]) {
    const facts = await trial(answer(status, 'CANARY', { 'x-canary': 'CANARY' }))
    expect(JSON.stringify(facts)).not.toContain('CANARY')
  }
})
