// Runs `doctor` within the test's own process, through the program's command line, against a world of
// the test's making: as the real one, but without the start of a process.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'

import { runProgram } from '../../src/cli/program.ts'
import type { World } from '../../src/cli/world.ts'

/** A line of `--json`. */
export interface Line {
  readonly check: string
  readonly outcome: string
  readonly did: string
  readonly saw: string
  readonly remedy: string | null
  readonly ms: number
}

/** How to run it. */
export interface RunOptions {
  /** The whole environment. Listeners get port 0 on loopback unless told otherwise. */
  readonly env: Readonly<Record<string, string>>
  /** YAML text of the configuration file. */
  readonly config?: string | undefined
  /** The working folder; default a new one. */
  readonly cwd?: string
}

/** A folder that is gone when the test is over. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'doctor-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs `doctor` with further arguments; yields its exit code and all that it said. */
export async function say(args: readonly string[], options: RunOptions) {
  const cwd = options.cwd ?? folder()
  const said = { out: '', err: '' }
  const world: World = {
    env: {
      OPUSDNS_PROXY_LISTEN: '127.0.0.1:0',
      OPUSDNS_PROXY_ADMIN: '127.0.0.1:0',
      ...options.env,
    },
    cwd,
    node: process.versions.node,
    facts: () => ({
      flags: [],
      undone: new Map(),
      debug: undefined,
      uid: 1000,
      limits: undefined,
      coreFilter: undefined,
    }),
    umask: (mask) => mask,
    collect: undefined,
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    onSignal: () => undefined,
    onCrash: () => undefined,
    exit: () => undefined as never,
  }
  const more: string[] = []
  if (options.config !== undefined) {
    const path = join(cwd, 'proxy.yaml')
    writeFileSync(path, options.config)
    more.push('--config', path)
  }
  const code = await runProgram(['doctor', ...args, ...more], world)
  return { code, ...said }
}

/** Runs it with `--json`, and reads that. */
export async function doctor(
  env: Readonly<Record<string, string>>,
  more: Omit<RunOptions, 'env'> = {},
) {
  const { code, out, err } = await say(['--json'], { env, ...more })
  expect(err).toBe('')
  return { code, ...report(out) }
}

/** What `--json` printed, by check. */
export function report(text: string) {
  const lines = JSON.parse(text) as Line[]
  return {
    lines,
    /** The only line of a check. */
    of(check: string): Line {
      const found = lines.filter((line) => line.check === check)
      expect(found, check).toHaveLength(1)
      return found[0] as Line
    },
    /** Outcomes by check, without what this machine is like. */
    outcomes: () =>
      Object.fromEntries(
        lines
          .filter(({ check }) => !['process', 'memory', 'descriptors', 'node'].includes(check))
          .map(({ check, outcome }) => [check, outcome]),
      ),
  }
}
