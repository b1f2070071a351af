import { describe, expect, test } from 'vitest'

import { upstreamLimit } from '../../src/opusdns/upstream-limit.ts'
import { manualClock } from '../support/manual-clock.ts'

const DNS = ' GET /v1/dns'
const HOSTS = ' POST /v1/hosts'

function make(most = 16, busy = most) {
  const clock = manualClock()
  const state = { busy, places: most }
  const limit = upstreamLimit(
    { most },
    { clock, busy: () => state.busy, resize: (places) => void (state.places = places) },
  )
  return {
    clock,
    state,
    limit,
    refuse: (wait: number | undefined, round = limit.round, status = 429, target = DNS) =>
      limit.answered({ status, wait, target, round }),
    succeed(times: number, round = limit.round) {
      for (let at = 0; at < times; at++) {
        limit.answered({ status: 200, wait: undefined, target: DNS, round })
      }
    },
  }
}

describe('the limit toward OpusDNS', () => {
  test('has all wait after a 429, for as long as it says, and then lets half as many go', async () => {
    const { clock, limit, state, refuse } = make()
    refuse(5000)
    expect(state.places).toBe(0)
    expect(limit.heldFor()).toBe(5000)
    await clock.advance(4999)
    expect(state.places).toBe(0)
    await clock.advance(1)
    expect(state.places).toBe(8)
    expect(limit.heldFor()).toBe(0)
  })

  test('waits one second after a 429 that does not say how long', () => {
    const { limit, refuse } = make()
    refuse(undefined)
    expect(limit.heldFor()).toBe(1000)
  })

  test('halves once for all answers to what was at once on its way', async () => {
    const { clock, limit, state, refuse } = make()
    for (let at = 0; at < 16; at++) refuse(1000, 0)
    await clock.advance(1000)
    expect(state.places).toBe(8)
    state.busy = 8
    refuse(1000)
    expect(limit.places).toBe(4)
  })

  test('halves what was in use, not what might have been', () => {
    const { limit, refuse } = make(128, 6)
    refuse(1000)
    expect(limit.places).toBe(3)
  })

  test('never falls below one, nor rises above the connections', async () => {
    const { clock, limit, state, refuse, succeed } = make(4, 1)
    for (let at = 0; at < 5; at++) refuse(0)
    expect(limit.places).toBe(1)
    await clock.advance(1)
    succeed(1000)
    expect(limit.places).toBe(4)
    expect(state.places).toBe(4)
  })

  test('gains one place for as many successes as there are places', async () => {
    const { clock, limit, state, refuse, succeed } = make(16, 4)
    refuse(0)
    await clock.advance(1)
    expect(state.places).toBe(2)
    succeed(1)
    expect(limit.places).toBe(2)
    succeed(1)
    expect(limit.places).toBe(3)
    succeed(3)
    expect(state.places).toBe(4)
  })

  test('does not take successes of before a refusal for a sign that more is wanted', () => {
    const { limit, refuse, succeed } = make()
    refuse(1000)
    succeed(100, 0)
    expect(limit.places).toBe(8)
  })

  test('a success while all wait lets nobody go early', () => {
    const { limit, state, refuse, succeed } = make(16, 2)
    refuse(1000)
    succeed(5)
    expect(limit.places).toBeGreaterThan(1)
    expect(state.places).toBe(0)
  })

  test('a later refusal with a longer wait is the one that counts; a shorter changes nothing', async () => {
    const { clock, limit, state, refuse } = make()
    refuse(2000)
    refuse(10_000)
    refuse(1000)
    await clock.advance(2000)
    expect(state.places).toBe(0)
    expect(limit.heldFor()).toBe(8000)
    await clock.advance(8000)
    expect(state.places).toBe(limit.places)
  })

  test('a 503 counts when it says how long to wait, and only then', () => {
    const { limit, refuse } = make()
    refuse(undefined, 0, 503)
    expect(limit.heldFor()).toBe(0)
    refuse(3000, 0, 503)
    expect(limit.heldFor()).toBe(3000)
  })

  test('a wait of more than a minute holds its target alone, and halves what may be at once', async () => {
    const { clock, limit, state, refuse } = make()
    refuse(300_000, 0, 429, HOSTS)
    expect(state.places).toBe(8)
    expect(limit.heldFor()).toBe(0)
    expect(limit.refusalOf(DNS, 10_000)).toBe(0)
    expect(limit.refusalOf(HOSTS, 10_000)).toBe(300_000)
    await clock.advance(299_999)
    expect(limit.refusalOf(HOSTS, 10_000)).toBe(1)
    await clock.advance(1)
    expect(limit.refusalOf(HOSTS, 10_000)).toBe(0)
  })

  test('a second target that is to wait for more than a minute has all wait', async () => {
    const { clock, limit, state, refuse } = make()
    refuse(300_000, 0, 429, HOSTS)
    refuse(280_000, limit.round, 429, HOSTS)
    expect(limit.heldFor()).toBe(0)
    await clock.advance(100_000)
    refuse(120_000)
    expect(state.places).toBe(0)
    expect(limit.refusalOf(' GET /v1/other', 10_000)).toBe(120_000)
    await clock.advance(120_000)
    expect(state.places).toBe(limit.places)
    expect(limit.refusalOf(' GET /v1/other', 10_000)).toBe(0)
  })

  test('a second one after the first is over holds nobody else', async () => {
    const { clock, limit, refuse } = make()
    refuse(61_000, 0, 429, HOSTS)
    await clock.advance(61_000)
    refuse(300_000)
    expect(limit.heldFor()).toBe(0)
    expect(limit.refusalOf(DNS, 10_000)).toBe(300_000)
  })

  test('nobody is held for longer than an hour by two targets either', () => {
    const { limit, refuse } = make()
    refuse(Number.POSITIVE_INFINITY, 0, 429, HOSTS)
    refuse(Number.POSITIVE_INFINITY)
    expect(limit.heldFor()).toBe(3_600_000)
  })

  test('no target is held for longer than an hour, whatever was asked for', () => {
    const { limit, refuse } = make()
    refuse(Number.POSITIVE_INFINITY, 0, 429, HOSTS)
    expect(limit.refusalOf(HOSTS, 10_000)).toBe(3_600_000)
  })

  test('holds a bounded number of targets, and takes new ones when old ones are over', async () => {
    const { clock, limit, refuse } = make()
    for (let at = 0; at < 1500; at++) refuse(61_000, 0, 429, `t${at}`)
    // With more patience than all have to have, only what is held for itself is refused.
    expect(limit.refusalOf('t999', 61_000)).toBe(61_000)
    expect(limit.refusalOf('t1000', 61_000)).toBe(0)
    await clock.advance(61_000)
    refuse(61_000, 0, 429, 't1000')
    expect(limit.refusalOf('t1000', 61_000)).toBe(61_000)
  })

  test('refuses who cannot wait as long, and lets the others wait', () => {
    const { limit, refuse } = make()
    refuse(10_000)
    expect(limit.refusalOf(DNS, 9999)).toBe(10_000)
    expect(limit.refusalOf(DNS, 10_000)).toBe(0)
  })
})
