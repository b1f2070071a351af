// The sources of secrets against the real file system and real processes.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import type { Clock } from '../../src/base/clock.ts'
import { Secret } from '../../src/base/secret.ts'
import { envSource } from '../../src/secrets/env.ts'
import { execSource } from '../../src/secrets/exec.ts'
import { FILE_POLL_MS, fileSource } from '../../src/secrets/file.ts'
import { manualClock } from '../support/manual-clock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)

/** A watched file. `look` lets looks happen: each ends by setting the timer for the next. */
function watched(path: string) {
  const clock = manualClock()
  let timers = 0
  const counting: Clock = {
    ...clock,
    after(ms, fire) {
      timers++
      return clock.after(ms, fire)
    },
  }
  const source = fileSource({ path }, { clock: counting })
  let changes = 0
  const end = source.watch?.(() => changes++) ?? (() => {})
  async function look(times = 1): Promise<void> {
    for (let time = 0; time < times; time++) {
      const before = timers
      await clock.advance(FILE_POLL_MS)
      await until(() => timers > before)
    }
  }
  return { clock, source, end, look, changes: () => changes }
}

/** Waits for what the operating system does, at most 10 s. */
async function until(done: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!done()) {
    if (Date.now() > deadline) throw new Error('did not happen')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

describe('an environment variable', () => {
  test('is read from what was captured, never from the process', async () => {
    const source = envSource({ name: 'PATH' }, new Map())
    await expect(source.read()).rejects.toThrow('env:PATH was not set at start')
    const captured = new Map([['K', Secret.of('opk_a')]])
    expect((await envSource({ name: 'K' }, captured).read()).reveal()).toBe('opk_a')
  })
})

describe('a file', () => {
  test('is read without its trailing newline', async () => {
    writeFileSync(at('k'), 'opk_a\n')
    const source = fileSource({ path: at('k') }, { clock: systemClock })
    expect((await source.read()).reveal()).toBe('opk_a')
  })

  test.each([
    ['missing', () => {}, 'ENOENT'],
    ['a directory', () => mkdirSync(at('k')), 'not a regular file'],
    ['a FIFO', () => execFileSync('mkfifo', [at('k')]), 'not a regular file'],
    ['empty', () => writeFileSync(at('k'), ''), 'is empty'],
    ['too long', () => writeFileSync(at('k'), 'c'.repeat(70_000)), 'longer than 64 KiB'],
  ])('that is %s is refused, with its place and the reason', async (_what, make, reason) => {
    make()
    const read = fileSource({ path: at('k') }, { clock: systemClock }).read()
    await expect(read).rejects.toMatchObject({ code: 'secret_unavailable' })
    await expect(read).rejects.toThrow(`file:${at('k')}`)
    await expect(read).rejects.toThrow(reason)
  })

  test('that everybody may read gets a caveat with its mode, and no refusal', async () => {
    writeFileSync(at('k'), 'opk_a', { mode: 0o644 })
    chmodSync(at('k'), 0o644)
    const source = fileSource({ path: at('k') }, { clock: systemClock })
    await source.read()
    expect(source.caveat?.()).toContain('0644')
    chmodSync(at('k'), 0o640)
    await source.read()
    expect(source.caveat?.()).toBeUndefined()
  })

  test('that does not change is never reported', async () => {
    writeFileSync(at('k'), 'opk_a')
    const { source, end, look, changes } = watched(at('k'))
    await source.read()
    await look(5)
    expect(changes()).toBe(0)
    end()
  })

  test('that changes is reported once, after it looked the same twice', async () => {
    writeFileSync(at('k'), 'opk_a')
    const { source, end, look, changes } = watched(at('k'))
    await source.read()
    await look(2)
    writeFileSync(at('k'), 'opk_b')
    await look()
    expect(changes()).toBe(0)
    await look()
    expect(changes()).toBe(1)
    await source.read()
    await look(4)
    expect(changes()).toBe(1)
    end()
  })

  test('that is still being written is left alone', async () => {
    writeFileSync(at('k'), 'opk_a')
    const { source, end, look, changes } = watched(at('k'))
    await source.read()
    for (const text of ['o', 'op', 'opk', 'opk_']) {
      writeFileSync(at('k'), text)
      await look()
    }
    expect(changes()).toBe(0)
    await look()
    expect(changes()).toBe(1)
    end()
  })

  test('half-written when it is first read is read again as soon as it is whole', async () => {
    writeFileSync(at('k'), 'opk_')
    const { source, end, look, changes } = watched(at('k'))
    await source.read()
    await look()
    writeFileSync(at('k'), 'opk_whole')
    await look(2)
    expect(changes()).toBe(1)
    expect((await source.read()).reveal()).toBe('opk_whole')
    end()
  })

  test('changed between the read and the first look is not missed', async () => {
    writeFileSync(at('k'), 'opk_a')
    const { source, end, look, changes } = watched(at('k'))
    await source.read()
    writeFileSync(at('k'), 'opk_bb')
    await look(2)
    expect(changes()).toBe(1)
    end()
  })

  test('is seen through the swap of links that Kubernetes makes', async () => {
    mkdirSync(at('..2024'))
    mkdirSync(at('..2025'))
    writeFileSync(at('..2024/k'), 'opk_a')
    writeFileSync(at('..2025/k'), 'opk_b')
    symlinkSync('..2024', at('..data'))
    symlinkSync('..data/k', at('k'))
    const { source, end, look, changes } = watched(at('k'))
    expect((await source.read()).reveal()).toBe('opk_a')
    await look(2)
    symlinkSync('..2025', at('..data_tmp'))
    renameSync(at('..data_tmp'), at('..data'))
    await look(2)
    expect(changes()).toBe(1)
    expect((await source.read()).reveal()).toBe('opk_b')
    end()
  })

  test('that vanishes and comes back is reported both times', async () => {
    writeFileSync(at('k'), 'opk_a')
    const { source, end, look, changes } = watched(at('k'))
    await source.read()
    rmSync(at('k'))
    await look(2)
    expect(changes()).toBe(1)
    await expect(source.read()).rejects.toThrow('ENOENT')
    await look(2)
    expect(changes()).toBe(1)
    writeFileSync(at('k'), 'opk_a')
    await look(2)
    expect(changes()).toBe(2)
    end()
  })

  test('is no longer looked at once the watch has ended', async () => {
    writeFileSync(at('k'), 'opk_a')
    const { clock, source, end, look, changes } = watched(at('k'))
    await source.read()
    await look(2)
    end()
    writeFileSync(at('k'), 'opk_b')
    await clock.advance(FILE_POLL_MS * 4)
    expect(changes()).toBe(0)
  })
})

/** A command that runs `script` in this Node; the source itself uses no shell. */
function command(script: string, clock = manualClock(), more: readonly string[] = []) {
  const argv = [process.execPath, '-e', script, ...more]
  const environment = { PATH: '/bin', HOME: '/home/x', OPUSDNS_API_KEY: 'opk_canary', LANG: 'C' }
  return execSource(
    { kind: 'exec', argv, timeout: 10_000, lifetime: 300_000 },
    { clock, environment },
  )
}

describe('a command', () => {
  test('gives what it prints', async () => {
    expect((await command('console.log("opk_a")').read()).reveal()).toBe('opk_a')
  })

  test('gets its arguments as they are, for there is no shell', async () => {
    const source = command('console.log(process.argv[1])', manualClock(), ['$HOME;`id`'])
    expect((await source.read()).reveal()).toBe('$HOME;`id`')
  })

  test('gets PATH and HOME and nothing else of the environment', async () => {
    const source = command('console.log(Object.keys(process.env).sort().join())')
    expect((await source.read()).reveal()).toBe('HOME,PATH')
  })

  test('that waits for input gets none', async () => {
    const source = command('process.stdin.on("end", () => console.log("ended")).resume()')
    expect((await source.read()).reveal()).toBe('ended')
  })

  test('that fails is reported by its exit code alone', async () => {
    const script = 'console.error("opk_canary"); console.log("opk_canary"); process.exitCode = 7'
    const read = command(script, manualClock(), ['opk_canary']).read()
    await expect(read).rejects.toThrow(/ended with 7/)
    await expect(read).rejects.not.toThrow(/canary/)
  })

  test('that cannot be run is reported by its error code alone', async () => {
    const source = execSource(
      { kind: 'exec', argv: ['/nowhere/tool', 'opk_canary'], timeout: 1000, lifetime: 1000 },
      { clock: manualClock(), environment: {} },
    )
    const error: unknown = await source.read().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'secret_unavailable' })
    expect(String(error)).toContain('exec:/nowhere/tool … could not be run (ENOENT)')
    expect(inspect(error, { depth: 9 })).not.toContain('canary')
  })

  test('that prints too much is stopped', async () => {
    const script = 'setInterval(() => process.stdout.write("c".repeat(65536)), 1)'
    await expect(command(script).read()).rejects.toThrow('more than 64 KiB')
  })

  test('that takes too long is killed at the limit, even if a grandchild keeps its pipe', async () => {
    const clock = manualClock()
    const mark = at('grandchild')
    const script = `
      const child = require('node:child_process').spawn(
        process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'inherit' })
      require('node:fs').writeFileSync(${JSON.stringify(mark)}, String(child.pid))
      setTimeout(() => {}, 60000)`
    const read = command(script, clock).read()
    const outcome = expect(read).rejects.toThrow('did not end in time')
    await until(() => existsSync(mark) && readFileSync(mark, 'utf8') !== '')
    await clock.advance(10_000)
    await outcome
  })

  test('is worth running again after each lifetime, until the watch ends', async () => {
    const clock = manualClock()
    let changes = 0
    const end = command('', clock).watch?.(() => changes++)
    await clock.advance(299_999)
    expect(changes).toBe(0)
    await clock.advance(300_001)
    expect(changes).toBe(2)
    end?.()
    await clock.advance(900_000)
    expect(changes).toBe(2)
  })
})
