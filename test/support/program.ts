// The real program as a child process, with nothing of our environment but PATH and a folder of its
// own to work in. Knows no test runner: whoever launches a child stops it, at the latest the end of
// this process does.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Folder of the repository. */
export const ROOT = join(import.meta.dirname, '../..')
const MAIN = join(ROOT, 'src/main.ts')
const CLOCK_TICKS = 100
const START_LIMIT = 20_000
const COMMAND_LIMIT = 30_000

/** How to run the program. */
export interface ProgramOptions {
  /** The whole environment but PATH. Listeners get port 0 on loopback unless told otherwise. */
  readonly env?: Readonly<Record<string, string>>
  /** Arguments; default `serve`. */
  readonly args?: readonly string[]
  /** YAML text; becomes a file that `--config` names. */
  readonly config?: string
  /** Files put into the working folder before the start, by relative path. */
  readonly files?: Readonly<Record<string, string>>
  /** Working folder; default a new one under the system's temporary folder, removed afterwards. */
  readonly cwd?: string
  /** Options of Node.js itself, such as `--import`. Default none. */
  readonly nodeArgs?: readonly string[]
  /** A command that runs the program, which is appended to it, such as a shell with `exec "$@"`. */
  readonly under?: readonly string[]
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>

/** A proxy that has said that it is ready. */
export interface RunningProxy {
  readonly pid: number
  readonly cwd: string
  /** Every address of the proxy, as the ready line has them. */
  readonly listen: readonly string[]
  readonly admin: string
  /** `http://…` of the first TCP listener. */
  readonly origin: string
  /** `http://…` of the admin listener. */
  readonly adminOrigin: string
  /** Milliseconds from the spawn to the ready line. */
  readonly startedIn: number
  readonly exited: Promise<Exit>
  /** Everything written so far. */
  stdout(): string
  stderr(): string
  /** The lines of stdout, parsed; optionally those with this `msg` alone. */
  logLines(msg?: string): LogLine[]
  kill(signal: NodeJS.Signals): void
  /** Ends it with SIGKILL and waits. */
  stop(): Promise<Exit>
  /** Seconds of CPU time, user and system, since the start. */
  cpuSeconds(): number
  /** Resident bytes now. */
  rssBytes(): number
}

/** How a command ended, and all that it wrote. */
export interface CommandResult extends Exit {
  readonly stdout: string
  readonly stderr: string
}

/** A child that was launched, ready or not. */
export interface Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly cwd: string
  readonly spawnedAt: number
  readonly exited: Promise<Exit>
  readonly output: { stdout: string; stderr: string }
  /** Ends it with SIGKILL, waits, and removes its folder. */
  stop(): Promise<Exit>
}

const children = new Set<Child>()
process.once('exit', () => {
  for (const { process: each } of children) each.kill('SIGKILL')
})

/** Ends every child that was launched here. */
export async function stopAll(): Promise<void> {
  await Promise.all([...children].map((child) => child.stop()))
}

/** The proxy in `child`; resolves at its ready line, rejects with its output when none comes. */
export async function whenReady(child: Child): Promise<RunningProxy> {
  const { output, exited, cwd } = child
  const logLines = (msg?: string) => parsedLines(output.stdout, msg)
  const ready = await new Promise<LogLine>((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer)
      reject(new Error(`${why}\nstdout: ${output.stdout}\nstderr: ${output.stderr}`))
    }
    const timer = setTimeout(() => {
      fail('no ready line in time')
      void child.stop()
    }, START_LIMIT)
    child.process.stdout.on('data', () => {
      if (!output.stdout.includes('"msg":"ready"')) return
      const line = logLines('ready')[0]
      if (line === undefined) return
      clearTimeout(timer)
      resolve(line)
    })
    void exited.then(({ code, signal }) => fail(`ended before it was ready: ${code ?? signal}`))
  })
  const startedIn = performance.now() - child.spawnedAt
  const listen = ready['listen'] as readonly string[]
  const admin = String(ready['admin'])
  const pid = child.process.pid ?? 0
  return {
    pid,
    cwd,
    listen,
    admin,
    origin: `http://${listen.find((address) => !address.startsWith('unix:')) ?? ''}`,
    adminOrigin: `http://${admin}`,
    startedIn,
    exited,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    logLines,
    kill: (signal) => void child.process.kill(signal),
    stop: () => child.stop(),
    cpuSeconds() {
      // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
      const fields = procFile(pid, 'stat')
        .replace(/^.*\) /s, '')
        .split(' ')
      return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS
    },
    rssBytes: () => Number(/^VmRSS:\s+(\d+)/m.exec(procFile(pid, 'status'))?.[1]) * 1024,
  }
}

/** The end of the command that `child` runs; ends it when it takes too long. */
export async function whenOver(child: Child): Promise<CommandResult> {
  const timer = setTimeout(() => void child.stop(), COMMAND_LIMIT)
  const exit = await child.exited
  clearTimeout(timer)
  return { ...exit, ...child.output }
}

/** The lines of `text` that are JSON; optionally those with this `msg` alone. */
function parsedLines(text: string, msg: string | undefined): LogLine[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine)
    .filter((line) => msg === undefined || line['msg'] === msg)
}

function procFile(pid: number, name: string): string {
  return readFileSync(`/proc/${pid}/${name}`, 'utf8')
}

/** Starts the program, and waits for nothing. */
export function launch(options: ProgramOptions = {}): Child {
  const cwd = options.cwd ?? mkdtempSync(join(tmpdir(), 'opusdns-proxy-'))
  const files = { ...options.files }
  const args = [...(options.args ?? ['serve'])]
  if (options.config !== undefined) {
    files['proxy.yaml'] = options.config
    args.push('--config', join(cwd, 'proxy.yaml'))
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text, { mode: 0o600 })
  }
  const spawnedAt = performance.now()
  const command = [...(options.under ?? []), process.execPath]
  const spawned = spawn(
    command[0] ?? process.execPath,
    [...command.slice(1), '--disable-sigusr1', ...(options.nodeArgs ?? []), MAIN, ...args],
    {
      cwd,
      env: {
        PATH: process.env['PATH'],
        OPUSDNS_PROXY_LISTEN: '127.0.0.1:0',
        OPUSDNS_PROXY_ADMIN: '127.0.0.1:0',
        ...options.env,
      },
      stdio: 'pipe',
    },
  )
  spawned.stdin.end()
  const output = { stdout: '', stderr: '' }
  spawned.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  spawned.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const exited = new Promise<Exit>((resolve) => {
    spawned.once('error', () => resolve({ code: null, signal: null }))
    spawned.once('close', (code, signal) => resolve({ code, signal }))
  })
  const child: Child = {
    process: spawned,
    cwd,
    spawnedAt,
    exited,
    output,
    async stop() {
      spawned.kill('SIGKILL')
      const exit = await exited
      children.delete(child)
      if (options.cwd === undefined) rmSync(cwd, { recursive: true, force: true })
      return exit
    },
  }
  children.add(child)
  return child
}
