// The files of the repository as the tests of this folder see them.

import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's top folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

// What .gitignore names, and git's own.
const SKIPPED = new Set(['node_modules', '.git', 'coverage', 'tmp', '.env'])

/** Paths, relative to ROOT with `/`, of the files below `folder` whose names end with `ending`. */
export function filesBelow(folder: string, ending = ''): string[] {
  return readdirSync(join(ROOT, folder), { recursive: false, withFileTypes: true })
    .filter((entry) => !SKIPPED.has(entry.name))
    .flatMap((entry) => {
      const path = relative(ROOT, join(ROOT, folder, entry.name))
      if (entry.isDirectory()) return filesBelow(path, ending)
      return entry.isFile() && entry.name.endsWith(ending) ? [path] : []
    })
    .toSorted()
}

/** Text of a file of the repository. */
export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** package.json, as far as these tests read it. */
export function manifest(): {
  version: string
  engines: { node: string }
  scripts: Record<string, string>
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
} {
  return JSON.parse(textOf('package.json'))
}
