import { expect, test } from 'vitest'

import { issuedTokens } from '../../src/store/issued-tokens.ts'
import { manualClock } from '../support/manual-clock.ts'

test('a token names the consumer that it was issued to', () => {
  const tokens = issuedTokens({ life: 60_000, max: 10 }, manualClock())
  const { token, expiresIn } = tokens.issue('billing')
  expect(expiresIn).toBe(60)
  expect(tokens.bearerOf(token)).toEqual({ consumer: 'billing' })
})

test('a token is unknown once its life is over', async () => {
  const clock = manualClock()
  const tokens = issuedTokens({ life: 60_000, max: 10 }, clock)
  const { token } = tokens.issue('billing')
  await clock.advance(59_999)
  expect(tokens.bearerOf(token)).toEqual({ consumer: 'billing' })
  await clock.advance(2)
  expect(tokens.bearerOf(token)).toBe('unknown')
})

test('memory is bounded: the least recently used token goes first', () => {
  const tokens = issuedTokens({ life: 60_000, max: 2 }, manualClock())
  const [first, second] = [tokens.issue('a'), tokens.issue('b')]
  tokens.bearerOf(first.token)
  tokens.issue('c')
  expect(tokens.bearerOf(second.token)).toBe('unknown')
  expect(tokens.bearerOf(first.token)).toEqual({ consumer: 'a' })
})

test('what was not issued here is not ours', () => {
  const tokens = issuedTokens({ life: 60_000, max: 2 }, manualClock())
  expect(tokens.bearerOf('dummy')).toBe('not_ours')
  expect(tokens.bearerOf('opxt_forged')).toBe('unknown')
})
