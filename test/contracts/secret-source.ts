// The promises of every source of secrets, as one suite. A source's test calls `secretSourceContract`
// with a harness, which stands before a real server where there is one, else before a stub that says so.

import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import type { Clock } from '../../src/base/clock.ts'
import { Fault } from '../../src/base/fault.ts'
import type { Extraction } from '../../src/secrets/extraction.ts'
import { liveSecret } from '../../src/secrets/live-secret.ts'
import type { LiveSecret, SecretEvent } from '../../src/secrets/live-secret.ts'
import type { SecretSource, SourceKind } from '../../src/secrets/source.ts'
import { eventually } from '../support/eventually.ts'
import { manualClock, settle } from '../support/manual-clock.ts'

/**
 * Ways in which a place may fail:
 *
 * - `missing`: there is no such secret.
 * - `denied`: the place does not let the proxy read it.
 * - `garbage`: what comes back is no answer of that place (and holds the canary).
 * - `error`: the place reports a failure of its own, and quotes the canary in its text.
 * - `hang`: the place takes the question and never answers.
 * - `unreachable`: nobody is there.
 */
export type Failure = 'missing' | 'denied' | 'garbage' | 'error' | 'hang' | 'unreachable'

/** What a test asks of a source that it builds. */
export interface BuildOptions {
  readonly clock: Clock
  /** Milliseconds of one read. */
  readonly timeout: number
  /** Milliseconds between two reads of a place that tells nobody. */
  readonly lifetime: number
  readonly extract?: Extraction
}

/** One secret in one place, under the test's hand. */
export interface Place {
  /** A new source for the secret; must do no I/O. */
  source(options: BuildOptions): SecretSource
  /** Stores this, and mends what `fail` broke. */
  set(stored: string): void | Promise<void>
  /** Breaks the place, until `set`. Whatever text the place can say must hold `canary`. */
  fail(how: Failure, canary: string): void | Promise<void>
  /** How often the place was asked; absent where it cannot know (a file). */
  asked?(): number
  /** Ends it. */
  end?(): void | Promise<void>
}

/** See `secretSourceContract`. */
export interface SourceHarness {
  readonly kind: SourceKind
  /** How it is tested, for the name of the suite: `a real server`, `a stub from the API's documentation`. */
  readonly against: string
  /** A new place that holds nothing yet. */
  start(): Place | Promise<Place>
  /** Ways of failing that this place has. */
  readonly failures: readonly Failure[]
  /** What the general extraction does here; a kind with fields of its own has only `base64`. */
  readonly extracts: readonly ('field' | 'base64')[]
  /** True when the secret cannot change while the process lives. Default false. */
  readonly fixed?: boolean
  /** What the place itself refuses to hold. Default nothing. */
  readonly refuses?: readonly ('newline' | 'empty' | 'huge')[]
  /** True when the first read takes seconds (an SDK is loaded). Default false. */
  readonly slow?: boolean
}

const TIMEOUT = 4_000
const LIFETIME = 60_000
/** Seconds of the long outage. */
const OUTAGE = 600
/**
 * What the back-off allows for in that time: 8 reads until the waits reach their 30 s, of which half is
 * waited on average, then one every 15 s, and one at each end of a lifetime.
 */
const MOST_READS = 8 + OUTAGE / 15 + OUTAGE / (LIFETIME / 1000)
/** Requests that one read may cost: a login, or looking up the ids of two names, and the question. */
const REQUESTS_PER_READ = 3
const FIRST = 'opk_first-value-canary'
const SECOND = 'opk_second-value-canary'
/** Stands in what a server says. */
const QUOTED = 'quoted-by-the-server-canary'

/** Registers the suite. */
export function secretSourceContract(harness: SourceHarness): void {
  const { kind, failures, extracts, fixed = false, refuses = [] } = harness
  const limit = harness.slow === true ? 60_000 : 20_000

  describe(`a secret of ${kind}, against ${harness.against}`, { timeout: limit }, () => {
    let place: Place
    let clock: ReturnType<typeof manualClock>
    let live: LiveSecret | undefined
    beforeEach(async () => {
      clock = manualClock()
      place = await harness.start()
    })
    afterEach(async () => {
      live?.stop()
      live = undefined
      await place.end?.()
    })

    const build = (extract?: Extraction): SecretSource =>
      place.source({
        clock,
        timeout: TIMEOUT,
        lifetime: LIFETIME,
        ...(extract === undefined ? {} : { extract }),
      })
    const value = async (source: SecretSource) => (await source.read()).reveal()

    /** Moves time on by `most` at most, in steps, while the operating system does its part. */
    async function within(most: number, happened: () => boolean): Promise<void> {
      let moved = 0
      await eventually(
        async () => {
          if (!happened() && moved < most) {
            moved += most / 60
            await clock.advance(most / 60)
          }
          return happened()
        },
        { every: 4 },
      )
    }

    test('is its kind, and names its place', () => {
      const source = build()
      expect(source.kind).toBe(kind)
      expect(source.reference).toMatch(new RegExp(`^${kind}:`))
    })

    test('is read', async () => {
      await place.set(FIRST)
      expect(await value(build())).toBe(FIRST)
    })

    test('is read by two at once, and again', async () => {
      await place.set(FIRST)
      const source = build()
      expect(await Promise.all([value(source), value(source)])).toEqual([FIRST, FIRST])
      expect(await value(source)).toBe(FIRST)
    })

    test.skipIf(refuses.includes('newline'))('loses one newline at its end', async () => {
      await place.set(`${FIRST}\n`)
      expect(await value(build())).toBe(FIRST)
    })

    test('is not asked for when its source is built, nor when that is only watched', async () => {
      await place.fail('missing', QUOTED)
      const end = build().watch?.(() => {})
      await settle()
      end?.()
      expect(place.asked?.() ?? 0).toBe(0)
    })

    test.runIf(fixed)('that cannot change is not watched', () => {
      expect(build().watch).toBeUndefined()
    })

    test.skipIf(fixed)('that changed is seen by the next read', async () => {
      await place.set(FIRST)
      const source = build()
      expect(await value(source)).toBe(FIRST)
      await place.set(SECOND)
      expect(await value(source)).toBe(SECOND)
    })

    test.skipIf(fixed)(
      'that changed is told within its lifetime, until the watch ends',
      async () => {
        await place.set(FIRST)
        const source = build()
        await source.read()
        let told = 0
        const end = source.watch?.(() => told++)
        await place.set(SECOND)
        await within(LIFETIME, () => told > 0)
        expect(await value(source)).toBe(SECOND)
        end?.()
        await settle()
        const before = told
        await place.set(FIRST)
        await clock.advance(LIFETIME * 3)
        await settle()
        expect(told).toBe(before)
      },
    )

    test('never shows in any print of its source', async () => {
      await place.set(FIRST)
      const source = build()
      const secret = await source.read()
      for (const it of [source, secret, { source, secret }]) {
        const prints = [
          inspect(it, { depth: 12, showHidden: true }),
          JSON.stringify(it),
          Object.values(it).join(),
        ]
        for (const print of prints) expect(print).not.toContain(FIRST)
      }
    })

    describe('is a fault that names the place and the remedy, and quotes nothing, when', () => {
      test.each(failures.filter((how) => how !== 'hang'))('%s', async (how) => {
        await place.set(FIRST)
        const source = build()
        await source.read()
        await place.fail(how, QUOTED)
        // A file that vanished is missing; a variable cannot vanish, so it is built anew.
        expect(defects(await refusal((fixed ? build() : source).read()), source.reference)).toEqual(
          [],
        )
      })

      test.each(failures.filter((how) => how !== 'hang'))('%s from the start', async (how) => {
        await place.fail(how, QUOTED)
        const source = build()
        expect(defects(await refusal(source.read()), source.reference)).toEqual([])
      })

      test.runIf(failures.includes('hang'))(
        'it hangs, at its deadline and not before',
        async () => {
          await place.set(FIRST)
          const source = build()
          await source.read()
          await place.fail('hang', QUOTED)
          const before = place.asked?.() ?? 0
          let over = false
          const outcome = refusal(source.read()).finally(() => (over = true))
          await eventually(() => (place.asked?.() ?? 1) > before, { every: 4 })
          await clock.advance(TIMEOUT - 100)
          expect(over).toBe(false)
          await clock.advance(100)
          expect(defects(await outcome, source.reference)).toEqual([])
        },
      )

      test.skipIf(refuses.includes('empty'))('it is empty', async () => {
        await place.set('')
        const source = build()
        expect(defects(await refusal(source.read()), source.reference)).toEqual([])
      })

      test.skipIf(refuses.includes('huge'))('it is longer than 64 KiB', async () => {
        await place.set(`${FIRST}${'h'.repeat(70_000)}`)
        const source = build()
        expect(defects(await refusal(source.read()), source.reference)).toEqual([])
      })

      test('it holds a line break in its midst', async () => {
        await place.set(`${FIRST}\nX-Evil: ${QUOTED}`)
        const source = build()
        expect(defects(await refusal(source.read()), source.reference)).toEqual([])
      })
    })

    test.runIf(extracts.includes('field'))('may be a field of JSON', async () => {
      await place.set(JSON.stringify({ other: QUOTED, deep: { key: FIRST } }))
      expect(await value(build({ field: 'deep.key' }))).toBe(FIRST)
      const source = build({ field: 'absent' })
      expect(source.reference).toContain('#absent')
      expect(defects(await refusal(source.read()), source.reference)).toEqual([])
    })

    test.runIf(extracts.includes('field'))('is not found as a field of no JSON', async () => {
      await place.set(FIRST)
      const source = build({ field: 'key' })
      expect(defects(await refusal(source.read()), source.reference)).toEqual([])
    })

    test.runIf(extracts.includes('base64'))('may be kept in base64', async () => {
      await place.set(Buffer.from(FIRST).toString('base64'))
      expect(await value(build({ base64: true }))).toBe(FIRST)
      await place.set(`${QUOTED}~~~`)
      const source = build({ base64: true })
      expect(defects(await refusal(source.read()), source.reference)).toEqual([])
    })

    describe('kept fresh', () => {
      function keep(source = build(), random = () => 0.99) {
        const events: SecretEvent[] = []
        const observe = (event: SecretEvent) => void events.push(event)
        const kept = liveSecret(source, { clock, random, observe })
        live = kept
        return { events, kept, kinds: () => events.map((event) => event.kind) }
      }

      test.skipIf(fixed)('changes within its lifetime', async () => {
        await place.set(FIRST)
        const { kept, kinds, events } = keep()
        kept.start()
        expect((await kept.ready()).reveal()).toBe(FIRST)
        await place.set(SECOND)
        await within(LIFETIME, () => kept.current()?.reveal() === SECOND)
        expect(kinds()).toEqual(['loaded', 'changed'])
        expect(quotes(events)).toEqual([])
      })

      const outages = fixed ? [] : failures.filter((how) => how !== 'hang')
      test.each(outages)('stays at its last good value while %s, and recovers', async (how) => {
        await place.set(FIRST)
        const { kept, kinds, events } = keep()
        kept.start()
        await kept.ready()
        await place.fail(how, QUOTED)
        expect((await kept.refresh())?.reveal()).toBe(FIRST)
        expect(kept.status()).toMatchObject({ ok: false })
        expect(kept.status().detail).toContain(kept.reference)
        expect(kept.status().detail).toContain('last good value')
        expect(events.at(-1)).toMatchObject({ kind: 'failed', keptLastGood: true })
        await place.set(SECOND)
        await within(LIFETIME, () => kept.current()?.reveal() === SECOND)
        expect(kept.status().ok).toBe(true)
        expect(kinds().slice(-2)).toEqual(['recovered', 'changed'])
        expect(quotes({ events, status: kept.status() })).toEqual([])
      })

      const everyWay = fixed ? [] : failures
      test.each(everyWay)(
        'is held through ten minutes of a place that is down: %s',
        async (how) => {
          await place.set(FIRST)
          const { source, reads, settled } = counted(build(), place)
          // Half of each bound: what full jitter waits on average.
          const { kept, events, kinds } = keep(source, () => 0.5)
          kept.start()
          await kept.ready()
          await place.fail(how, QUOTED)
          const before = { reads: reads(), asked: place.asked?.() ?? 0 }
          let noticed = Number.NaN
          for (let second = 1; second <= OUTAGE; second++) {
            // oxlint-disable-next-line no-await-in-loop -- one second after the other
            await clock.advance(1000)
            // oxlint-disable-next-line no-await-in-loop -- as above
            await settled(how === 'hang' ? Infinity : 0)
            // A look at a file is real, and is no read that could be counted.
            // oxlint-disable-next-line no-await-in-loop -- as above
            if (kept.status().ok) await new Promise((resolve) => void setTimeout(resolve, 5))
            if (!kept.status().ok && Number.isNaN(noticed)) noticed = second
            // Whoever asks gets it, and at once; and nothing says that all is well.
            expect(kept.current()?.reveal()).toBe(FIRST)
            expect(kept.status().ok, `second ${second}`).toBe(Number.isNaN(noticed))
          }
          expect((await kept.ready()).reveal()).toBe(FIRST)
          expect(noticed).toBeLessThanOrEqual((LIFETIME + TIMEOUT) / 1000)
          expect(kept.status().detail).toContain('last good value')
          const tried = reads() - before.reads
          expect(tried).toBeLessThanOrEqual(MOST_READS)
          // Given up it has not.
          expect(tried).toBeGreaterThan(OUTAGE / 30)
          expect(kinds().filter((it) => it === 'failed').length).toBeGreaterThan(OUTAGE / 30)
          expect((place.asked?.() ?? 0) - before.asked).toBeLessThanOrEqual(
            tried * REQUESTS_PER_READ,
          )

          await place.set(SECOND)
          const hung = how === 'hang' ? reads() : 0
          let waited = 0
          while (kept.current()?.reveal() !== SECOND && waited < 60) {
            waited++
            // oxlint-disable-next-line no-await-in-loop -- one second after the other
            await clock.advance(1000)
            // oxlint-disable-next-line no-await-in-loop -- as above
            await settled(hung)
          }
          // The longest wait of the back-off, and a read that may still hang when the place comes back.
          expect(waited).toBeLessThanOrEqual(30 + TIMEOUT / 1000)
          expect(kept.status().ok).toBe(true)
          expect(kinds().slice(-2)).toEqual(['recovered', 'changed'])
          expect(quotes({ events, status: kept.status() })).toEqual([])
        },
      )

      // The environment of a process is copied when it starts, so that nothing can take it away.
      test.runIf(fixed)(
        'is held whatever becomes of its place, for it was read for good',
        async () => {
          await place.set(FIRST)
          const { kept, kinds } = keep()
          kept.start()
          await kept.ready()
          await place.fail('missing', QUOTED)
          await clock.advance(OUTAGE * 1000)
          expect((await kept.refresh())?.reveal()).toBe(FIRST)
          expect(kept.status().ok).toBe(true)
          expect(kinds()).toEqual(['loaded'])
        },
      )

      test('that is not there at the start is found later', async () => {
        await place.fail('missing', QUOTED)
        const { kept, events } = keep()
        kept.start()
        expect(defects(await refusal(kept.ready()), kept.reference)).toEqual([])
        expect(kept.current()).toBeUndefined()
        expect(quotes(events)).toEqual([])
        if (fixed) return
        await place.set(FIRST)
        await within(LIFETIME, () => kept.current()?.reveal() === FIRST)
        expect(quotes(events)).toEqual([])
      })
    })
  })
}

/**
 * `source` with its reads counted. `settled` waits until none is under way, so that time does not run
 * ahead of the operating system. The first `hung` of them end at their deadline alone: of such a one it
 * waits until it has reached its place.
 */
function counted(source: SecretSource, place: Place) {
  let reads = 0
  let underWay = 0
  let askedBefore = 0
  const asked = () => place.asked?.() ?? 0
  return {
    source: {
      ...source,
      async read() {
        reads++
        underWay++
        askedBefore = asked()
        try {
          return await source.read()
        } finally {
          underWay--
        }
      },
    },
    reads: () => reads,
    settled: async (hung: number) => {
      const over = () => underWay === 0 || (reads <= hung && asked() > askedBefore)
      await eventually(over, { every: 1 })
      await settle()
    },
  }
}

/** The Fault that a read ends in. */
async function refusal(read: Promise<unknown>): Promise<Fault> {
  const outcome: unknown = await read.catch((error: unknown) => error)
  if (outcome instanceof Fault) return outcome
  throw new Error(`ended in no Fault but in ${typeof outcome} ${String(outcome)}`)
}

/**
 * What is wrong with a fault. It must be a sentence that begins with the place, says what is wrong,
 * and behind a colon what to do.
 */
function defects(fault: Fault, reference: string): string[] {
  const found = quotes(fault)
  if (fault.code !== 'secret_unavailable') found.push(`has the code ${fault.code}`)
  if (!fault.message.startsWith(`${reference} `))
    found.push(`names another place: ${fault.message}`)
  else if (!/^ [^:]+: .+\.$/.test(fault.message.slice(reference.length))) {
    found.push(`has no remedy: ${fault.message}`)
  }
  return found
}

/** Prints of `it` that hold a value, or a server's text. */
function quotes(it: unknown): string[] {
  const printed = inspect(it, { depth: 20, showHidden: true, maxStringLength: null })
  return [printed, JSON.stringify(it), String(it)].filter((text) => /canary|hhhhhhhh/.test(text))
}
