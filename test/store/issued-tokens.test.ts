import { expect, test } from 'vitest'

import { issuedTokens } from '../../src/store/issued-tokens.ts'
import { manualClock } from '../support/manual-clock.ts'

test('a token names the consumer that it was issued to', () => {
  const tokens = issuedTokens({ life: 60_000, max: 10 }, manualClock())
  const { token, expiresIn } = tokens.issue({ consumer: 'billing' })
  expect(expiresIn).toBe(60)
  expect(tokens.bearerOf(token)).toEqual({ consumer: 'billing' })
})

test('a token is unknown once its life is over', async () => {
  const clock = manualClock()
  const tokens = issuedTokens({ life: 60_000, max: 10 }, clock)
  const { token } = tokens.issue({ consumer: 'billing' })
  await clock.advance(59_999)
  expect(tokens.bearerOf(token)).toEqual({ consumer: 'billing' })
  await clock.advance(2)
  expect(tokens.bearerOf(token)).toBe('unknown')
})

test('memory is bounded: the least recently used token goes first', () => {
  const tokens = issuedTokens({ life: 60_000, max: 2 }, manualClock())
  const [first, second] = [tokens.issue({ consumer: 'a' }), tokens.issue({ consumer: 'a' })]
  tokens.bearerOf(first.token)
  tokens.issue({ consumer: 'a' })
  expect(tokens.bearerOf(second.token)).toBe('unknown')
  expect(tokens.bearerOf(first.token)).toEqual({ consumer: 'a' })
})

test('what was not issued here is not ours', () => {
  const tokens = issuedTokens({ life: 60_000, max: 2 }, manualClock())
  expect(tokens.bearerOf('dummy')).toBe('not_ours')
  expect(tokens.bearerOf('opxt_forged')).toBe('unknown')
})

const key = { id: 'k7x2abcd', sha256: 'ab'.repeat(32), expiresAt: undefined }

test('a token remembers the key that it came from, and says that it ends with it', () => {
  const clock = manualClock()
  const tokens = issuedTokens({ life: 3_600_000, max: 2 }, clock)
  const ending = { ...key, expiresAt: clock.wall() + 90_500 }
  const { token, expiresIn } = tokens.issue({ consumer: 'a', key: ending })
  expect(expiresIn).toBe(90)
  expect(tokens.bearerOf(token)).toEqual({ consumer: 'a', key: ending })
})

test('neither anonymous logins nor another consumer push out the tokens of a key', () => {
  const tokens = issuedTokens({ life: 60_000, max: 3, maxByKey: 2 }, manualClock())
  const mine = tokens.issue({ consumer: 'a', key })
  for (let count = 0; count < 50; count++) {
    tokens.issue({ consumer: 'a' })
    tokens.issue({ consumer: 'b', key: { ...key, id: 'bbbbbbbb' } })
  }
  expect(tokens.bearerOf(mine.token)).toEqual({ consumer: 'a', key })
  tokens.issue({ consumer: 'a', key })
  tokens.issue({ consumer: 'a', key })
  expect(tokens.bearerOf(mine.token)).toBe('unknown')
})
