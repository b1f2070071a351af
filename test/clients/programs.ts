// Runs a client as its user would: arguments, environment, and what it prints.

import { spawn } from 'node:child_process'

/** How a client ended. */
export interface Ended {
  readonly code: number | null
  /** Both of its streams. */
  readonly said: string
}

const CLIENT_TIME = 90_000

/** Runs a program to its end; kills it after 90 s. `PATH` and `HOME` are all it gets besides `env`. */
export function runClient(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: CLIENT_TIME,
      killSignal: 'SIGKILL',
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, said }))
  })
}
