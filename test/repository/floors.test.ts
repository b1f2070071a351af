// src is a house: a file imports only from lower floors, and each package has one home.

import { describe, expect, test } from 'vitest'

import { HOMES, cycleIn, resolved, violation } from './floors.ts'
import { importsOf, withoutComments } from './scan.ts'
import { filesBelow, manifest, textOf } from './tree.ts'

const FILES = filesBelow('src', '.ts')
const IMPORTS = FILES.flatMap((file) => importsOf(textOf(file)).map((target) => ({ file, target })))

describe('the rule', () => {
  test.each([
    ['src/base/clock.ts', '../store/issued-tokens.ts', 'store is not below base'],
    ['src/store/issued-tokens.ts', '../observe/log.ts', 'observe is not below store'],
    ['src/proxy/forward.ts', '../secrets/file.ts', 'proxy must not meet secrets'],
    ['src/proxy/forward.ts', '../admin/options.ts', 'admin is not below proxy'],
    ['src/admin/pages.ts', '../proxy/journey.ts', 'proxy is not below admin'],
    ['src/config/load.ts', '../secrets/file.ts', 'config imports only base and option schemas'],
    ['src/server/run.ts', '../cli/serve.ts', 'cli is not below server'],
    ['src/cli/serve.ts', '../main.ts', 'nothing imports the entry point'],
    ['src/proxy/a/b.ts', '../../server/run.ts', 'server is not below proxy'],
    ['src/base/schema.ts', '../../test/support/manual-clock.ts', 'src imports only from src'],
    ['src/base/clock.ts', 'node:fs/promises', 'the ground floor does no I/O'],
    ['src/base/clock.ts', 'zod', 'zod lives in src/base/schema.ts'],
    ['src/server/run.ts', 'node:process', 'only src/main.ts and src/cli read the process'],
    ['src/server/run.ts', '@hono/other/thing', '@hono/other has no home'],
    ['src/server/run.ts', '?', 'the import is computed'],
  ])('%s may not import %s', (file, target, reason) => {
    expect(violation(file, target)).toBe(reason)
  })

  test.each([
    ['src/proxy/forward.ts', '../credentials/credential.ts'],
    ['src/proxy/a/b.ts', '../forward.ts'],
    ['src/config/schema.ts', '../server/options.ts'],
    ['src/config/schema.ts', '../opusdns/upstream-options.ts'],
    ['src/main.ts', './cli/program.ts'],
    ['src/base/schema.ts', 'zod'],
    ['src/proxy/journey.ts', '@hono/node-server/utils/response'],
    ['src/secrets/file.ts', 'node:fs/promises'],
  ])('%s may import %s', (file, target) => {
    expect(violation(file, target)).toBeUndefined()
  })

  test('a cycle is found wherever the search begins', () => {
    const edges = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ])
    expect(cycleIn(edges)).toEqual(['b', 'd', 'b'])
    expect(cycleIn(new Map([...edges, ['d', ['c']]]))).toEqual([])
  })
})

describe('src', () => {
  test('imports only from lower floors, and packages only at home', () => {
    expect(IMPORTS.length).toBeGreaterThan(50)
    const broken = IMPORTS.map(({ file, target }) => ({
      file,
      target,
      why: violation(file, target),
    }))
    expect(broken.filter(({ why }) => why !== undefined)).toEqual([])
  })

  test('imports only files that exist, by their full name', () => {
    const missing = IMPORTS.filter(({ file, target }) => {
      const to = resolved(file, target)
      return to !== undefined && !FILES.includes(to)
    })
    expect(missing).toEqual([])
  })

  test('has no cycle of imports, types included', () => {
    const edges = new Map(
      FILES.map((file) => {
        const targets = IMPORTS.filter((it) => it.file === file)
        return [
          file,
          targets.map(({ target }) => resolved(file, target)).filter((to) => to !== undefined),
        ]
      }),
    )
    expect(cycleIn(edges)).toEqual([])
  })

  test('has no barrels', () => {
    expect(FILES.filter((file) => /(?:^|\/)index\.ts$/.test(file))).toEqual([])
    const reexports = /^export\s+(?:type\s+)?(?:\*|\{[^}]*\}\s*from\s*['"]\.)/m
    expect(FILES.filter((file) => reexports.test(withoutComments(textOf(file))))).toEqual([])
  })

  test('reads the process only in main.ts and cli', () => {
    const readers = FILES.filter((file) => !file.startsWith('src/cli/') && file !== 'src/main.ts')
    // config/write-schema.ts is a development script, not part of the program.
    const programs = readers.filter((file) => file !== 'src/config/write-schema.ts')
    expect(
      programs.filter((file) =>
        // A signal to a child's group reads nothing, and goes by no other way.
        /(?<![.\w$'])process\.(?!kill\()\w|globalThis\.process/.test(withoutComments(textOf(file))),
      ),
    ).toEqual([])
  })

  test('gives every production dependency a home, and every home is in use', () => {
    const { dependencies, peerDependencies } = manifest()
    const names = Object.keys({ ...dependencies, ...peerDependencies })
    expect(Object.keys(HOMES).toSorted()).toEqual(names.toSorted())
    const used = new Set(IMPORTS.map(({ target }) => target))
    const idle = Object.keys(HOMES).filter(
      (name) => ![...used].some((target) => target === name || target.startsWith(`${name}/`)),
    )
    expect(idle).toEqual([])
  })
})
