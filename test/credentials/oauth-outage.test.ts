import { expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { settle } from '../support/manual-clock.ts'
import { answer, down, later, oauthRig, outcome, token, wrongSecret } from './support.ts'

test('a failed first token is shared by all who wait, and told at once', async () => {
  const rig = oauthRig(() => later(rig.clock, 300, down()))
  const waiting = Array.from({ length: 100 }, () => rig.credential.obtain())
  for (const one of waiting) Promise.resolve(one).catch(() => {})
  await rig.clock.advance(300)
  for (const one of waiting) expect(await outcome(one)).toMatch(/^token_unavailable \d+$/)
  expect(rig.mints()).toBe(1)
})

test('a caller waits five seconds at most, and the request goes on without it', async () => {
  const rig = oauthRig(() => later(rig.clock, 8_000, token('t')))
  const first = rig.credential.obtain() as Promise<never>
  first.catch(() => {})
  await rig.clock.advance(4_999)
  expect(await outcome(first)).toBe('pending')
  await rig.clock.advance(1)
  expect(await outcome(first)).toBe('token_unavailable 1')
  await rig.clock.advance(3_000)
  expect(rig.now()).toBe('Authorization: Bearer t')
  expect(rig.mints()).toBe(1)
})

test('a valid token serves through an outage, until its hard stop', async () => {
  let up = true
  const rig = oauthRig(() => (up ? token('t', 400) : down()))
  rig.credential.start()
  await settle()
  up = false
  await rig.clock.advance(369_999)
  expect(rig.mints()).toBeGreaterThan(1)
  expect(rig.now()).toBe('Authorization: Bearer t')
  expect(rig.credential.status()).toMatchObject({ usable: true })
  expect(rig.credential.status().warnings.join()).toContain('The refresh fails')
  await rig.clock.advance(1)
  expect(rig.now()).toBe('waits')
  expect(rig.credential.status()).toMatchObject({ usable: false })
})

test('the back-off grows to half a minute while a valid token is held', async () => {
  const times: number[] = []
  const rig = oauthRig(
    (_question, count) => {
      times.push(rig.clock.now())
      return count === 1 ? token('t', 3_600) : down()
    },
    { random: () => 0.999 },
  )
  rig.credential.start()
  await rig.clock.advance(2_700_000)
  const gaps = times.slice(2).map((at, index) => Math.round(at - (times[index + 1] ?? 0)))
  expect(gaps.slice(0, 9)).toEqual([500, 999, 1998, 3996, 7992, 15984, 29970, 29970, 29970])
})

test('no request queues behind a back-off', async () => {
  const rig = oauthRig(() => down())
  rig.credential.start()
  await settle()
  const before = rig.mints()
  for (let n = 0; n < 50; n++)
    expect(await outcome(rig.credential.obtain())).toBe('token_unavailable 1')
  expect(rig.mints()).toBe(before)
})

test('with requests coming, recovery takes less than a second after any length of outage', async () => {
  for (const length of [1_000, 20_000, 300_000]) {
    let up = false
    const rig = oauthRig(() => (up ? token('t') : down()), { random: () => 0.999 })
    rig.credential.start()
    for (let ms = 0; ms < length; ms += 250) {
      rig.now()
      await rig.clock.advance(250)
    }
    up = true
    rig.now()
    await rig.clock.advance(800)
    expect(rig.now()).toBe('Authorization: Bearer t')
    // At most four tries a second, for all that.
    expect(rig.mints()).toBeLessThan(4 * (length / 1_000) + 4)
  }
})

test('a request after a quiet time in a long back-off starts the next try and gets its token', async () => {
  let up = false
  const rig = oauthRig(() => (up ? token('t') : down()), { random: () => 0.999 })
  rig.credential.start()
  await rig.clock.advance(50_000)
  up = true
  expect(await outcome(rig.credential.obtain())).toBe('Authorization: Bearer t')
})

test('without requests the endpoint is left alone for longer and longer, and recovers alone', async () => {
  let up = false
  const rig = oauthRig(() => (up ? token('t') : down()), { random: () => 0.999 })
  rig.credential.start()
  await rig.clock.advance(300_000)
  expect(rig.mints()).toBeLessThan(20)
  up = true
  await rig.clock.advance(30_000)
  expect(rig.now()).toBe('Authorization: Bearer t')
})

test('Retry-After is honoured, up to a minute, and told to the clients', async () => {
  const rig = oauthRig((_question, count) =>
    count === 1 ? answer(429, '', { 'retry-after': '20' }) : token('t'),
  )
  rig.credential.start()
  await settle()
  expect(await outcome(rig.credential.obtain())).toBe('token_unavailable 20')
  await rig.clock.advance(19_999)
  expect(rig.mints()).toBe(1)
  expect(await outcome(rig.credential.obtain())).toBe('token_unavailable 1')
  await rig.clock.advance(2)
  expect(rig.now()).toBe('Authorization: Bearer t')
})

test('a Retry-After of an hour holds for a minute', async () => {
  const rig = oauthRig((_question, count) =>
    count === 1 ? answer(503, '', { 'retry-after': '3600' }) : token('t'),
  )
  rig.credential.start()
  await settle()
  expect(await outcome(rig.credential.obtain())).toBe('token_unavailable 60')
  await rig.clock.advance(60_001)
  expect(rig.now()).toBe('Authorization: Bearer t')
})

test('a terminal answer cools down for fifteen seconds', async () => {
  const rig = oauthRig(() => wrongSecret())
  rig.credential.start()
  await settle()
  expect(await outcome(rig.credential.obtain())).toBe('credential_rejected 15')
  await rig.clock.advance(14_999)
  expect(rig.mints()).toBe(1)
  await rig.clock.advance(1)
  expect(rig.mints()).toBe(2)
  expect(rig.credential.status()).toMatchObject({ usable: false })
  expect(rig.credential.status().detail).toContain('client secret is wrong')
})

test('a terminal answer takes nothing from a token that is still valid', async () => {
  const rig = oauthRig((_question, count) => (count === 1 ? token('t', 400) : wrongSecret()))
  rig.credential.start()
  await rig.clock.advance(369_000)
  expect(rig.mints()).toBeGreaterThan(2)
  expect(rig.now()).toBe('Authorization: Bearer t')
})

test('a request that never ends is given up, and its late answer cannot replace a newer one', async () => {
  const rig = oauthRig((_question, count) =>
    count === 1 ? later(rig.clock, 20_000, token('old')) : token(`new${count}`),
  )
  rig.credential.start()
  await rig.clock.advance(12_000)
  expect(rig.events).toMatchObject([{ kind: 'mint_failed', result: 'timeout' }])
  await rig.clock.advance(1_000)
  expect(rig.now()).toBe('Authorization: Bearer new2')
  await rig.clock.advance(10_000)
  expect(rig.now()).toBe('Authorization: Bearer new2')
})

test('each failure is told with its word, its cause and the time of the next try', async () => {
  const replies = [
    new Fault('upstream_timeout', { detail: 'late' }),
    answer(502, '<html>'),
    answer(200, '{'),
  ]
  const rig = oauthRig((_question, count) => replies[count - 1] ?? token('t'))
  rig.credential.start()
  await rig.clock.advance(5_000)
  expect(rig.events.slice(0, 4)).toMatchObject([
    { kind: 'mint_failed', result: 'timeout', cause: 'start', retryIn: 250 },
    { kind: 'mint_failed', result: 'http_5xx', cause: 'start', retryIn: 500 },
    { kind: 'mint_failed', result: 'bad_reply', cause: 'start', retryIn: 1_000 },
    { kind: 'minted', cause: 'start' },
  ])
})

test('a secret that cannot be read yet is a 503, and its appearance ends it', async () => {
  const rig = oauthRig(() => token('t'), { secret: undefined })
  rig.credential.start()
  await settle()
  expect(await outcome(rig.credential.obtain())).toBe('secret_unavailable 1')
  expect(rig.events.at(-1)).toMatchObject({ kind: 'mint_failed', result: 'secret_unavailable' })
  rig.current.write('secret-1')
  await rig.clock.advance(1_000)
  expect(rig.now()).toBe('Authorization: Bearer t')
  expect(rig.mints()).toBe(1)
})
