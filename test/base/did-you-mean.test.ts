import { expect, test } from 'vitest'

import { didYouMean } from '../../src/base/did-you-mean.ts'

const KNOWN = ['listen', 'limits', 'log', 'connect_timeout', 'connections']

test.each([
  ['listn', 'listen'],
  ['Limits', 'limits'],
  ['logs', 'log'],
  ['connectTimeout', 'connect_timeout'],
  ['connect-timeout', 'connect_timeout'],
  ['conections', 'connections'],
])('%s was meant to be %s', (word, meant) => {
  expect(didYouMean(word, KNOWN)).toBe(meant)
})

test.each(['x', 'policy', 'something_else_entirely', ''])('nobody knows what %j means', (word) => {
  expect(didYouMean(word, KNOWN)).toBeUndefined()
})
