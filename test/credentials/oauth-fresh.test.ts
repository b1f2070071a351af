import { expect, test } from 'vitest'

import { settle } from '../support/manual-clock.ts'
import { header, later, oauthRig, outcome, token } from './support.ts'

test('two thousand first requests share one token request', async () => {
  const rig = oauthRig((_question, count) => token(`t${count}`))
  const got = await Promise.all(Array.from({ length: 2_000 }, async () => rig.credential.obtain()))
  expect(rig.mints()).toBe(1)
  expect(new Set(got.map(header))).toEqual(new Set(['Authorization: Bearer t1']))
})

test('a held token is handed out at once, as the same object', async () => {
  const rig = oauthRig(() => token('t'))
  const first = await rig.credential.obtain()
  expect(rig.credential.obtain()).toBe(first)
})

test('start asks for the first token before any request does', async () => {
  const rig = oauthRig(() => token('t'))
  expect(rig.credential.status().usable).toBe(false)
  rig.credential.start()
  await settle()
  expect(rig.now()).toBe('Authorization: Bearer t')
  expect(rig.credential.status()).toMatchObject({
    usable: true,
    serving: 'current',
    expiresIn: 3_600_000,
  })
  expect(rig.events).toMatchObject([
    { kind: 'minted', cause: 'start', serving: 'current', expiresIn: 3_600_000 },
  ])
})

test('a due token is replaced in the background, without traffic', async () => {
  const rig = oauthRig((_question, count) => token(`t${count}`))
  rig.credential.start()
  await rig.clock.advance(2_519_000)
  expect(rig.mints()).toBe(1)
  await rig.clock.advance(2_000)
  expect(rig.mints()).toBe(2)
  expect(rig.now()).toBe('Authorization: Bearer t2')
  expect(rig.events.at(-1)).toMatchObject({ kind: 'minted', cause: 'due' })
})

test('while the refresh is under way the old token serves', async () => {
  const rig = oauthRig((_question, count) =>
    count === 1 ? token('t1') : later(rig.clock, 9_000, token('t2')),
  )
  rig.credential.start()
  await rig.clock.advance(2_525_000)
  expect(rig.mints()).toBe(2)
  expect(rig.now()).toBe('Authorization: Bearer t1')
  await rig.clock.advance(9_000)
  expect(rig.now()).toBe('Authorization: Bearer t2')
})

test.each([0, 0.5, 0.999])(
  'tokens of four seconds serve for minutes and no request waits (jitter %f)',
  async (jitter) => {
    const rig = oauthRig((_question, count) => later(rig.clock, 50, token(`t${count}`, 4)), {
      random: () => jitter,
    })
    rig.credential.start()
    await rig.clock.advance(50)
    for (let ms = 0; ms < 120_000; ms += 100) {
      expect(rig.now()).not.toBe('waits')
      await rig.clock.advance(100)
    }
    expect(rig.mints()).toBeGreaterThan(40)
    expect(rig.mints()).toBeLessThan(50)
  },
)

test('a process that slept through its timer waits for a new token rather than sending the old', async () => {
  const rig = oauthRig((_question, count) => token(`t${count}`, 100))
  await rig.credential.obtain()
  await rig.clock.advance(74_999)
  expect(rig.now()).toBe('Authorization: Bearer t1')
  rig.credential.stop()
  const late = oauthRig((_question, count) => token(`t${count}`, 100))
  await late.credential.obtain()
  await late.clock.advance(75_000)
  expect(late.now()).toBe('waits')
  await settle()
  expect(late.now()).toBe('Authorization: Bearer t2')
})

test('a slow reply does not make a token look younger', async () => {
  const rig = oauthRig(() => later(rig.clock, 4_000, token('t', 10)))
  const first = rig.credential.obtain()
  await rig.clock.advance(4_000)
  expect(await outcome(first)).toBe('Authorization: Bearer t')
  expect(rig.credential.status().expiresIn).toBe(6_000)
})

test('the wall clock may jump by a day either way, and nothing happens', async () => {
  const rig = oauthRig((_question, count) => token(`t${count}`))
  rig.credential.start()
  await settle()
  for (const jump of [86_400_000, -172_800_000]) {
    rig.clock.jumpWall(jump)
    await rig.clock.advance(1_000)
    expect(rig.now()).toBe('Authorization: Bearer t1')
  }
  expect(rig.mints()).toBe(1)
})

test('an endpoint that hands out the same dying token is asked every five seconds, not more', async () => {
  const ends = 1_000_000 + 20_000
  const rig = oauthRig(() => token('same', Math.max(1, (ends - rig.clock.now()) / 1_000)))
  rig.credential.start()
  await settle()
  let before = rig.clock.now()
  for (let ms = 0; ms < 60_000; ms += 100) {
    const mints = rig.mints()
    await rig.clock.advance(100)
    rig.now()
    if (rig.mints() === mints) continue
    expect(rig.mints() - mints).toBe(1)
    if (mints > 1) expect(rig.clock.now() - before).toBeGreaterThanOrEqual(4_900)
    before = rig.clock.now()
  }
})

test('a token that is handed out again does not begin a new life', async () => {
  const rig = oauthRig(() => token('same', 100))
  rig.credential.start()
  await rig.clock.advance(99_000)
  expect(rig.mints()).toBeGreaterThan(1)
  expect(rig.now()).not.toBe('waits')
  await rig.clock.advance(1_000)
  expect(rig.now()).toBe('waits')
})

test('stop ends the refreshes, and start begins them again', async () => {
  const rig = oauthRig((_question, count) => token(`t${count}`, 100))
  rig.credential.start()
  await settle()
  rig.credential.stop()
  await rig.clock.advance(200_000)
  expect(rig.mints()).toBe(1)
  rig.credential.start()
  await settle()
  expect(rig.now()).toBe('Authorization: Bearer t2')
})
