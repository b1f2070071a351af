import { expect, test } from 'vitest'

import { streamGarbage } from '../../src/proxy/stream-garbage.ts'

test('collects once for every so many bytes, however they come', () => {
  let collected = 0
  const streamed = streamGarbage({ every: 100 }, () => {
    collected += 1
  })
  for (let piece = 0; piece < 30; piece++) streamed(10)
  expect(collected).toBe(3)
  streamed(1000)
  expect(collected).toBe(4)
})

test('does nothing where the process cannot collect', () => {
  expect(() => streamGarbage({ every: 1 }, undefined)(10)).not.toThrow()
})
