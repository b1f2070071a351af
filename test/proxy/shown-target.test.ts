import { expect, test } from 'vitest'

import { shownTarget } from '../../src/proxy/shown-target.ts'

test('what no terminal should print is escaped, whatever a parser lets through', () => {
  expect(shownTarget('/v1/\u001b[31m\u00e9\u009b\u007f')).toBe(String.raw`/v1/\x1b[31m\xe9\x9b\x7f`)
})

test('what is shown is bounded, escapes included', () => {
  expect(shownTarget(`/${'\u001b'.repeat(600)}`)).toHaveLength(1001)
})
