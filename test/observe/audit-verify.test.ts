// What `audit verify` finds: every removal and every change in the middle of a chain.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { DONE, READ, WRITE, folder, judged, subject } from './audit-support.ts'

/** Lines of two processes, one after the other. */
function twoChains(): string[] {
  const file = join(folder(), 'audit.jsonl')
  for (let start = 0; start < 2; start++) {
    const { audit } = subject(file)
    audit.start()
    for (let n = 0; n < 4; n++) audit.open(n % 2 === 0 ? READ : WRITE).close(DONE)
    audit.stop()
  }
  return readFileSync(file, 'utf8').trimEnd().split('\n')
}

const judge = (lines: readonly string[]) => judged(Buffer.from(`${lines.join('\n')}\n`))

describe('the verifier', () => {
  const lines = () => twoChains()

  test('finds each record that was taken out, but for the first and the last', () => {
    const all = lines()
    expect(judge(all)).toMatchObject({ chains: 2, records: all.length })
    for (let at = 1; at < all.length - 1; at++) {
      expect(judge(all.toSpliced(at, 1)), String(at)).toEqual(expect.any(String))
    }
    expect(judge(all.slice(1))).toMatchObject({ beginsAt: 2 })
    expect(judge(all.slice(0, -1))).toMatchObject({ records: all.length - 1 })
  })

  test('finds each run of records that was taken out of the middle', () => {
    const all = lines()
    for (let from = 1; from < all.length - 1; from++) {
      for (let to = from + 1; to < all.length; to++) {
        const left = [...all.slice(0, from), ...all.slice(to)]
        expect(judge(left), `${from} to ${to}`).toEqual(expect.any(String))
      }
    }
  })

  test('finds each byte that was changed, but for those of the first and the last record', () => {
    const all = lines()
    const bytes = Buffer.from(`${all.join('\n')}\n`)
    const last = bytes.length - (all.at(-1)?.length ?? 0) - 1
    for (let at = (all[0] ?? '').length + 1; at < last; at += 7) {
      const changed = Buffer.from(bytes)
      changed[at] = changed[at] === 0x41 ? 0x42 : 0x41
      expect(judged(changed), `byte ${at}`).toEqual(expect.any(String))
    }
  })

  test('finds records in another order, twice, or put in', () => {
    const all = lines()
    for (let at = 0; at < all.length - 1; at++) {
      const [one = '', other = ''] = all.slice(at, at + 2)
      expect(judge(all.toSpliced(at, 2, other, one))).toEqual(expect.any(String))
      expect(judge(all.toSpliced(at, 0, one))).toEqual(expect.any(String))
    }
  })

  test('finds a piece of a line of which no record tells', () => {
    const all = lines()
    const piece = (all[3] ?? '').slice(0, 100)
    expect(judge(all.toSpliced(3, 0, piece))).toContain('not whole')
    expect(judge([...all, piece])).toMatchObject({ endsTorn: true })
    expect(judge([...all, piece, piece])).toContain('not whole')
  })

  test('passes over lines of the log, and counts them', () => {
    const all = lines()
    const mixed = all.flatMap((line) => ['{"level":"info","msg":"request"}', line])
    expect(judge(mixed)).toMatchObject({ records: all.length, others: all.length })
  })

  test('says of nothing that it is nothing', () => {
    expect(judge([''])).toMatchObject({ records: 0, others: 0 })
  })
})
