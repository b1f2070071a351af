// The real program as a child process, with OAuth credentials in its environment.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

import type { LogLine } from './visits.ts'

const PROGRAM = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Requests that still run this long after the end was asked for are cut: an open stream would keep it. */
const PATIENCE = 2000

/** See `startProxyProcess`. */
export interface ProxyProcessOptions {
  /** Origin of the simulator. */
  readonly upstream: string
  readonly client: { readonly id: string; readonly secret: string }
  readonly port: number
  readonly adminPort: number
  /** Receives every log line after the ready line, parsed. */
  readonly onLine: (line: LogLine) => void
}

/** A proxy that runs. */
export interface ProxyProcess {
  readonly origin: string
  readonly admin: string
  /** Resolves with the exit code when it ends, whatever the reason. */
  readonly ended: Promise<number>
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>
}

/** Starts the proxy; resolves when it is ready, rejects when it ends before that. */
export async function startProxyProcess(options: ProxyProcessOptions): Promise<ProxyProcess> {
  const child = spawn(process.execPath, ['--disable-sigusr1', PROGRAM, 'serve'], {
    // Not the user's own folder, whose .env may hold a real key.
    cwd: import.meta.dirname,
    // Nothing but this, for the same reason.
    env: {
      PATH: process.env['PATH'],
      OPUSDNS_API_BASE: options.upstream,
      OPUSDNS_CLIENT_ID: options.client.id,
      OPUSDNS_CLIENT_SECRET: options.client.secret,
      OPUSDNS_PROXY_LISTEN: `127.0.0.1:${options.port}`,
      OPUSDNS_PROXY_ADMIN: `127.0.0.1:${options.adminPort}`,
    },
    // A group of its own: a Ctrl-C reaches the demo alone, which ends the proxy in its turn.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = once(child, 'exit').then(([code]) => {
    process.off('exit', kill)
    return typeof code === 'number' ? code : 1
  })

  const ready = Promise.withResolvers<{ listen: string[]; admin: string }>()
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>
    if (line['msg'] === 'ready') ready.resolve(line as { listen: string[]; admin: string })
    else options.onLine(line)
  })
  void ended.then((code) => ready.reject(new Error(`the proxy ended at once, with code ${code}`)))
  const { listen, admin } = await ready.promise

  return {
    origin: `http://${listen[0] ?? ''}`,
    admin: `http://${admin}`,
    ended,
    async stop() {
      child.kill('SIGTERM')
      await Promise.race([ended, sleep(PATIENCE, undefined, { ref: false })])
      child.kill('SIGKILL')
      await ended
    },
  }
}
