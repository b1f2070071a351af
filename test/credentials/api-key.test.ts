import { expect, test } from 'vitest'

import { echoFilter } from '../../src/credentials/echo.ts'
import { apiKey } from '../../src/credentials/api-key.ts'
import type { Attachment } from '../../src/credentials/credential.ts'
import type { CredentialEvent } from '../../src/credentials/events.ts'
import { manualClock, settle } from '../support/manual-clock.ts'
import { header, outcome, place } from './support.ts'

async function rig(key: string | undefined, previousKey?: string) {
  const clock = manualClock()
  const current = place(clock, key)
  const previous = previousKey === undefined ? undefined : place(clock, previousKey)
  const events: CredentialEvent[] = []
  const credential = apiKey(
    { name: 'main' },
    {
      current: current.live,
      previous: previous?.live,
      clock,
      observe: (event) => events.push(event),
    },
  )
  credential.start()
  await settle()
  const held = () => credential.obtain() as Attachment
  const reject = (used: Attachment) => outcome(credential.reject(used))
  return { clock, current, previous, credential, events, held, reject }
}

test('the key is attached as X-Api-Key, at once and always the same object', async () => {
  const { credential, held } = await rig('opk_1')
  expect(header(held())).toBe('X-Api-Key: opk_1')
  expect(credential.obtain()).toBe(held())
  expect(credential.status()).toMatchObject({ usable: true, serving: 'current' })
})

test('nothing is read before start or the first obtain', () => {
  const clock = manualClock()
  const key = place(clock, 'opk_1')
  apiKey({ name: 'main' }, { current: key.live, clock, observe: () => {} })
  expect(key.reads()).toBe(0)
})

test('without start the first request reads the key', async () => {
  const clock = manualClock()
  const credential = apiKey(
    { name: 'main' },
    { current: place(clock, 'opk_1').live, clock, observe: () => {} },
  )
  expect(header(await credential.obtain())).toBe('X-Api-Key: opk_1')
})

test('a key that cannot be read is a 503, and its appearance ends it', async () => {
  const { credential, current, held } = await rig(undefined)
  expect(await outcome(credential.obtain())).toBe('secret_unavailable 1')
  expect(credential.status().usable).toBe(false)
  current.write('opk_1')
  await settle()
  expect(header(held())).toBe('X-Api-Key: opk_1')
})

test('a key that takes long to read keeps a request waiting for five seconds at most', async () => {
  const clock = manualClock()
  const slow = {
    ...place(clock, 'opk_1').live,
    current: () => undefined,
    ready: () => new Promise<never>(() => {}),
  }
  const credential = apiKey({ name: 'main' }, { current: slow, clock, observe: () => {} })
  const first = credential.obtain() as Promise<Attachment>
  first.catch(() => {})
  await clock.advance(4_999)
  expect(await outcome(first)).toBe('pending')
  await clock.advance(1)
  expect(await outcome(first)).toBe('secret_unavailable 1')
})

test('a changed key is used for the next request', async () => {
  const { current, held } = await rig('opk_1')
  current.write('opk_2')
  await settle()
  expect(header(held())).toBe('X-Api-Key: opk_2')
})

test('a 401 has the key read again, once for all, and a new one is worth a replay', async () => {
  const clock = manualClock()
  const key = place(clock, 'opk_1')
  const silent = { ...key.live, onChange: () => () => {} }
  const credential = apiKey({ name: 'main' }, { current: silent, clock, observe: () => {} })
  const used = await credential.obtain()
  key.write('opk_2')
  const reads = key.reads()
  const replays = await Promise.all([1, 2, 3].map(() => credential.reject(used)))
  expect(replays.map((one) => one && header(one))).toEqual(Array(3).fill('X-Api-Key: opk_2'))
  expect(key.reads() - reads).toBeLessThanOrEqual(1)
})

test('a 401 to a key that did not change is passed on, and the key is read at most every five seconds', async () => {
  const { clock, current, events, held, reject } = await rig('opk_1')
  const before = current.reads()
  for (let ms = 0; ms < 20_000; ms += 100) {
    expect(await reject(held())).toBe('none')
    await clock.advance(100)
  }
  expect(current.reads() - before).toBe(4)
  expect(events).toMatchObject([{ kind: 'rejected' }])
})

test('a 401 to a request is a doubt, which a trial bears out or takes back', async () => {
  const { credential, held, reject } = await rig('opk_1')
  await reject(held())
  const doubted = { usable: true, refused: true, warnings: [expect.stringContaining('401')] }
  expect(credential.status()).toMatchObject(doubted)
  credential.tried(held(), 'unreachable')
  expect(credential.status()).toMatchObject(doubted)
  credential.tried(held(), 'rejected')
  expect(credential.status()).toMatchObject({
    usable: false,
    detail: 'OpusDNS answered 401 to the key.',
  })
  credential.tried(held(), 'accepted')
  expect(credential.status()).toMatchObject({ usable: true, refused: false, warnings: [] })
  credential.tried(held(), 'unknown')
  expect(credential.status().usable).toBe(true)
  await reject(held())
  credential.tried(held(), 'unknown')
  expect(credential.status().usable).toBe(false)
})

test('a changed key takes the doubt back', async () => {
  const { credential, current, held, reject } = await rig('opk_1')
  await reject(held())
  current.write('opk_2')
  await settle()
  expect(credential.status().usable).toBe(true)
})

test('a 401 to a request has the other key tried for it, and a trial makes that one serve', async () => {
  const { credential, events, held, reject } = await rig('opk_new', 'opk_old')
  const used = held()
  expect(await reject(used)).toBe('X-Api-Key: opk_old')
  expect(header(held())).toBe('X-Api-Key: opk_new')
  expect(credential.status()).toMatchObject({ usable: true, serving: 'current' })
  credential.tried(used, 'rejected')
  expect(header(held())).toBe('X-Api-Key: opk_old')
  expect(credential.status()).toMatchObject({ usable: true, serving: 'previous' })
  expect(events).toMatchObject([{ kind: 'rejected' }, { kind: 'switched', serving: 'previous' }])
  // A late 401 of the first must not harm the other.
  expect(await reject(used)).toBe('X-Api-Key: opk_old')
  expect(await reject(held())).toBe('none')
})

test('two names for one key are no second key', async () => {
  const { held, reject } = await rig('opk_1', 'opk_1')
  expect(await reject(held())).toBe('none')
})

test('a new current key is used even while the other serves', async () => {
  const { credential, current, held } = await rig('opk_new', 'opk_old')
  credential.tried(held(), 'rejected')
  expect(credential.status().serving).toBe('previous')
  current.write('opk_newer')
  await settle()
  expect(header(held())).toBe('X-Api-Key: opk_newer')
})

test('a key that was refused long ago is tried again when the other is refused', async () => {
  const { clock, credential, held, reject } = await rig('opk_new', 'opk_old')
  credential.tried(held(), 'rejected')
  await clock.advance(59_999)
  expect(await reject(held())).toBe('none')
  await clock.advance(1)
  expect(await reject(held())).toBe('X-Api-Key: opk_new')
})

test('a foreign attachment is nobody’s business', async () => {
  const { credential, reject } = await rig('opk_1')
  expect(await reject({ attach() {}, echo: echoFilter([]) })).toBe('none')
  expect(credential.status().usable).toBe(true)
})

test('no event and no status shows a key', async () => {
  const { credential, events, held, reject } = await rig('CANARY-1', 'CANARY-2')
  await reject(held())
  await reject(held())
  expect(JSON.stringify([events, credential.status(), held()])).not.toContain('CANARY')
})
