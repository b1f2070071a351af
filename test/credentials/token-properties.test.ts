// Drives the OAuth credential through random replies, outages, clock jumps, 401s and secret
// rotations, in virtual time, against a model of the endpoint that knows when each token dies.

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import type { Attachment } from '../../src/credentials/credential.ts'
import type { CredentialEvent } from '../../src/credentials/events.ts'
import type { Answer } from '../../src/opusdns/question.ts'
import { settle } from '../support/manual-clock.ts'
import type { ManualClock } from '../support/manual-clock.ts'
import { answer, clientSecretOf, down, header, jwt, oauthRig, wrongSecret } from './support.ts'

/** What the endpoint does with the questions that reach it from now on. */
type Mood =
  | 'token'
  | 'jwt'
  | 'unstated'
  | 'same'
  | 'wrong'
  | 'down'
  | 'http_500'
  | 'http_429'
  | 'html'
  | 'cut'
  | 'hang'

type Step =
  | { do: 'mood'; mood: Mood; life: number; latency: number }
  | { do: 'pass'; ms: number }
  | { do: 'jump'; ms: number }
  | { do: 'requests'; count: number }
  | { do: 'slow_request'; ms: number }
  | { do: 'revoke' }
  | { do: 'rotate'; side: 'current' | 'previous'; good: boolean }

const moods: Mood[] = [
  'token',
  'jwt',
  'unstated',
  'same',
  'wrong',
  'down',
  'http_500',
  'http_429',
  'html',
  'cut',
  'hang',
]

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('mood' as const),
      mood: fc.oneof(fc.constantFrom(...moods), fc.constantFrom<Mood>('token', 'jwt')),
      life: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 12, max: 4_000 })),
      latency: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 1, max: 800 }),
        fc.integer({ min: 800, max: 9_900 }),
      ),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 3_000, max: 60_000 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('jump' as const),
      ms: fc.integer({ min: -1e9, max: 1e9 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('requests' as const),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('slow_request' as const),
      ms: fc.integer({ min: 1, max: 20_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('revoke' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('rotate' as const),
      side: fc.constantFrom('current' as const, 'previous' as const),
      good: fc.boolean(),
    }),
  },
)

interface Dated {
  readonly at: number
  /** How often the endpoint had been asked by then. */
  readonly before: number
  readonly event: CredentialEvent
}

interface Grant {
  readonly text: string
  readonly order: number
  readonly diesAt: number
  revoked: boolean
}

/** The endpoint and the API behind it: issues tokens, and knows which are good. */
function model(getClock: () => ManualClock) {
  const grants = new Map<string, Grant>()
  const state = {
    mood: 'token' as Mood,
    life: 60,
    latency: 0,
    flights: 0,
    mostFlights: 0,
    asked: 0,
  }
  const asks: number[] = []
  let last: Grant | undefined

  // Issued when the question arrives: the worst case, for the reply is on its way while it ages.
  function grant(life: number, text: string): Grant {
    const one = {
      text,
      order: grants.size + 1,
      diesAt: getClock().now() + life * 1_000,
      revoked: false,
    }
    grants.set(`Authorization: Bearer ${text}`, one)
    last = one
    return one
  }

  function reply(secret: string): Answer | Fault {
    const { mood, life } = state
    const clock = getClock()
    const serverWall = clock.now() + Date.UTC(2030, 0)
    const text = `t${grants.size + 1}`
    if (secret.startsWith('bad')) return wrongSecret()
    switch (mood) {
      case 'token':
        return answer(200, {
          access_token: grant(life, text).text,
          token_type: 'Bearer',
          expires_in: life,
        })
      case 'jwt': {
        // Whole seconds on both sides, as real issuers write them; expires_in promises too much.
        const now = Math.floor(serverWall / 1_000)
        const signed = jwt({ n: text, iat: now, exp: now + life })
        grant(life - (serverWall / 1_000 - now), signed)
        const date = new Date(now * 1_000).toUTCString()
        return answer(
          200,
          { access_token: signed, token_type: 'bearer', expires_in: life * 10 },
          { date },
        )
      }
      case 'unstated':
        return answer(200, { access_token: grant(300, text).text, token_type: 'Bearer' })
      case 'same': {
        const one = last ?? grant(life, text)
        const left = (one.diesAt - clock.now()) / 1_000
        return answer(200, {
          access_token: one.text,
          token_type: 'Bearer',
          expires_in: Math.max(0.1, left),
        })
      }
      case 'wrong':
        return wrongSecret()
      case 'down':
        return down()
      case 'http_500':
        return answer(500, 'oops')
      case 'http_429':
        return answer(429, '', { 'retry-after': String(life) })
      case 'html':
        return answer(200, '<html>')
      case 'cut':
        return answer(200, '{"access_token":"t')
      case 'hang':
        return new Fault('upstream_timeout', { detail: 'late' })
    }
  }

  async function ask(secret: string): Promise<Answer> {
    state.asked++
    asks.push(getClock().now())
    state.flights++
    state.mostFlights = Math.max(state.mostFlights, state.flights)
    const latency = state.mood === 'hang' ? 10_000 : state.latency
    const said = reply(secret)
    if (latency > 0) await new Promise<void>((resolve) => void getClock().after(latency, resolve))
    state.flights--
    if (said instanceof Fault) throw said
    return said
  }

  return { state, grants, asks, ask, latest: () => last }
}

async function run(steps: readonly Step[], jitter: readonly number[]): Promise<void> {
  let draws = 0
  const dated: Dated[] = []
  const world = model(() => rig.clock)
  const rig = oauthRig((question) => world.ask(clientSecretOf(question)), {
    secret: 'good-1',
    previous: 'good-2',
    random: () => jitter[draws++ % jitter.length] ?? 0.5,
    observe: (event) => void dated.push({ at: rig.clock.now(), before: world.asks.length, event }),
  })
  const { clock, credential } = rig
  const running: Promise<void>[] = []
  const broken: unknown[] = []
  let rotations = 0
  let newestSeen = 0

  /** Every value that leaves the credential passes through here. */
  function check(value: Attachment, what: string): Grant {
    const grant = world.grants.get(header(value))
    if (grant === undefined) throw new Error(`${what}: a token that was never issued`)
    if (clock.now() >= grant.diesAt) throw new Error(`${what}: an expired token (${grant.text})`)
    return grant
  }

  /** One request as the proxy makes it: obtain, and on a 401 at most one replay. */
  async function request(delay: number): Promise<void> {
    const began = clock.now()
    let used: Attachment
    try {
      used = await credential.obtain()
    } catch (error) {
      expect(error).toBeInstanceOf(Fault)
      expect((error as Fault).status).toBe(503)
      expect((error as Fault).retryAfter).toBeGreaterThanOrEqual(1)
      expect((error as Fault).retryAfter).toBeLessThanOrEqual(60)
      expect(clock.now() - began).toBeLessThanOrEqual(5_000)
      return
    }
    expect(clock.now() - began).toBeLessThanOrEqual(5_000)
    const grant = check(used, 'obtain')
    // What is in use now is never older than what was in use before.
    expect(grant.order).toBeGreaterThanOrEqual(newestSeen)
    newestSeen = grant.order
    if (delay > 0) await new Promise<void>((resolve) => void clock.after(delay, resolve))
    if (!grant.revoked && clock.now() < grant.diesAt) return

    const asked = clock.now()
    const before = world.state.asked
    const replay = await credential.reject(used)
    expect(clock.now() - asked).toBeLessThanOrEqual(5_000)
    if (replay === undefined) return
    const second = check(replay, 'replay')
    expect(second.text).not.toBe(grant.text)
    expect(second.order).toBeGreaterThan(grant.order)
    if (!second.revoked) return
    // The replay met a 401 too. Nobody may offer a third try with the same token, nor a storm.
    const third = await credential.reject(replay)
    if (third !== undefined) expect(header(third)).not.toBe(header(replay))
    expect(world.state.asked - before).toBeLessThanOrEqual(40)
  }

  function spawn(delay: number): void {
    running.push(request(delay).catch((error: unknown) => void broken.push(error)))
  }

  credential.start()
  for (const one of steps) {
    switch (one.do) {
      case 'mood':
        Object.assign(world.state, { mood: one.mood, life: one.life, latency: one.latency })
        break
      case 'pass':
        await clock.advance(one.ms)
        break
      case 'jump':
        clock.jumpWall(one.ms)
        break
      case 'requests':
        for (let n = 0; n < one.count; n++) spawn(0)
        await settle()
        break
      case 'slow_request':
        spawn(one.ms)
        break
      case 'revoke': {
        const latest = world.latest()
        if (latest !== undefined) latest.revoked = true
        break
      }
      case 'rotate': {
        const place = one.side === 'current' ? rig.current : rig.previous
        place?.write(`${one.good ? 'good' : 'bad'}-${++rotations}`)
        await settle()
        break
      }
    }
    expect(world.state.mostFlights).toBeLessThanOrEqual(1)
    if (broken.length > 0) throw broken[0]
  }

  // However it went, a healthy endpoint and a good secret bring it back, without a restart.
  Object.assign(world.state, { mood: 'token', life: 3_600, latency: 0 })
  rig.current.write('good-last')
  await clock.advance(75_000)
  await Promise.all(running)
  if (broken.length > 0) throw broken[0]
  await request(0)
  expect(credential.status().usable).toBe(true)
  expect(world.state.mostFlights).toBe(1)

  credential.stop()
  spacing(dated, world.asks)
}

/**
 * After a refresh of a token that was still good, the endpoint is left alone for five seconds, or
 * half a life if that is shorter.
 */
function spacing(events: readonly Dated[], asks: readonly number[]): void {
  for (const { at, before, event } of events) {
    if (event.kind !== 'minted' || event.cause === 'start' || event.cause === 'expired') continue
    const next = asks.slice(before).at(0)
    if (next === undefined) continue
    expect(next - at).toBeGreaterThanOrEqual(Math.min(5_000, event.expiresIn / 2) - 1)
  }
}

test('whatever happens, the token rules hold', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 45 }),
      fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1, maxLength: 8 }),
      run,
    ),
    { numRuns: 1_000, plugins: [fc.interruptAfterTimeLimit(15_000)] },
  )
})
