// `npm ci` must work on a bare machine with any Node.js from 20 on. npm refuses a lock file that
// lacks an entry for any platform, and silently skips a native package whose `engines` exclude the
// machine's own Node.js, although the one that runs the tools is the one that npm installs.

import { describe, expect, test } from 'vitest'

import { textOf } from './tree.ts'

interface Entry {
  version?: string
  resolved?: string
  os?: string | string[]
  optional?: boolean
  engines?: { node?: string }
  optionalDependencies?: Record<string, string>
}

const LOCK = JSON.parse(textOf('package-lock.json')) as { packages: Record<string, Entry> }
const ENTRIES = Object.entries(LOCK.packages)

describe('package-lock.json', () => {
  test('has an entry for every platform of every native package', () => {
    const wanted = ENTRIES.flatMap(([, entry]) => Object.entries(entry.optionalDependencies ?? {}))
    expect(wanted.length).toBeGreaterThan(10)
    const missing = wanted.filter(([name]) => !Object.hasOwn(LOCK.packages, `node_modules/${name}`))
    expect(missing.map(([name]) => name)).toEqual([])
  })

  test('lets npm install the native packages whatever Node.js it runs on', () => {
    const picky = ENTRIES.filter(
      ([, entry]) =>
        entry.optional === true && entry.os !== undefined && entry.engines?.node !== undefined,
    )
    expect(picky.map(([path]) => path)).toEqual([])
  })

  test('names no registry', () => {
    expect(ENTRIES.filter(([, entry]) => entry.resolved !== undefined)).toEqual([])
  })
})
