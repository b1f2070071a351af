// The watch on a key's expiry, by a clock that a test moves: what is logged, and what readiness shows.

import { expect, test } from 'vitest'

import { apiKey } from '../../src/credentials/api-key.ts'
import type { CredentialEvent } from '../../src/credentials/events.ts'
import { credentialProbe } from '../../src/credentials/probe.ts'
import { readinessChecks } from '../../src/server/checks.ts'
import { manualClock } from '../support/manual-clock.ts'
import { answer, asked, down, place } from './support.ts'
import type { Reply } from './support.ts'

const DAY = 86_400_000

/** A probe that runs; the clock stands at 2026-11-23T00:00Z. */
async function watching(script: (count: number) => Reply) {
  const clock = manualClock()
  const upstream = asked((_question, count) => script(count))
  const current = place(clock, 'opk_1').live
  const credential = apiKey({ name: 'main' }, { current, clock, observe: () => {} })
  const logged: string[] = []
  const observe = (event: CredentialEvent) => {
    if (event.kind === 'probed') logged.push(...event.warnings)
  }
  const probe = credentialProbe(
    { name: 'main' },
    { credential, upstream, clock, random: () => 0.999, observe },
  )
  credential.start()
  probe.start()
  await clock.advance(0)
  const readyz = () =>
    readinessChecks([{ name: 'default', built: { credential, probe, secrets: [current] } }], {
      draining: false,
      certificates: [],
      now: clock.wall(),
    })[0]
  return { clock, probe, logged, readyz }
}

const expiring = (expires_at: string) => () =>
  answer(200, { role: 'dns_manager', status: 'active', expires_at })

test('an expiry is logged once at 30, 14, 7 and 1 days and when it is over, though it is looked at every six hours', async () => {
  const { clock, logged } = await watching(expiring('2027-01-02T03:00:00Z'))
  const days: [number, string][] = []
  for (let hour = 0; hour < 42 * 24; hour++) {
    const before = logged.length
    await clock.advance(DAY / 24)
    for (const line of logged.slice(before)) days.push([hour, line])
  }
  expect(logged.map((line) => line.replace(/^The credential (.*?)\..*/, '$1'))).toEqual([
    'expires in 29 days',
    'expires in 13 days',
    'expires in 6 days',
    'expires within a day',
    'has expired',
  ])
  // Within the six hours between two looks.
  const at = [10, 26, 33, 39, 40].map((day) => day * 24 + 3)
  for (const [index, [hour]] of days.entries()) {
    expect(hour - (at[index] ?? 0)).toBeGreaterThanOrEqual(-1)
    expect(hour - (at[index] ?? 0)).toBeLessThan(6)
  }
})

test.each([
  ['2026-12-23T00:00:01', []],
  ['2026-12-23T00:00:00', [expect.stringContaining('expires in 30 days')]],
  ['2026-11-24T12:00:00', [expect.stringContaining('expires in 1 day.')]],
])('on 23 November readiness warns of an expiry at %s accordingly', async (at, warnings) => {
  const { readyz } = await watching(expiring(at))
  expect(readyz()?.warnings).toEqual(warnings)
})

test('readiness counts the days, and stays ready', async () => {
  const { clock, readyz } = await watching(expiring('2026-12-03T12:00:00Z'))
  expect(readyz()).toMatchObject({
    ok: true,
    facts: { key_expires_on: '2026-12-03T12:00:00.000Z', key_expires_in_days: 10 },
  })
  await clock.advance(DAY)
  expect(readyz()?.facts?.['key_expires_in_days']).toBe(9)
})

test('a step is logged in an outage too, once, by what was known before', async () => {
  const good = expiring('2026-11-24T00:00:01Z')
  const { clock, logged } = await watching((count) => (count === 1 ? good() : down()))
  expect(logged).toEqual([expect.stringContaining('expires in 1 day.')])
  await clock.advance(DAY / 2)
  expect(logged).toEqual([expect.anything(), expect.stringContaining('within a day')])
})

test('another key with another expiry is told of anew', async () => {
  const { clock, logged } = await watching((count) =>
    expiring(count === 1 ? '2026-12-03T00:00:00Z' : '2026-12-02T00:00:00Z')(),
  )
  await clock.advance(DAY)
  expect(logged).toEqual([
    expect.stringContaining('expires in 10 days'),
    expect.stringContaining('expires in 8 days'),
  ])
})

test('a key that never expires is never told of', async () => {
  const { clock, logged, readyz } = await watching(() => answer(200, { expires_at: null }))
  await clock.advance(60 * DAY)
  expect(logged).toEqual([])
  expect(readyz()?.facts?.['key_expires_in_days']).toBeNull()
})
