// This proxy as `npm start` runs it, all defaults on.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { Command, Contender, Place } from './contender.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** This checkout. Its stdout, and so the access log, is the bench's to choose. */
export const ours = checkout('ours', ROOT)

/** The proxy of the checkout in the folder `root`, which ends in a slash. */
export function checkout(name: string, root: string): Contender {
  return { name, forwards: true, prepare: (place) => command(place, root) }
}

function command({ port, sparePort, upstreamPort, key }: Place, root: string): Command {
  const { args, variables } = startScript(root)
  return {
    program: process.execPath,
    args,
    env: {
      ...variables,
      OPUSDNS_API_KEY: key,
      OPUSDNS_API_BASE: `http://127.0.0.1:${upstreamPort}`,
      OPUSDNS_PROXY_LISTEN: `127.0.0.1:${port}`,
      OPUSDNS_PROXY_ADMIN: `127.0.0.1:${sparePort}`,
    },
  }
}

/** The start script, taken apart: variables before `node`, arguments after it, paths made absolute. */
function startScript(root: string): { variables: Record<string, string>; args: string[] } {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    scripts: { start: string }
  }
  const words = scripts.start.split(' ')
  const node = words.indexOf('node')
  // It runs in another folder than the repository.
  const absolute = (text: string) => text.replace(/^(?:src|node_modules)\//, `${root}$&`)
  const assignments = words.slice(0, node).filter((word) => word.includes('='))
  const variables = assignments.map((word) => {
    const [name = '', value = ''] = word.split('=')
    return [name, absolute(value)] as const
  })
  return { variables: Object.fromEntries(variables), args: words.slice(node + 1).map(absolute) }
}
