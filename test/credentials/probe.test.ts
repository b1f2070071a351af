import { expect, test } from 'vitest'

import { apiKey } from '../../src/credentials/api-key.ts'
import type { CredentialEvent } from '../../src/credentials/events.ts'
import type { Triable } from '../../src/credentials/introspection.ts'
import { credentialProbe } from '../../src/credentials/probe.ts'
import { manualClock } from '../support/manual-clock.ts'
import type { ManualClock } from '../support/manual-clock.ts'
import { answer, asked, down, later, oauthRig, place, token } from './support.ts'
import type { Reply } from './support.ts'

const HOUR = 3_600_000
const good = (fields: object = {}) =>
  answer(200, { role: 'dns_manager', status: 'active', ...fields })

function rig(script: (count: number) => Reply, of?: { credential: Triable; clock: ManualClock }) {
  const clock = of?.clock ?? manualClock()
  const upstream = asked((_question, count) => script(count))
  const events: CredentialEvent[] = []
  const observe = (event: CredentialEvent) => void events.push(event)
  const credential =
    of?.credential ??
    apiKey({ name: 'main' }, { current: place(clock, 'opk_1').live, clock, observe: () => {} })
  const probe = credentialProbe(
    { name: 'main' },
    { credential, upstream, clock, random: () => 0.999, observe },
  )
  return { clock, probe, events, trials: () => upstream.questions.length }
}

test('the credential is tried at start, and role and expiry are told', async () => {
  const { clock, probe, events } = rig(() => good({ expires_at: '2027-06-01T00:00:00' }))
  expect(probe.status().state).toBe('pending')
  probe.start()
  await clock.advance(0)
  expect(probe.status()).toMatchObject({
    state: 'accepted',
    role: 'dns_manager',
    expiresOn: Date.UTC(2027, 5),
    warnings: [],
  })
  expect(events).toMatchObject([{ kind: 'probed', outcome: 'accepted', role: 'dns_manager' }])
})

test.each(['admin', 'owner'])('the role %s is warned about', async (role) => {
  const { clock, probe, events } = rig(() => good({ role }))
  probe.start()
  await clock.advance(0)
  expect(probe.status().warnings).toEqual([expect.stringContaining(`the role ${role}`)])
  expect(events).toMatchObject([{ warnings: [expect.stringContaining(role)] }])
})

test.each([
  ['2026-12-23T00:00:01', []],
  ['2026-12-23T00:00:00', [expect.stringContaining('expires in 30 days')]],
  ['2026-12-07T00:00:00', [expect.stringContaining('expires in 14 days')]],
  ['2026-11-23T05:00:00', [expect.stringContaining('within a day')]],
  ['2026-11-22T00:00:00', [expect.stringContaining('has expired')]],
])('on 23 November an expiry at %s warns accordingly', async (expires_at, warnings) => {
  const { clock, probe } = rig(() => good({ expires_at }))
  probe.start()
  await clock.advance(0)
  expect(probe.status().warnings).toEqual(warnings)
})

test('an upstream that is down is tried until it answers, and told once', async () => {
  let up = false
  const { clock, probe, events } = rig(() => (up ? good() : down()))
  probe.start()
  await clock.advance(120_000)
  expect(probe.status().state).toBe('unreachable')
  expect(events).toHaveLength(1)
  up = true
  await clock.advance(5_000)
  expect(probe.status().state).toBe('accepted')
  expect(events).toHaveLength(2)
})

test('an accepted credential is tried again every six hours', async () => {
  const { clock, probe, trials } = rig(() => good())
  probe.start()
  await clock.advance(6 * HOUR - 1)
  expect(trials()).toBe(1)
  await clock.advance(1)
  expect(trials()).toBe(2)
})

test('a later outage forgets neither role nor expiry', async () => {
  const { clock, probe } = rig((count) => (count === 1 ? good() : down()))
  probe.start()
  await clock.advance(6 * HOUR)
  expect(probe.status()).toMatchObject({ state: 'unreachable', role: 'dns_manager' })
})

test('a rejected key is tried again every minute', async () => {
  const { clock, probe, trials } = rig((count) => (count > 1 ? good() : answer(401, {})))
  probe.start()
  await clock.advance(59_000)
  expect([probe.status().state, trials()]).toEqual(['rejected', 1])
  await clock.advance(1_000)
  expect(probe.status().state).toBe('accepted')
})

test('again tries soon, and a hundred calls cost one trial in five seconds', async () => {
  const { clock, probe, trials } = rig(() => good())
  probe.start()
  for (let ms = 0; ms < 10_000; ms += 100) {
    probe.again()
    await clock.advance(100)
  }
  expect(trials()).toBe(3)
})

test('again during a trial brings another after it', async () => {
  const { clock, probe, trials } = rig(() => later(clock, 1_000, good()))
  probe.start()
  await clock.advance(500)
  probe.again()
  await clock.advance(5_000)
  expect(trials()).toBe(2)
})

test('an endpoint that does not exist is no fault of the credential', async () => {
  const { clock, probe } = rig(() => answer(404, {}))
  probe.start()
  await clock.advance(0)
  expect(probe.status().state).toBe('accepted')
})

test.each<[string, Reply]>([
  ['refused', answer(401, {})],
  ['forbidden', answer(403, {})],
  ['broken', answer(500, '')],
  ['unreachable', down()],
])('for OAuth the minted token is the proof, though introspection is %s', async (_name, reply) => {
  const oauth = oauthRig(() => token('t'))
  const { clock, probe, trials } = rig(() => reply, oauth)
  oauth.credential.start()
  probe.start()
  await clock.advance(30_000)
  expect(probe.status().state).toBe('accepted')
  expect([trials(), oauth.mints()]).toEqual([1, 1])
})

test('for OAuth without a token the probe asks for one, and sees the recovery', async () => {
  let up = false
  const oauth = oauthRig(() => (up ? token('t') : down()), { random: () => 0.999 })
  const { clock, probe } = rig(() => good(), oauth)
  oauth.credential.start()
  probe.start()
  await clock.advance(120_000)
  expect(probe.status().state).toBe('unreachable')
  up = true
  await clock.advance(5_000)
  expect(probe.status()).toMatchObject({ state: 'accepted', role: 'dns_manager' })
})

test('stop ends the trials', async () => {
  const { clock, probe, trials } = rig(() => down())
  probe.start()
  await clock.advance(0)
  probe.stop()
  probe.again()
  await clock.advance(24 * HOUR)
  expect(trials()).toBe(1)
})

test('a trial that ends after the stop is not told', async () => {
  let end = (_reply: Awaited<ReturnType<typeof good>>) => {}
  const late = new Promise<ReturnType<typeof good>>((resolve) => void (end = resolve))
  const { clock, probe, events, trials } = rig(() => late)
  probe.start()
  await clock.advance(0)
  expect(trials()).toBe(1)
  probe.stop()
  end(good())
  await clock.advance(0)
  expect(events).toEqual([])
})
