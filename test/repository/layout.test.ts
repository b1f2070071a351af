// How every file in src looks: short, with a header, and with a docstring on whatever it exports.

import { describe, expect, test } from 'vitest'

import { filesBelow, manifest, textOf } from './tree.ts'
import { NODE_FLOOR, VERSION } from '../../src/base/version.ts'

const FILES = filesBelow('src', '.ts')
const LONGEST = 300
// Tables of facts, one row a line: splitting them would hide gaps.
const TABLES = new Set(['src/opusdns/operation-table.ts'])

const EXPORT =
  /^export\s+(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|interface|const|let|class|type)\s+([A-Za-z_$][\w$]*)/

/** Names that `source` exports without a docstring right above. Overloads share the first one's. */
function undocumented(source: string): string[] {
  const lines = source.split('\n')
  const documented = new Set<string>()
  return lines.flatMap((line, at) => {
    const name = EXPORT.exec(line)?.[1]
    if (name === undefined || documented.has(name)) return []
    documented.add(name)
    return (lines[at - 1] ?? '').trimEnd().endsWith('*/') ? [] : [name]
  })
}

describe('a file in src', () => {
  test('is judged by rules that can fail', () => {
    const source = [
      '/** A. */',
      'export function a(x: string): void',
      'export function a(x: unknown): void {}',
      '// not a docstring',
      'export const b = 1',
      'export interface C {}',
      'export async function* d() {}',
      'export { e }',
    ].join('\n')
    expect(undocumented(source)).toEqual(['b', 'C', 'd'])
  })

  test(`has at most ${LONGEST} lines, tables aside`, () => {
    const long = FILES.filter((file) => !TABLES.has(file))
      .map((file) => ({ file, lines: textOf(file).trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > LONGEST)
    expect(long).toEqual([])
  })

  test('begins with a comment that says what it is for', () => {
    expect(FILES.filter((file) => !/^\/\/ \S.{15}/.test(textOf(file)))).toEqual([])
  })

  test('documents everything that it exports', () => {
    const bare = FILES.map((file) => ({ file, names: undocumented(textOf(file)) }))
    expect(bare.filter(({ names }) => names.length > 0)).toEqual([])
  })
})

describe('the version', () => {
  test('is the same in the program, package.json, the image and the changelog', () => {
    expect(VERSION).toBe(manifest().version)
    expect(textOf('Dockerfile')).toContain(`image.version="${VERSION}"`)
    expect(textOf('CHANGELOG.md')).toContain(`## [${VERSION}]`)
  })

  test('of Node.js that the program insists on is the one that package.json asks for', () => {
    expect(manifest().engines.node).toBe(`>=${NODE_FLOOR}`)
  })
})
