// How `npm start` runs the program: the flags of Node.js and the variables that its script sets.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { ROOT } from './running-proxy.ts'

/** Flags and variables, for `ProgramOptions`. */
export interface NpmStart {
  readonly nodeArgs: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Reads them from package.json. */
export function npmStart(): NpmStart {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8')
  const { scripts } = JSON.parse(text) as { scripts: { start: string } }
  const [before = '', after = ''] = scripts.start.split(/(?<!\S)node /)
  const env = [...before.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value])
  return {
    nodeArgs: after.split(' ').filter((word) => word.startsWith('--')),
    env: Object.fromEntries(env) as Record<string, string>,
  }
}
