// Entry point, and the only reader of `process`. Refuses a Node.js that is known to be unsafe before
// it loads anything else. (One that cannot read TypeScript, below 22.18, refuses by itself.)

import { NODE_FLOOR, VERSION, atLeast } from './base/version.ts'
import type { World } from './cli/world.ts'

const { versions, report } = process

if (!atLeast(versions.node, NODE_FLOOR)) {
  process.stderr.write(
    `error: opusdns-auth-proxy ${VERSION} needs Node.js ${NODE_FLOOR} or newer; this is ${versions.node}.\n` +
      'Run it with `npm start`, which brings its own Node.js, or install a newer one.\n',
  )
  process.exit(1)
}

// Diagnostic reports show the environment, and the environment may hold the secret.
report.excludeEnv = true

// A reader that is gone (`… --help | head -1`) is no reason to fail.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

// See src/proxy/stream-garbage.ts.
const { gc } = globalThis

const world: World = {
  env: process.env,
  cwd: process.cwd(),
  node: versions.node,
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
process.exitCode = await runProgram(process.argv.slice(2), world)
