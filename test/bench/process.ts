// Child processes of the bench: started on a core of their own where that is possible, ready when they
// answer, and gone when the bench is.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

import { isInstalled } from './contenders.ts'
import type { Command } from './contenders/contender.ts'

/** The path that is measured, as one of the API. */
export const TARGET = '/v1/dns/example.com'

const READY_DEADLINE = 15_000
const GRACE = 2000

/** Which core a process gets: the proxy has one for itself. */
export type Core = 'proxy' | 'others'

/** True when processes can be kept apart. */
export const PINNED =
  process.platform === 'linux' &&
  availableParallelism() > 1 &&
  (await isInstalled('taskset', ['--version']))

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a child with nothing of our environment but PATH. */
export function launch(command: Command, core: Core, stdout: 'ignore' | 'pipe'): ChildProcess {
  const pin = PINNED ? ['taskset', '-c', core === 'proxy' ? '0' : '1'] : []
  const [program = '', ...args] = [...pin, command.program, ...command.args]
  const child = spawn(program, args, {
    // Not the user's folder, whose .env may hold a real key.
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], ...command.env },
    stdio: ['ignore', stdout, 'ignore'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  // A program that cannot be started is noticed by whoever waits for its port.
  child.once('error', () => running.delete(child))
  return child
}

/** Ends a child; resolves when it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await Promise.race([gone, sleep(GRACE, undefined, { ref: false })])
  child.kill('SIGKILL')
  await gone
}

/** Resolves when `port` answers `TARGET` with 200; rejects when it does not in time. */
export async function answering(port: number): Promise<void> {
  const deadline = performance.now() + READY_DEADLINE
  while ((await statusOf(port)) !== 200) {
    if (performance.now() > deadline) throw new Error('it did not answer with 200 in time')
    await sleep(25)
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function statusOf(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const call = request(
      { host: '127.0.0.1', port, path: TARGET, agent: false, timeout: 1000 },
      (reply) => {
        reply.resume()
        resolve(reply.statusCode)
      },
    )
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(undefined))
    call.end()
  })
}
