// The real clients, as their registries have them, in a folder of the cache. Nothing is patched.

import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const PYTHON = {
  names: ['python3.13', 'python3.12', 'python3'],
  packages: [
    'certbot==5.8.0',
    'certbot-dns-opusdns==1.0.0',
    'octodns==1.22.0',
    'octodns-opusdns==1.2.0',
  ],
} as const
const GO = {
  opusdns: {
    module: 'github.com/opusdns/opusdns-go-client',
    version: 'v1.1.1',
    main: 'cmd/opusdns',
  },
  pebble: { module: 'github.com/letsencrypt/pebble/v2', version: 'v2.10.1', main: 'cmd/pebble' },
} as const
const INSTALL_TIME = 300_000

/** A tool's path, or why it is not here. */
export type Tool = { readonly path: string } | { readonly lacking: string }

/** All tools of the suite. */
export interface Toolbox {
  readonly certbot: Tool
  readonly octodnsSync: Tool
  readonly opusdns: Tool
  readonly pebble: Tool
}

/** Installs into `folder` what is not there yet. Never rejects: what cannot be had says why. */
export async function toolbox(folder: string): Promise<Toolbox> {
  mkdirSync(folder, { recursive: true })
  const [python, opusdns, pebble] = await Promise.all([
    pythonTools(join(folder, 'python')),
    goTool(folder, 'opusdns'),
    goTool(folder, 'pebble'),
  ])
  const script = (name: string): Tool =>
    'lacking' in python ? python : { path: join(python.path, 'bin', name) }
  return { certbot: script('certbot'), octodnsSync: script('octodns-sync'), opusdns, pebble }
}

/** The folder of a virtual environment with all packages. */
async function pythonTools(folder: string): Promise<Tool> {
  const done = join(folder, 'installed')
  if (existsSync(done)) return { path: folder }
  // pyenv puts a Python that is not the present one beside, not on the path.
  const others = globSync(join(homedir(), '.pyenv/versions/3.*/bin/python3'))
  const names = [...PYTHON.names, ...others]
  const found = await Promise.all(names.map(isRecent))
  const python = names.find((_, at) => found[at])
  if (python === undefined) return { lacking: 'no Python from 3.12 on' }
  try {
    await run(python, ['-m', 'venv', folder], { timeout: INSTALL_TIME })
    const pip = join(folder, 'bin', 'pip')
    const quiet = ['-q', '--disable-pip-version-check', '--retries', '0', '--timeout', '15']
    await run(pip, ['install', ...quiet, ...PYTHON.packages], { timeout: INSTALL_TIME })
    writeFileSync(done, '')
    return { path: folder }
  } catch (error) {
    return { lacking: `Python's packages cannot be installed (${lastLine(error)})` }
  }
}

async function isRecent(name: string): Promise<boolean> {
  try {
    await run(name, ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 12))'])
    return true
  } catch {
    return false
  }
}

async function goTool(folder: string, name: keyof typeof GO): Promise<Tool> {
  const path = join(folder, name)
  if (existsSync(path)) return { path }
  const { module, version, main } = GO[name]
  // Not `go install`, which asks a registry for the folder as if it were a module.
  const cwd = join(folder, `${name}-module`)
  const env = { ...process.env, GOFLAGS: '-buildvcs=false -mod=mod' }
  const go = (...args: string[]) => run('go', args, { cwd, env, timeout: INSTALL_TIME })
  try {
    mkdirSync(cwd, { recursive: true })
    writeFileSync(join(cwd, 'go.mod'), `module clients\n\nrequire ${module} ${version}\n`)
    await go('build', '-o', path, `${module}/${main}`)
    return { path }
  } catch (error) {
    return { lacking: `${name} cannot be built by Go (${lastLine(error)})` }
  }
}

function lastLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.trim().split('\n').at(-1) ?? ''
}
