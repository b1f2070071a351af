// The floors of src and the homes of third-party packages, and what breaks them.
// .oxlintrc.json holds the same; this one resolves paths and knows every package.

import { posix } from 'node:path'

/** Folders from the ground up; those of one floor do not know each other. */
export const FLOORS = [
  ['base'],
  ['store', 'observe'],
  ['secrets', 'opusdns'],
  ['credentials', 'consumers'],
  ['policy'],
  ['proxy', 'admin'],
  ['config'],
  ['server'],
  ['cli'],
] as const

/** Where each third-party package may be imported: a file, or folders. */
export const HOMES: Readonly<Record<string, readonly string[]>> = {
  zod: ['src/base/schema.ts'],
  undici: ['src/opusdns/client-library.ts'],
  pino: ['src/observe/'],
  'prom-client': ['src/observe/'],
  yaml: ['src/config/'],
  dotenv: ['src/config/'],
  hono: ['src/proxy/', 'src/admin/', 'src/server/'],
  '@hono/node-server': ['src/proxy/', 'src/admin/', 'src/server/'],
  'lru-cache': ['src/store/'],
  commander: ['src/cli/'],
  '@aws-sdk/client-secrets-manager': ['src/secrets/aws-secrets-manager.ts'],
  '@aws-sdk/client-ssm': ['src/secrets/aws-parameter-store.ts'],
  '@google-cloud/secret-manager': ['src/secrets/gcp-secret-manager.ts'],
  '@azure/keyvault-secrets': ['src/secrets/azure-key-vault.ts', 'src/secrets/azure-transport.ts'],
  '@azure/identity': ['src/secrets/azure-credential.ts'],
}

/** Beyond the floors: who must not meet whom. */
const STRANGERS: Readonly<Record<string, readonly string[]>> = {
  proxy: ['secrets'],
}

const IO =
  /^node:(?:child_process|cluster|dgram|dns|fs|http|http2|https|inspector|net|process|readline|tls|worker_threads)(?:\/|$)/
const OPTIONS = /(?:^|[/-])(?:options|schema)\.ts$/

/** Path of the file that `target` names from `file`, or `undefined` when it is a package. */
export function resolved(file: string, target: string): string | undefined {
  return target.startsWith('.') ? posix.join(posix.dirname(file), target) : undefined
}

/** What is wrong with `file` (such as src/proxy/forward.ts) importing `target`, or `undefined`. */
export function violation(file: string, target: string): string | undefined {
  const to = resolved(file, target)
  if (target === '?') return 'the import is computed'
  const from = folderOf(file)
  if (to === undefined) return foreign(file, from, target)
  if (!to.startsWith('src/')) return 'src imports only from src'
  if (to === 'src/main.ts') return 'nothing imports the entry point'
  if (from === 'main') return undefined
  const there = folderOf(to)
  if (from === there) return undefined
  if (from === 'config') {
    return there === 'base' || OPTIONS.test(to)
      ? undefined
      : 'config imports only base and option schemas'
  }
  if (STRANGERS[from]?.includes(there)) return `${from} must not meet ${there}`
  return level(there) < level(from) ? undefined : `${there} is not below ${from}`
}

function foreign(file: string, from: string, target: string): string | undefined {
  if (target.startsWith('node:')) {
    if (from === 'base' && IO.test(target)) return 'the ground floor does no I/O'
    if (target === 'node:process' && from !== 'cli' && from !== 'main') {
      return 'only src/main.ts and src/cli read the process'
    }
    return undefined
  }
  const name = target.split('/', target.startsWith('@') ? 2 : 1).join('/')
  const homes = Object.hasOwn(HOMES, name) ? HOMES[name] : undefined
  if (homes === undefined) return `${name} has no home`
  const home = homes.some((it) => (it.endsWith('/') ? file.startsWith(it) : file === it))
  return home ? undefined : `${name} lives in ${homes.join(', ')}`
}

function folderOf(file: string): string {
  return file === 'src/main.ts' ? 'main' : (file.split('/')[1] ?? '')
}

function level(folder: string): number {
  const found = FLOORS.findIndex((floor) => (floor as readonly string[]).includes(folder))
  if (found === -1) throw new Error(`src/${folder} stands on no floor; add it to FLOORS`)
  return found
}

/** The first cycle among `edges` (file to files), as a list that ends where it began, or []. */
export function cycleIn(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const path: string[] = []

  function visit(file: string): string[] {
    if (done.has(file)) return []
    const at = path.indexOf(file)
    if (at !== -1) return [...path.slice(at), file]
    path.push(file)
    for (const next of edges.get(file) ?? []) {
      const found = visit(next)
      if (found.length > 0) return found
    }
    path.pop()
    done.add(file)
    return []
  }

  for (const file of edges.keys()) {
    const found = visit(file)
    if (found.length > 0) return found
  }
  return []
}
