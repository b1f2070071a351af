// A secret from the output of a command (a password manager, a cloud's command line). No shell is
// involved; what the command writes to stderr is thrown away, for it may hold the secret.

import { spawn } from 'node:child_process'

import type { Clock } from '../base/clock.ts'
import { errorCode, Fault } from '../base/fault.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import { every } from './lifetime.ts'
import type { SecretSource } from './source.ts'
import { MAX_SECRET_BYTES, secretFromBytes } from './value.ts'

/** See `execSource`. */
export interface ExecSourceDependencies {
  readonly clock: Clock
  /** The surrounding environment; the command gets `PATH` and `HOME` of it and nothing else. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** The secret that a command prints on its standard output. */
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

  function run(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const fail = (what: string, remedy: string) => reject(unavailable(reference, what, remedy))
      const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'], shell: false })
      const chunks: Buffer[] = []
      let length = 0

      function abandon(): void {
        child.kill('SIGKILL')
        // A grandchild may hold the pipe open for ever.
        child.stdout.destroy()
      }

      const cancel = deps.clock.after(options.timeout, () => {
        fail('did not end in time', 'make the command faster, or give it a longer timeout')
        abandon()
      })
      child.stdout.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length <= MAX_SECRET_BYTES) return
        cancel()
        fail('printed more than 64 KiB', 'let it print the secret and nothing else')
        abandon()
      })
      child.stdout.on('error', () => {})
      // The error's own text and `spawnargs` hold the arguments, which may be secret: code only.
      child.on('error', (error) => {
        cancel()
        fail(`could not be run (${errorCode(error)})`, 'check the path, and its permission')
      })
      child.on('close', (code, signal) => {
        cancel()
        if (code === 0) resolve(Buffer.concat(chunks))
        else fail(`ended with ${code ?? signal ?? 'failure'}`, 'run it by hand to see its message')
      })
    })
  }

  return {
    kind: 'exec',
    reference,
    async read() {
      return secretFromBytes(await run(), reference, options.extract)
    },
    watch: (changed) => every(deps.clock, options.lifetime, changed),
  }
}

function unavailable(reference: string, what: string, remedy: string): Fault {
  return new Fault('secret_unavailable', { detail: `${reference} ${what}: ${remedy}.` })
}
