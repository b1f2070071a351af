import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { Secret } from '../../src/base/secret.ts'
import { liveSecret } from '../../src/secrets/live-secret.ts'
import type { SecretEvent } from '../../src/secrets/live-secret.ts'
import type { Changed, SecretSource } from '../../src/secrets/source.ts'
import { manualClock, settle } from '../support/manual-clock.ts'

/** A source under the test's hand: an Error fails the read, a Promise holds it open. */
interface Place {
  next: string | Error | Promise<string>
  reads: number
  watchers: number
  change(cause?: 'due'): void
  readonly source: SecretSource
}

function place(first: Place['next']): Place {
  let changed: Changed | undefined
  const it: Place = {
    next: first,
    reads: 0,
    watchers: 0,
    change: (cause) => changed?.(cause),
    source: {
      kind: 'file',
      reference: 'file:/k',
      async read() {
        it.reads++
        const next = await it.next
        if (next instanceof Error) throw next
        return Secret.of(next)
      },
      watch(listener: Changed) {
        it.watchers++
        changed = listener
        return () => {
          it.watchers--
          changed = undefined
        }
      },
    },
  }
  return it
}

const broken = () => new Fault('secret_unavailable', { detail: 'file:/k is gone.' })

function build(first: Place['next'], random = () => 1) {
  const clock = manualClock()
  const events: SecretEvent[] = []
  const from = place(first)
  const live = liveSecret(from.source, { clock, random, observe: (event) => events.push(event) })
  return { clock, events, from, live, kinds: () => events.map((event) => event.kind) }
}

describe('a live secret', () => {
  test('does nothing until it is started or asked', async () => {
    const { clock, from, live } = build('a')
    await clock.advance(60_000)
    expect([from.reads, from.watchers, live.current()]).toEqual([0, 0, undefined])
    expect(live.status()).toEqual({ ok: false, detail: 'file:/k has not been read yet.' })
  })

  test('gives its first value to everyone who waits, from one read', async () => {
    const { from, live, kinds } = build('a')
    live.start()
    const all = await Promise.all([live.ready(), live.ready(), live.ready()])
    expect(all.map((secret) => secret.reveal())).toEqual(['a', 'a', 'a'])
    expect(from.reads).toBe(1)
    expect(kinds()).toEqual(['loaded'])
    expect(live.status().ok).toBe(true)
  })

  test('rejects those who wait for a first value when the read fails', async () => {
    const { live } = build(broken())
    await expect(live.ready()).rejects.toMatchObject({ code: 'secret_unavailable' })
  })

  test('does not read again for each caller while a retry waits', async () => {
    const { from, live } = build(broken())
    live.start()
    await settle()
    await expect(live.ready()).rejects.toThrow('file:/k is gone.')
    await expect(live.ready()).rejects.toThrow('file:/k is gone.')
    expect(from.reads).toBe(1)
  })

  test('is retried after 0.5 s, doubling up to 30 s, and begins anew after a success', async () => {
    const { clock, from, live } = build(broken())
    live.start()
    await settle()
    for (const wait of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const before = from.reads
      await clock.advance(wait - 1)
      expect(from.reads).toBe(before)
      await clock.advance(1)
      expect(from.reads).toBe(before + 1)
    }
    from.next = 'a'
    await clock.advance(30_000)
    expect(live.current()?.reveal()).toBe('a')
    from.next = broken()
    from.change()
    await settle()
    const before = from.reads
    await clock.advance(500)
    expect(from.reads).toBe(before + 1)
  })

  test('is asked by the back-off alone while it fails, however short its lifetime', async () => {
    const { clock, from, live } = build('a')
    live.start()
    await live.ready()
    from.next = broken()
    from.change('due')
    await settle()
    expect(from.reads).toBe(2)
    for (let at = 0; at < 4; at++) {
      from.change('due')
      await clock.advance(100)
    }
    expect(from.reads).toBe(2)
    // That its place changed is news, though.
    from.next = 'b'
    from.change()
    await settle()
    expect(live.current()?.reveal()).toBe('b')
    from.change('due')
    await settle()
    expect(from.reads).toBe(4)
  })

  test('begins with a value that is known, and tells when another was read', async () => {
    const clock = manualClock()
    const events: SecretEvent[] = []
    const heard: string[] = []
    const from = place('b')
    const known = Secret.of('a')
    const observe = (event: SecretEvent) => void events.push(event)
    const live = liveSecret(from.source, { clock, random: () => 1, observe, known })
    live.onChange((value) => heard.push(value.reveal()))
    expect(live.current()).toBe(known)
    live.start()
    await settle()
    expect([live.current()?.reveal(), heard]).toEqual(['b', ['b']])
    expect(events.map(({ kind }) => kind)).toEqual(['loaded'])
  })

  test('keeps the last good value while reads fail, and says so', async () => {
    const { clock, events, from, live, kinds } = build('a')
    live.start()
    await live.ready()
    from.next = broken()
    from.change()
    await settle()
    expect(live.current()?.reveal()).toBe('a')
    expect((await live.ready()).reveal()).toBe('a')
    expect(live.status().ok).toBe(false)
    expect(live.status().detail).toContain('last good value')
    expect(events.at(-1)).toMatchObject({ kind: 'failed', source: 'file', keptLastGood: true })
    from.next = 'b'
    await clock.advance(500)
    expect(live.current()?.reveal()).toBe('b')
    expect(live.status().ok).toBe(true)
    expect(kinds()).toEqual(['loaded', 'failed', 'recovered', 'changed'])
  })

  test('tells its listeners about another value only', async () => {
    const { from, live, kinds } = build('a')
    const heard: string[] = []
    const end = live.onChange((value) => heard.push(value.reveal()))
    live.start()
    await live.ready()
    from.change()
    await settle()
    expect(from.reads).toBe(2)
    expect(heard).toEqual([])
    from.next = 'b'
    from.change()
    await settle()
    expect(heard).toEqual(['b'])
    end()
    from.next = 'c'
    from.change()
    await settle()
    expect(heard).toEqual(['b'])
    expect(kinds()).toEqual(['loaded', 'changed', 'changed'])
  })

  test('is already the new value when its listeners hear of it', async () => {
    const { from, live } = build('a')
    await live.refresh()
    let seen = ''
    live.onChange(() => (seen = live.current()?.reveal() ?? ''))
    from.next = 'b'
    await live.refresh()
    expect(seen).toBe('b')
  })

  test('reads once more when the place changed during a read, lest the older answer stay', async () => {
    const { from, live } = build('a')
    live.start()
    await live.ready()
    let answer: (text: string) => void = () => {}
    from.next = new Promise<string>((resolve) => (answer = resolve))
    from.change()
    await settle()
    from.change()
    from.next = 'new'
    answer('old')
    await settle()
    expect(live.current()?.reveal()).toBe('new')
    expect(from.reads).toBe(3)
  })

  test('refreshes at once, before a waiting retry, and shares the read', async () => {
    const { clock, from, live } = build(broken())
    live.start()
    await settle()
    from.next = 'a'
    const [one, two] = await Promise.all([live.refresh(), live.refresh()])
    expect([one?.reveal(), two?.reveal(), from.reads]).toEqual(['a', 'a', 2])
    await clock.advance(60_000)
    expect(from.reads).toBe(2)
  })

  test('resolves a failed refresh with what it holds, and never rejects', async () => {
    const { from, live } = build(broken())
    expect(await live.refresh()).toBeUndefined()
    from.next = 'a'
    await live.refresh()
    from.next = broken()
    expect((await live.refresh())?.reveal()).toBe('a')
  })

  test('leaves no timer and no watcher behind when stopped', async () => {
    const { clock, from, live } = build(broken())
    live.start()
    live.start()
    await settle()
    expect(from.watchers).toBe(1)
    live.stop()
    await clock.advance(120_000)
    expect([from.reads, from.watchers]).toEqual([1, 0])
  })

  test('does not plan a retry for a read that fails after stop', async () => {
    let fail: (error: Error) => void = () => {}
    const { clock, from, live } = build(new Promise<string>((_, reject) => (fail = reject)))
    live.start()
    live.stop()
    fail(broken())
    await clock.advance(120_000)
    expect(from.reads).toBe(1)
  })

  test('shows nothing of what was read, not even through a foreign error', async () => {
    const { events, live } = build(Object.assign(new Error('read opk_canary'), { code: 'EIO' }))
    await live.refresh()
    const error: unknown = await live.ready().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Fault)
    expect(inspect([error, events, live.status()], { depth: 9 })).not.toContain('canary')
    expect(live.status().detail).toContain('EIO')
  })
})
