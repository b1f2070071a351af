// A secret from the output of a command (a password manager, a cloud's command line). No shell is
// involved; what the command writes to stderr is thrown away, for it may hold the secret.

import { spawn } from 'node:child_process'
import type { StdioOptions } from 'node:child_process'

import type { Cancel, Clock } from '../base/clock.ts'
import { errorCode, Fault } from '../base/fault.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import { every } from './lifetime.ts'
import type { SecretSource } from './source.ts'
import { MAX_SECRET_BYTES, secretFromBytes } from './value.ts'

/** Milliseconds after the end of a command in which its last output is waited for. */
const LEFT_BEHIND = 200

/** See `execSource`. */
export interface ExecSourceDependencies {
  readonly clock: Clock
  /** The surrounding environment; the command gets `PATH` and `HOME` of it and nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * The secret that a command prints on its standard output. At the timeout, and when the watch ends, it is
 * killed with all that it began.
 */
export function execSource(
  options: ReferenceOf<'exec'>,
  deps: ExecSourceDependencies,
): SecretSource {
  const [program = '', ...args] = options.argv
  const reference = referenceText(options)
  const env: Record<string, string> = {}
  for (const name of ['PATH', 'HOME']) {
    const value = deps.environment[name]
    if (value !== undefined) env[name] = value
  }

  // What ends the commands that run.
  const running = new Set<() => void>()

  function run(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      // In a group of its own, which can be ended as a whole.
      const stdio: StdioOptions = ['ignore', 'pipe', 'ignore']
      const child = spawn(program, args, { env, stdio, shell: false, detached: true })
      const chunks: Buffer[] = []
      let length = 0
      let cancel: Cancel = deps.clock.after(options.timeout, () =>
        abandon('did not end in time', 'make the command faster, or give it a longer timeout'),
      )

      function settled(): void {
        cancel()
        running.delete(stop)
      }
      function fail(what: string, remedy: string): void {
        settled()
        reject(unavailable(reference, what, remedy))
      }
      function abandon(what: string, remedy: string): void {
        fail(what, remedy)
        if (child.exitCode === null && child.signalCode === null) killGroup(child.pid)
        // A grandchild that left the group may hold the pipe open for ever.
        child.stdout?.destroy()
      }
      function end(code: number | null, signal: string | null): void {
        settled()
        if (code === 0) resolve(Buffer.concat(chunks))
        else fail(`ended with ${code ?? signal ?? 'failure'}`, 'run it by hand to see its message')
      }
      const stop = () => abandon('is no longer needed', 'nothing need be done')
      running.add(stop)

      // There is no stdout where the process could not be made at all (EMFILE).
      child.stdout?.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length <= MAX_SECRET_BYTES) return
        abandon('printed more than 64 KiB', 'let it print the secret and nothing else')
      })
      child.stdout?.on('error', () => {})
      // The error's own text and `spawnargs` hold the arguments, which may be secret: code only.
      child.on('error', (error) => {
        fail(`could not be run (${errorCode(error)})`, 'check the path, and its permission')
      })
      child.on('exit', (code, signal) => {
        cancel()
        // A helper that it left behind keeps the pipe; what it printed is there by now.
        cancel = deps.clock.after(LEFT_BEHIND, () => {
          end(code, signal)
          child.stdout?.destroy()
        })
      })
      child.on('close', end)
    })
  }

  return {
    kind: 'exec',
    reference,
    async read() {
      return secretFromBytes(await run(), reference, options.extract)
    },
    watch(changed) {
      const cancel = every(deps.clock, options.lifetime, changed)
      return () => {
        cancel()
        for (const stop of running) stop()
      }
    },
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    // oxlint-disable-next-line no-restricted-globals -- Node.js has no other way to end a group
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It is over.
  }
}

function unavailable(reference: string, what: string, remedy: string): Fault {
  return new Fault('secret_unavailable', { detail: `${reference} ${what}: ${remedy}.` })
}
