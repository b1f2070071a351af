// Bounded load on one port of this machine: 32 connections for some seconds, by wrk where it is
// installed, else by a small generator of our own.

import { fileURLToPath } from 'node:url'
import { once } from 'node:events'

import { isInstalled } from './contenders.ts'
import { TARGET, launch } from './process.ts'

/** Connections at once. */
export const CONNECTIONS = 32

const OWN = fileURLToPath(new URL('./generator.ts', import.meta.url))
const FIELDS = ['Accept: application/json', 'Accept-Encoding: gzip, deflate', 'User-Agent: bench/1']

/** What the load saw. */
export interface Load {
  readonly requests: number
  /** Answers other than 2xx, and connections that broke. */
  readonly failures: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** Builds the load; says which generator it is. */
export async function loadGenerator(): Promise<{
  readonly name: string
  run(port: number, seconds: number): Promise<Load>
}> {
  if (await isInstalled('wrk', ['--version'])) {
    return {
      name: 'wrk',
      async run(port, seconds) {
        const fields = FIELDS.flatMap((field) => ['-H', field])
        const url = `http://127.0.0.1:${port}${TARGET}`
        const args = ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, '--latency', ...fields, url]
        return fromWrk(await outputOf('wrk', args))
      },
    }
  }
  return {
    name: 'the own generator (wrk is not installed)',
    async run(port, seconds) {
      const args = [OWN, String(port), TARGET, String(CONNECTIONS), String(seconds), ...FIELDS]
      return JSON.parse(await outputOf(process.execPath, args)) as Load
    },
  }
}

async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const child = launch({ program, args }, 'others', 'pipe')
  let output = ''
  child.stdout?.on('data', (piece: Buffer) => {
    output += piece.toString()
  })
  await once(child, 'close')
  return output
}

function fromWrk(text: string): Load {
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)
  const sockets = (broken ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0)
  return {
    requests: number(/(\d+) requests in/),
    failures: number(/Non-2xx or 3xx responses: (\d+)/) + sockets,
    perSecond: number(/Requests\/sec:\s*([\d.]+)/),
    p50: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(text)),
    p99: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(text)),
  }
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

function milliseconds(match: RegExpExecArray | null): number {
  return Number(match?.[1] ?? 0) * (UNITS[match?.[2] ?? ''] ?? 0)
}
