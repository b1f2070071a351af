import { expect, test } from 'vitest'

import { echoFilter } from '../../src/credentials/echo.ts'
import type { Attachment } from '../../src/credentials/credential.ts'
import { settle } from '../support/manual-clock.ts'
import { down, later, oauthRig, outcome, token, wrongSecret } from './support.ts'

async function ready(script: Parameters<typeof oauthRig>[0], first = 20_000) {
  const rig = oauthRig(script)
  rig.credential.start()
  await rig.clock.advance(first)
  return { ...rig, held: rig.credential.obtain() as Attachment }
}

test('a hundred 401s to one revoked token cost one token request, and all get the new token', async () => {
  const rig = await ready((_question, count) => token(`t${count}`))
  const replays = await Promise.all(
    Array.from({ length: 100 }, () => rig.credential.reject(rig.held)),
  )
  expect(rig.mints()).toBe(2)
  for (const replay of replays)
    expect(await outcome(Promise.resolve(replay))).toBe('Authorization: Bearer t2')
  expect(rig.events.filter((event) => event.kind === 'rejected')).toHaveLength(1)
  expect(rig.events.at(-1)).toMatchObject({ kind: 'minted', cause: 'rejected' })
})

test('a token revoked right after the first was minted is replaced at once', async () => {
  const rig = await ready((_question, count) => token(`t${count}`), 0)
  expect(await outcome((await rig.credential.reject(rig.held)) as Attachment)).toBe(
    'Authorization: Bearer t2',
  )
})

test('a late 401 of an old token gets the newer one and does not harm it', async () => {
  const rig = await ready((_question, count) => token(`t${count}`))
  const newer = await rig.credential.reject(rig.held)
  expect(await rig.credential.reject(rig.held)).toBe(newer)
  await rig.clock.advance(10_000)
  expect(await rig.credential.reject(rig.held)).toBe(newer)
  expect(rig.mints()).toBe(2)
  expect(rig.credential.obtain()).toBe(newer)
})

test('there is no replay when the new token equals the old', async () => {
  const rig = await ready(() => token('same'))
  expect(await rig.credential.reject(rig.held)).toBeUndefined()
  expect(rig.mints()).toBe(2)
  expect(await rig.credential.reject(rig.held)).toBeUndefined()
  expect(rig.mints()).toBe(2)
  expect(rig.credential.status().warnings.join()).toContain('OpusDNS answered 401')
  expect(rig.events.filter((event) => event.kind === 'rejected')).toHaveLength(1)
})

test('there is no replay when the refresh fails, and the token serves on', async () => {
  const rig = await ready((_question, count) => (count === 1 ? token('t1') : down()))
  expect(await rig.credential.reject(rig.held)).toBeUndefined()
  expect(rig.now()).toBe('Authorization: Bearer t1')
  expect(rig.credential.status()).toMatchObject({ usable: true })
  expect(rig.credential.status().warnings.join()).toContain('401')
})

test('a 401 in a back-off asks for nothing, and the refresh is made up for in the background', async () => {
  let up = false
  const rig = await ready((_question, count) => (up || count === 1 ? token(`t${count}`) : down()))
  await rig.credential.reject(rig.held)
  const before = rig.mints()
  expect(await rig.credential.reject(rig.held)).toBeUndefined()
  expect(rig.mints()).toBe(before)
  up = true
  await rig.clock.advance(1_000)
  expect(rig.now()).toBe(`Authorization: Bearer t${before + 1}`)
})

test('the answer to a 401 comes within five seconds, however slow the endpoint', async () => {
  const rig = await ready((_question, count) =>
    count === 1 ? token('t1') : later(rig.clock, 9_000, token('t2')),
  )
  const replay = rig.credential.reject(rig.held)
  await rig.clock.advance(4_999)
  expect(await outcome(replay)).toBe('pending')
  expect(rig.now()).toBe('Authorization: Bearer t1')
  await rig.clock.advance(1)
  expect(await outcome(replay)).toBe('none')
  await rig.clock.advance(4_000)
  expect(rig.now()).toBe('Authorization: Bearer t2')
})

test('an upstream that answers 401 to everything causes no storm', async () => {
  const rig = await ready((_question, count) => token(`t${count}`), 0)
  for (let ms = 0; ms < 60_000; ms += 50) {
    const used = rig.credential.obtain() as Attachment
    const replay = await rig.credential.reject(used)
    if (replay !== undefined) void rig.credential.reject(replay)
    await rig.clock.advance(50)
  }
  // The first token, its replacement, and one in each five seconds.
  expect(rig.mints()).toBeLessThanOrEqual(2 + 12)
  expect(rig.mints()).toBeGreaterThan(5)
})

test('a 401 that meets a refresh under way joins it', async () => {
  const rig = await ready(
    (_question, count) =>
      count === 1 ? token('t1', 100) : later(rig.clock, 1_000, token('t2', 100)),
    68_500,
  )
  await rig.clock.advance(1_000)
  expect(rig.mints()).toBe(2)
  const replay = rig.credential.reject(rig.held)
  await rig.clock.advance(1_000)
  expect(await outcome(replay)).toBe('Authorization: Bearer t2')
  expect(rig.mints()).toBe(2)
})

test('a foreign attachment is nobody’s business', async () => {
  const rig = await ready(() => token('t'))
  expect(await rig.credential.reject({ attach() {}, echo: echoFilter([]) })).toBeUndefined()
  await settle()
  expect(rig.mints()).toBe(1)
})

test('one 401 is no refusal while another token can be had, and is one while none can', async () => {
  let good = true
  const rig = await ready((_question, count) => (good ? token(`t${count}`) : wrongSecret()))
  const replay = rig.credential.reject(rig.held)
  expect(rig.credential.status().refused).toBe(false)
  await replay
  const other = await ready((_question, count) => (good ? token(`t${count}`) : wrongSecret()))
  good = false
  expect(await other.credential.reject(other.held)).toBeUndefined()
  expect(other.credential.status()).toMatchObject({ usable: true, refused: true })
  good = true
  await other.clock.advance(20_000)
  expect(other.credential.status()).toMatchObject({ usable: true, refused: false })
})

test('a refused secret is asked with again after its cool-down, also when the timer is early', async () => {
  let good = true
  const rig = oauthRig((_question, count) => (good ? token(`t${count}`) : wrongSecret()), {
    early: 0.5,
  })
  rig.credential.start()
  await rig.clock.advance(20_000)
  good = false
  await rig.credential.reject(rig.credential.obtain() as Attachment)
  good = true
  await rig.clock.advance(16_000)
  expect(rig.now()).toBe('Authorization: Bearer t3')
})
