// The scanner of this folder, for a scanner that overlooks things proves nothing.

import { describe, expect, test } from 'vitest'

import { importsOf, withoutComments } from './scan.ts'

describe('the scanner', () => {
  test.each([
    [`import { a } from './a.ts'`, './a.ts'],
    [`import type { A } from './a.ts'`, './a.ts'],
    [`import a, { b } from 'a'`, 'a'],
    [`import * as a from 'a'`, 'a'],
    [`import {\n  a,\n  b,\n} from './a.ts'`, './a.ts'],
    [`import './a.ts'`, './a.ts'],
    [`export { a } from './a.ts'`, './a.ts'],
    [`export type { A } from 'a'`, 'a'],
    [`export * from './a.ts'`, './a.ts'],
    [`export * as a from './a.ts'`, './a.ts'],
    [`const a = await import('./a.ts')`, './a.ts'],
    [`type A = import('./a.ts').A`, './a.ts'],
    [`const a = await import(name)`, '?'],
  ])('sees the import in %j', (source, target) => {
    expect(importsOf(source)).toEqual([target])
  })

  test('sees no import in a comment', () => {
    expect(importsOf(`// x\n/*\nimport './a.ts'\n*/\n// import('b')\n`)).toEqual([])
  })

  test('takes comments out and leaves what only looks like one', () => {
    const source =
      "const a = 'http://x' // one\nconst b = /\\/\\/[/'\"]/.test(a) /* two */\nconst c = `//`"
    expect(withoutComments(source)).toBe(
      "const a = 'http://x'  \nconst b = /\\/\\/[/'\"]/.test(a)  \nconst c = `//`",
    )
  })
})
