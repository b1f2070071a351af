import { expect, test } from 'vitest'

import { settle } from '../support/manual-clock.ts'
import {
  answer,
  clientSecretOf,
  down,
  later,
  oauthRig,
  outcome,
  token,
  wrongSecret,
} from './support.ts'

const used = (rig: ReturnType<typeof oauthRig>) => rig.questions.map(clientSecretOf)

test('when the first secret is refused the other is tried at once, and the events say which serves', async () => {
  const rig = oauthRig(
    (question) => (clientSecretOf(question) === 'old' ? token('t') : wrongSecret()),
    { secret: 'new', previous: 'old' },
  )
  rig.credential.start()
  await settle()
  expect(used(rig)).toEqual(['new', 'old'])
  expect(rig.now()).toBe('Authorization: Bearer t')
  expect(rig.credential.status()).toMatchObject({ usable: true, serving: 'previous' })
  expect(rig.events).toMatchObject([
    { kind: 'mint_failed', result: 'terminal', side: 'current' },
    { kind: 'switched', serving: 'previous' },
    { kind: 'minted', serving: 'previous' },
  ])
})

test('what serves goes first the next time, and the other takes over when it is refused', async () => {
  let good = 'old'
  const rig = oauthRig(
    (question, count) =>
      clientSecretOf(question) === good ? token(`t${count}`, 100) : wrongSecret(),
    { secret: 'new', previous: 'old' },
  )
  rig.credential.start()
  await rig.clock.advance(80_000)
  expect(used(rig)).toEqual(['new', 'old', 'old'])
  good = 'new'
  await rig.clock.advance(80_000)
  expect(used(rig).slice(3)).toEqual(['old', 'new'])
  expect(rig.credential.status().serving).toBe('current')
})

test('an outage is no reason to try the other secret', async () => {
  const rig = oauthRig(() => down(), { secret: 'new', previous: 'old' })
  rig.credential.start()
  await rig.clock.advance(5_000)
  expect(new Set(used(rig))).toEqual(new Set(['new']))
})

test('when both are refused both cool down', async () => {
  const rig = oauthRig(() => wrongSecret(), { secret: 'new', previous: 'old' })
  rig.credential.start()
  await rig.clock.advance(14_999)
  expect(await outcome(rig.credential.obtain())).toBe('credential_rejected 1')
  expect(rig.mints()).toBe(2)
})

test('two names for one secret are tried once', async () => {
  const rig = oauthRig(() => wrongSecret(), { secret: 'same', previous: 'same' })
  rig.credential.start()
  await rig.clock.advance(10_000)
  expect(rig.mints()).toBe(1)
})

test('a changed secret ends the cool-down at once', async () => {
  const rig = oauthRig((question) =>
    clientSecretOf(question) === 'right' ? token('t') : wrongSecret(),
  )
  rig.credential.start()
  await rig.clock.advance(1_000)
  rig.current.write('right')
  await settle()
  await rig.clock.advance(0)
  expect(rig.now()).toBe('Authorization: Bearer t')
  expect(used(rig)).toEqual(['secret-1', 'right'])
})

test('a secret that changes while it is being refused is tried in the same attempt', async () => {
  const rig = oauthRig((question) =>
    clientSecretOf(question) === 'right' ? token('t') : later(rig.clock, 500, wrongSecret()),
  )
  const first = rig.credential.obtain()
  rig.credential.start()
  await rig.clock.advance(100)
  rig.current.write('right')
  await rig.clock.advance(400)
  expect(await outcome(first)).toBe('Authorization: Bearer t')
})

test('the old token serves while one is minted with the changed secret', async () => {
  const rig = oauthRig((_question, count) =>
    count === 1 ? token('t1') : later(rig.clock, 3_000, token('t2')),
  )
  rig.credential.start()
  await rig.clock.advance(10_000)
  rig.current.write('secret-2')
  await rig.clock.advance(0)
  expect(used(rig)).toEqual(['secret-1', 'secret-2'])
  expect(rig.now()).toBe('Authorization: Bearer t1')
  await rig.clock.advance(3_000)
  expect(rig.now()).toBe('Authorization: Bearer t2')
  expect(rig.events.at(-1)).toMatchObject({ kind: 'minted', cause: 'secret_changed' })
})

test('a secret that changes all the time does not make a storm', async () => {
  const rig = oauthRig((_question, count) => token(`t${count}`))
  rig.credential.start()
  for (let n = 0; n < 200; n++) {
    rig.current.write(`secret-${n + 10}`)
    await rig.clock.advance(100)
  }
  expect(rig.mints()).toBeLessThanOrEqual(2 + 4)
  expect(used(rig).at(-1)).not.toBe('secret-1')
})

test('the other secret may change without a token request', async () => {
  const rig = oauthRig((_question, count) => token(`t${count}`), { secret: 'new', previous: 'old' })
  rig.credential.start()
  await rig.clock.advance(10_000)
  rig.previous?.write('older')
  await rig.clock.advance(10_000)
  expect(rig.mints()).toBe(1)
})

test('a current secret that cannot be read leaves the work to the other', async () => {
  const rig = oauthRig(() => token('t'), { secret: undefined, previous: 'old' })
  rig.credential.start()
  await settle()
  expect(rig.now()).toBe('Authorization: Bearer t')
  expect(rig.credential.status().serving).toBe('previous')
})

test('neither secret nor token is in any event or status', async () => {
  const rig = oauthRig(
    (question, count) => {
      if (clientSecretOf(question) === 'CANARY-new')
        return answer(422, `{"type":"request-validation-failed","input":"CANARY-new"}`)
      return count < 4 ? answer(200, '{"access_token":"CANARY-token') : token('CANARY-token')
    },
    { secret: 'CANARY-new', previous: 'CANARY-old' },
  )
  rig.credential.start()
  const seen: string[] = []
  for (let n = 0; n < 20; n++) {
    seen.push(
      JSON.stringify([rig.credential.status(), rig.events]),
      (await outcome(rig.credential.obtain())).slice(0, 10),
    )
    await rig.clock.advance(500)
  }
  expect(rig.now()).toBe('Authorization: Bearer CANARY-token')
  expect(seen.join()).not.toContain('CANARY')
})
