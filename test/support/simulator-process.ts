// The simulator as a process of its own, so that what it costs is not counted against the test.

import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { ROOT } from './running-proxy.ts'

/** A simulator in another process. */
export interface SimulatorProcess {
  readonly origin: string
  stop(): Promise<void>
}

/** Starts it on a free port; resolves when it listens. */
export async function startSimulatorProcess(): Promise<SimulatorProcess> {
  const child = spawn(process.execPath, [join(ROOT, 'test/opusdns/main.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<void>((resolve) => void child.once('close', () => resolve()))
  const origin = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      const ready = /"origin":"([^"]+)"/.exec(text)?.[1]
      if (ready !== undefined) resolve(ready)
    })
    void gone.then(() => reject(new Error('the simulator ended before it was ready')))
  })
  return {
    origin,
    stop() {
      child.kill('SIGKILL')
      return gone
    },
  }
}
