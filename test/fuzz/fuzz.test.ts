// Every fuzzing subject for a few seconds, with a new seed each time. A failure shows seed, path and the
// smallest counterexample; `npm run fuzz` does the same for as long as it is told.

import { describe, expect, test } from 'vitest'

import { fuzz } from './subject.ts'
import { SUBJECTS } from './subjects.ts'

const LIMIT = 5_000

describe('whatever comes,', () => {
  test.each(SUBJECTS)('$name holds its promises', { timeout: 90_000 }, async (subject) => {
    const open = await subject.open()
    try {
      const seed = Math.floor(Math.random() * 0x7fff_ffff)
      const limit = LIMIT / open.properties.length
      const { runs, failure } = await fuzz(open, { runs: subject.runs, limit, seed })
      expect(failure).toBeUndefined()
      expect(runs).toBeGreaterThan(0)
    } finally {
      await open.close()
    }
  })
})
