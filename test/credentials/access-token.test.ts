import { expect, test } from 'vitest'

import { Secret } from '../../src/base/secret.ts'
import { accessToken } from '../../src/credentials/access-token.ts'

const built = (life: number, random: number) =>
  accessToken({ life, since: 0, assumed: false }, Secret.of('abc'), () => random)

test('an hour-long token is due between 65 % and 75 % of its life, and stops 30 s before its end', () => {
  expect(built(3_600_000, 0).dueAt).toBe(2_700_000)
  expect(built(3_600_000, 1).dueAt).toBe(2_340_000)
  expect(built(3_600_000, 0).stopAt).toBe(3_570_000)
})

test('due and expired change exactly at their moments', () => {
  const token = built(3_600_000, 0)
  expect([token.due(2_699_999), token.due(2_700_000)]).toEqual([false, true])
  expect([token.expired(3_569_999), token.expired(3_570_000)]).toEqual([false, true])
})

test.each([1_000, 4_000, 10_000, 60_000, 120_000, 300_000, 86_400_000])(
  'a token that lives %i ms stops at most a quarter of it early, and is due before that',
  (life) => {
    for (const random of [0, 0.5, 0.999_999]) {
      const token = built(life, random)
      expect(token.stopAt).toBe(life - Math.min(30_000, life / 4))
      expect(token.dueAt).toBeGreaterThanOrEqual(life * 0.65 - 1)
      expect(token.dueAt).toBeLessThanOrEqual(life * 0.75)
      expect(token.stopAt - token.dueAt).toBeGreaterThanOrEqual(Math.min(2_000, life * 0.0749))
    }
  },
)

test('attaching appends one Authorization header, and nothing else shows the token', () => {
  const headers = ['accept', '*/*']
  built(1_000, 0).attach(headers)
  expect(headers).toEqual(['accept', '*/*', 'Authorization', 'Bearer abc'])
  expect(JSON.stringify(built(1_000, 0))).not.toContain('abc')
})
