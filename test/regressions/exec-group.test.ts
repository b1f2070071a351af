// A command of `exec:` and what it leaves behind: without a free file descriptor it took the whole
// process down; a grandchild outlived the timeout, and each retry made one more; a helper that stays
// made a good answer a failure; and one that ran at the end of the proxy outlived it.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { liveSecret } from '../../src/secrets/live-secret.ts'
import type { SecretEvent } from '../../src/secrets/live-secret.ts'
import { execSource } from '../../src/secrets/exec.ts'
import { eventually } from '../support/eventually.ts'
import { ROOT } from '../support/program.ts'
import { startRunningProxy } from '../support/running-proxy.ts'

const LINUX = process.platform === 'linux'

/** A shell command, and the file in which it writes process ids. */
function shell(script: string, timeout = 10_000) {
  const folder = mkdtempSync(join(tmpdir(), 'opusdns-exec-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const mark = join(folder, 'pids')
  const argv = ['/bin/sh', '-c', script, 'sh', mark]
  const source = execSource(
    { kind: 'exec', argv, timeout, lifetime: 60_000 },
    { clock: systemClock, environment: { PATH: process.env['PATH'] } },
  )
  async function pid(): Promise<number> {
    await eventually(() => existsSync(mark) && /\n/.test(readFileSync(mark, 'utf8')))
    const found = Number(readFileSync(mark, 'utf8').split('\n')[0])
    onTestFinished(() => kill(found))
    return found
  }
  return { source, argv, pid }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie, where nobody reaps orphans, is dead as well.
    return !LINUX || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function kill(pid: number): void {
  if (alive(pid)) process.kill(pid, 'SIGKILL')
}

test('without a free file descriptor a read fails, and the process goes on', () => {
  const script = `
    import { closeSync, openSync } from 'node:fs'
    import { systemClock as clock } from '${ROOT}/src/base/clock.ts'
    import { execSource } from '${ROOT}/src/secrets/exec.ts'
    const options = { kind: 'exec', argv: ['/bin/echo', 'opk_a'], timeout: 300, lifetime: 60000 }
    const source = execSource(options, { clock, environment: {} })
    await source.read()
    const held = []
    try { for (;;) held.push(openSync('/dev/null', 'r')) } catch {}
    closeSync(held.pop())
    const failed = await source.read().catch((error) => error.code)
    for (const one of held) closeSync(one)
    await new Promise((resolve) => setTimeout(resolve, 600))
    console.log(failed, (await source.read()).reveal())`
  const under = ['-c', 'ulimit -n 128; exec "$@"', 'sh', process.execPath]
  const child = spawnSync('sh', [...under, '--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect(child.stdout).toBe('secret_unavailable opk_a\n')
  expect(child.stderr).toBe('')
}, 25_000)

test('a grandchild ends with the command at the timeout', async () => {
  const { source, pid } = shell('sleep 60 & echo $! > "$1"; wait; echo x', 500)
  const read = expect(source.read()).rejects.toThrow('did not end in time')
  const grandchild = await pid()
  await read
  await eventually(() => !alive(grandchild))
})

test('a helper that stays and keeps the pipe does not turn a good answer into a failure', async () => {
  const { source, pid } = shell('sleep 60 & echo $! > "$1"; echo opk_a')
  const read = source.read()
  const helper = await pid()
  expect((await read).reveal()).toBe('opk_a')
  expect(alive(helper)).toBe(true)
})

test('a command that runs when the secret is stopped ends, and is no failure', async () => {
  const { source, pid } = shell('echo $$ > "$1"; sleep 60')
  const events: SecretEvent[] = []
  const live = liveSecret(source, { clock: systemClock, observe: (event) => events.push(event) })
  live.start()
  const child = await pid()
  live.stop()
  await eventually(() => !alive(child))
  expect(await live.refresh().catch(() => undefined)).toBeUndefined()
  expect(events).toEqual([])
})

test('a proxy that ends takes the command that it waits for with it', async () => {
  const { argv, pid } = shell('echo $$ > "$1"; sleep 60', 60_000)
  const proxy = await startRunningProxy({
    config: `credential: { api_key: { exec: ${JSON.stringify(argv)}, timeout: 60s } }\n`,
    env: { OPUSDNS_API_BASE: 'http://127.0.0.1:9' },
  })
  const child = await pid()
  proxy.kill('SIGTERM')
  expect((await proxy.exited).code).toBe(0)
  await eventually(() => !alive(child))
}, 20_000)
