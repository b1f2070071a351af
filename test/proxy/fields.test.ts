import { expect, test } from 'vitest'

import { only, valueOf, without } from '../../src/proxy/fields.ts'

// A value that is a name elsewhere, and a name in two spellings.
const FIELDS = ['Date', 'via', 'VIA', 'one', 'X', 'date', 'Via', 'two']

test('fields are told by their names, in any case, and keep their order', () => {
  expect(without(FIELDS, (name) => name === 'via')).toEqual(['Date', 'via', 'X', 'date'])
  expect(only(FIELDS, new Set(['via']))).toEqual(['VIA', 'one', 'Via', 'two'])
  expect(FIELDS).toHaveLength(8)
})

test('the value of a field is its first, and never that of another', () => {
  expect(valueOf(FIELDS, 'via')).toBe('one')
  expect(valueOf(FIELDS, 'date')).toBe('via')
  expect(valueOf(FIELDS, 'one')).toBeUndefined()
})
