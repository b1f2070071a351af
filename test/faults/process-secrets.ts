// Faults of the file that holds the secret, while the real program runs: what is half-written, gone or
// empty never replaces the last good value, and what is replaced costs no request.

import { renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Simulator } from '../opusdns/simulator.ts'
import { headerValues } from '../opusdns/callers.ts'
import { tally } from './answer.ts'
import type { Bench } from './bench.ts'
import type { Fault, Measured } from './fault.ts'
import { portOf, several, stream } from './program.ts'

const OLD = 'opk_old-key-of-the-fault-suite'
const NEW = 'opk_new-key-of-the-fault-suite'
/** Three looks at the file. */
const NOTICED = 900
/** Less than the time between two looks. */
const HELD_UP = 200

interface Stage {
  readonly simulator: Simulator
  readonly path: string
  readonly port: number
  kill(signal: NodeJS.Signals): void
}

async function stage(bench: Bench): Promise<Stage> {
  const path = join(bench.folder(), 'key')
  writeFileSync(path, OLD, { mode: 0o600 })
  const simulator = await bench.simulator({ apiKeys: [{ key: OLD }, { key: NEW }] })
  const proxy = await bench.program({
    env: { OPUSDNS_API_BASE: simulator.origin, OPUSDNS_API_KEY_FILE: path },
  })
  const port = portOf(proxy)
  // Its first value is loaded before anything happens to the file.
  await several(port, 1)
  return { simulator, path, port, kill: proxy.kill }
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** The file is spoiled: requests go on with the old value. */
function spoiled(spoil: (path: string) => unknown, signal = false): Fault['run'] {
  return async (bench) => {
    const { simulator, path, port, kill } = await stage(bench)
    await spoil(path)
    if (signal) kill('SIGHUP')
    await sleep(NOTICED)
    const startedAt = performance.now()
    const answer = await several(port, 20)
    const ms = performance.now() - startedAt
    bench.heals(() => replace(path, NEW))
    const keys = keysSeen(simulator)
    return { answer, ms, wrong: keys.join() === OLD ? [] : [`sent ${keys.length} keys`] }
  }
}

/** Replaced ten times under load. */
async function rotated(bench: Bench): Promise<Measured> {
  const { simulator, path, port } = await stage(bench)
  const load = stream(port)
  const startedAt = performance.now()
  for (let at = 0; at < 6; at++) {
    // oxlint-disable-next-line no-await-in-loop -- one behind the other
    await sleep(400)
    replace(path, at % 2 === 0 ? NEW : OLD)
  }
  const answers = await load.stop()
  const failed = answers.filter((answer) => answer !== '200')
  const wrong = keysSeen(simulator).length === 2 ? [] : ['the new key was never sent']
  return {
    answer: failed.length === 0 ? 'all 200' : tally(failed),
    ms: performance.now() - startedAt,
    wrong,
    note: `${answers.length} requests`,
  }
}

/** Written in pieces over a while, under load: no request carries half a key. */
async function halfWritten(bench: Bench): Promise<Measured> {
  const { simulator, path, port } = await stage(bench)
  const load = stream(port)
  const startedAt = performance.now()
  let longest = await writesSlowly(path)
  // A writer that was held up for as long as the program waits is a writer that was done.
  for (let tries = 1; longest > HELD_UP && tries < 3; tries++) {
    replace(path, OLD)
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    await sleep(NOTICED)
    simulator.reset()
    // oxlint-disable-next-line no-await-in-loop -- as above
    longest = await writesSlowly(path)
  }
  await sleep(NOTICED)
  const answers = await load.stop()
  const failed = answers.filter((answer) => answer !== '200')
  const odd = keysSeen(simulator).filter((key) => key !== OLD && key !== NEW)
  return {
    answer: failed.length === 0 || longest > HELD_UP ? 'all 200' : tally(failed),
    ms: performance.now() - startedAt,
    wrong: odd.length === 0 || longest > HELD_UP ? [] : [`${odd.length} halves were sent`],
    note: `${answers.length} requests, longest pause of the writer ${longest.toFixed(0)} ms`,
  }
}

/** Writes the new key byte by byte; tells the longest pause between two of them. */
async function writesSlowly(path: string): Promise<number> {
  let longest = 0
  let at = performance.now()
  for (let length = 1; length <= NEW.length; length++) {
    writeFileSync(path, NEW.slice(0, length))
    // oxlint-disable-next-line no-await-in-loop -- slowly
    await sleep(40)
    longest = Math.max(longest, performance.now() - at)
    at = performance.now()
  }
  return longest
}

function keysSeen(simulator: Simulator): string[] {
  const keys = simulator.requests.flatMap(({ rawHeaders }) => headerValues(rawHeaders, 'x-api-key'))
  return [...new Set(keys)]
}

const secret = { family: 'process', quick: true, takes: [0, 15_000], recovers: 5000 } as const

/** See the head of this file. */
export const PROCESS_SECRETS: readonly Fault[] = [
  { ...secret, name: 'the secret file is removed', expected: '20 × 200', run: spoiled(unlinkSync) },
  {
    ...secret,
    name: 'the secret file is removed, and SIGHUP comes',
    expected: '20 × 200',
    run: spoiled(unlinkSync, true),
  },
  {
    ...secret,
    name: 'the secret file becomes empty',
    expected: '20 × 200',
    run: spoiled((path) => replace(path, '')),
  },
  {
    ...secret,
    name: 'the secret file gets bytes that are no secret',
    expected: '20 × 200',
    run: spoiled((path) => writeFileSync(path, Buffer.from([0, 255, 10, 13, 7]))),
  },
  {
    ...secret,
    quick: false,
    name: 'the secret file is replaced under load',
    expected: 'all 200',
    run: rotated,
  },
  {
    ...secret,
    quick: false,
    name: 'the secret file is written slowly, under load',
    expected: 'all 200',
    run: halfWritten,
  },
]
