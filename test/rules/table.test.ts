// docs/http-rules.md promises a test for each rule: this holds it to its word.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const TABLE = readFileSync('docs/http-rules.md', 'utf8')
const ROWS = new Map(
  [...TABLE.matchAll(/^\| (\d+)\s*\|(.*)\|$/gm)].map(([, number, cells = '']) => [
    Number(number),
    cells.split(/(?<!\\)\|/).map((cell) => cell.trim()),
  ]),
)

describe('docs/http-rules.md', () => {
  test('has a row for each of the 35 rules, in order', () => {
    expect([...ROWS.keys()]).toEqual(Array.from({ length: 35 }, (_, at) => at + 1))
  })

  test.each([...ROWS])(
    'names for rule %i a test that is there, and is about it',
    (number, cells) => {
      const [rule = '', , tests = ''] = cells
      expect(rule).not.toBe('')
      const files = [...tests.matchAll(/`(test\/[\w/.-]+\.test\.ts)`/g)].map(
        ([, path = '']) => path,
      )
      for (const path of files) expect(existsSync(path), path).toBe(true)
      const about = files.filter((path) => mentions(readFileSync(path, 'utf8'), number))
      expect(about, `files of ${files.join(', ')} about rule ${number}`).not.toEqual([])
      for (const path of files.filter((it) => it.startsWith('test/rules/')))
        expect(about).toContain(path)
    },
  )

  test.each([...ROWS])('names for rule %i only tests whose titles are there', (_number, cells) => {
    for (const [, path = '', titles = ''] of (cells[2] ?? '').matchAll(
      /`(test\/[^`]+)`: ([^`]+)/g,
    )) {
      const text = readFileSync(path, 'utf8')
      for (const title of titles.split(';').map((it) => it.trim())) expect(text).toContain(title)
    }
  })
})

/** True when a test of `text` has the rule in its name, or its header says that the file is about it. */
function mentions(text: string, number: number): boolean {
  if (new RegExp(`\\brule ${number}:`).test(text)) return true
  const header = /^(?:\/\/.*\n)+/.exec(text)?.[0] ?? ''
  return [...header.matchAll(/\brules? ([\d, and()a-z]*)/gi)].some(([, list = '']) => {
    const [, from, to] = /(\d+) to (\d+)/.exec(list) ?? []
    if (from !== undefined && Number(from) <= number && number <= Number(to)) return true
    return (list.match(/\d+/g) ?? []).map(Number).includes(number)
  })
}
