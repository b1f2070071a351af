// Entry point, and the only reader of `process`. Refuses a Node.js that is known to be unsafe before
// it loads anything else. (One that cannot read TypeScript, below 22.18, refuses by itself.)

import { readFileSync, writeFileSync } from 'node:fs'

import { NODE_FLOOR, VERSION, atLeast } from './base/version.ts'
import type { World } from './cli/world.ts'

const { versions, report, env } = process

if (!atLeast(versions.node, NODE_FLOOR)) {
  process.stderr.write(
    `error: opusdns-auth-proxy ${VERSION} needs Node.js ${NODE_FLOOR} or newer; this is ${versions.node}.\n` +
      'Run it with `npm start` or `npm run -s cli --`, which bring their own Node.js, or install a newer one.\n',
  )
  process.exit(1)
}

// Diagnostic reports show the environment, and the environment may hold the secret. Flags that ask for
// reports are undone.
report.excludeEnv = true
report.reportOnFatalError = false
report.reportOnSignal = false
report.reportOnUncaughtException = false

// Nothing may turn off the verification of certificates, or print what a library sends and receives:
// some do so with secrets. Before any of them is loaded.
const undone = new Map(
  ['NODE_TLS_REJECT_UNAUTHORIZED', 'GOOGLE_SDK_NODE_LOGGING', 'AZURE_LOG_LEVEL', 'DEBUG'].map(
    (name) => [name, env[name]],
  ),
)
for (const name of undone.keys()) delete env[name]

// A core dump without memory. Containers seldom can set `ulimit -c`, and the kernel does not heed it
// where dumps go to a program.
try {
  writeFileSync('/proc/self/coredump_filter', '0')
} catch {
  // Not Linux, or not allowed; `serve` warns where it matters.
}

// Neither ends the process (SIGHUP), nor opens the inspector (SIGUSR1), whatever it was started with.
for (const signal of ['SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined)

// A reader that is gone (`… --help | head -1`) is no reason to fail.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

// See src/proxy/stream-garbage.ts.
const { gc } = globalThis

/** A file about this process; `undefined` where there is none. */
function procText(name: string): string | undefined {
  try {
    return readFileSync(`/proc/self/${name}`, 'latin1')
  } catch {
    return undefined
  }
}

const world: World = {
  env,
  cwd: process.cwd(),
  node: versions.node,
  facts: () => ({
    flags: [...process.execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)],
    undone,
    debug: env['NODE_DEBUG'],
    uid: process.getuid?.(),
    limits: procText('limits'),
    coreFilter: procText('coredump_filter'),
  }),
  umask: (mask) => process.umask(mask),
  collect: gc && {
    young: () => gc({ type: 'minor' }),
    all: () => gc({ type: 'major', flavor: 'last-resort' }),
  },
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  onSignal(signals, handler) {
    for (const signal of signals) process.on(signal, () => handler(signal))
  },
  onCrash(handler) {
    process.on('uncaughtException', handler)
    process.on('unhandledRejection', handler)
  },
  exit: (code) => process.exit(code),
}

const { runProgram } = await import('./cli/program.ts')
// The timers of the clock keep no process alive, and a wait for another process may be all there is.
const waiting = setInterval(() => {}, 2 ** 30)
process.exitCode = await runProgram(process.argv.slice(2), world)
clearInterval(waiting)
// What is still under way, such as the read of a secret from a place that hangs, is not waited for.
setTimeout(() => process.exit(), 1000).unref()
