// This proxy as `npm start` runs it, all defaults on.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { Contender, Place } from './contender.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** See the top of the file. Its stdout, and so the access log, is the bench's to choose. */
export const ours: Contender = {
  name: 'ours',
  forwards: true,
  prepare: ({ port, sparePort, upstreamPort, key }: Place) => ({
    program: process.execPath,
    args: startScript().args,
    env: {
      ...startScript().variables,
      OPUSDNS_API_KEY: key,
      OPUSDNS_API_BASE: `http://127.0.0.1:${upstreamPort}`,
      OPUSDNS_PROXY_LISTEN: `127.0.0.1:${port}`,
      OPUSDNS_PROXY_ADMIN: `127.0.0.1:${sparePort}`,
    },
  }),
}

/** The start script, taken apart: variables before `node`, arguments after it, paths made absolute. */
function startScript(): { variables: Record<string, string>; args: string[] } {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    scripts: { start: string }
  }
  const words = scripts.start.split(' ')
  const node = words.indexOf('node')
  // It runs in another folder than the repository.
  const absolute = (text: string) => text.replace(/^(?:src|node_modules)\//, `${ROOT}$&`)
  const variables = words.slice(0, node).map((word) => {
    const [name = '', value = ''] = word.split('=')
    return [name, absolute(value)] as const
  })
  return { variables: Object.fromEntries(variables), args: words.slice(node + 1).map(absolute) }
}
