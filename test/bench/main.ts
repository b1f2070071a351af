// `npm run bench`: what one proxied 1 KB GET costs, in CPU time of the proxy's own process, beside
// other proxies in the same run. Ratios are what counts; absolute numbers are this machine's. Loads
// only ports that it opened on 127.0.0.1, for a bounded time.
//   --rounds N  --seconds N  --only NAME (may be repeated)  --json FILE
//   --against FOLDER  another checkout of this project, to see what a change costs
//   --decisions       only what decisions of the policy and limits cost, in this process
//   --crowd N         beside that, what N slow connections cost the others

import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { CONTENDERS, findContenders } from './contenders.ts'
import { checkout } from './contenders/ours.ts'
import { floor } from './contenders/scripts.ts'
import { CAN_MEASURE } from './cpu.ts'
import { measureCrowd } from './crowd.ts'
import { measureDecisions } from './decision.ts'
import { measureLimits } from './limit.ts'
import { CONNECTIONS, loadGenerator } from './load.ts'
import { PINNED, answering, end, freePort, launch } from './process.ts'
import { mark, table, verdicts } from './report.ts'
import { measureRounds } from './rounds.ts'
import { measureStart } from './start.ts'

const KEY = 'opk_bench_not_a_secret'
const MOST = 60

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    against: { type: 'string' },
    crowd: { type: 'string', default: '0' },
    decisions: { type: 'boolean', default: false },
  },
})
const say = (line: string) => void process.stdout.write(`${line}\n`)

if (values.decisions) {
  const costs = measureDecisions()
  const parse = costs.at(-1)?.microseconds ?? Number.NaN
  for (const { name, microseconds, most } of costs) {
    const target = most === undefined ? '' : ` (target <= ${most})${mark(microseconds, most)}`
    say(
      `${name.padEnd(40)} ${microseconds.toFixed(1).padStart(7)} µs CPU ${(microseconds / parse).toFixed(2).padStart(6)}${target}`,
    )
  }
  for (const { name, microseconds } of measureLimits()) {
    say(`${name.padEnd(40)} ${microseconds.toFixed(2).padStart(7)} µs CPU`)
  }
  process.exit(0)
}

function bounded(name: string, text: string, [least, most] = [1, MOST]): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  process.stderr.write(`error: --${name} takes a whole number from ${least} to ${most}\n`)
  process.exit(1)
}
const rounds = bounded('rounds', values.rounds)
const seconds = bounded('seconds', values.seconds)
const crowdSize = bounded('crowd', values.crowd, [0, 20_000])

const only = values.only.map((name) => name.toLowerCase())
const older =
  values.against === undefined ? [] : [checkout('before', `${resolve(values.against)}/`)]
const wanted = [...older, ...CONTENDERS].filter(
  ({ name }) => only.length === 0 || only.some((it) => name.toLowerCase().startsWith(it)),
)
if (wanted.length === 0) {
  const names = CONTENDERS.map(({ name }) => name).join(', ')
  process.stderr.write(`error: --only takes the beginning of one of: ${names}\n`)
  process.exit(1)
}

const { found, missing } = await findContenders(wanted)
const load = await loadGenerator()
say(
  `1 KB GET, ${CONNECTIONS} connections, ${rounds} rounds of ${seconds} s each, load by ${load.name}`,
)
say(
  `Node.js ${process.version}; ${PINNED ? 'the proxy on core 0, all else on core 1' : 'cores are shared'}`,
)
if (!CAN_MEASURE)
  say('CPU time and memory can be measured on Linux only; what is left is throughput.')
if (missing.length > 0) say(`Not installed, so left out: ${missing.join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
const upstreamPort = await freePort()
const place = { port: upstreamPort, sparePort: 0, upstreamPort, folder, key: KEY }
const upstream = launch(floor.prepare(place), 'others', 'ignore')
await answering(upstreamPort)

const start = wanted.some(({ name }) => name === 'ours')
  ? await measureStart(upstreamPort, KEY)
  : undefined
const results = await measureRounds(found, {
  rounds,
  seconds,
  upstreamPort,
  key: KEY,
  load: (port, length) => load.run(port, length),
  onRound: (round) => void process.stderr.write(`round ${round} of ${rounds}\n`),
})
const crowd =
  crowdSize === 0
    ? undefined
    : await measureCrowd({
        size: crowdSize,
        rounds,
        seconds,
        upstreamPort,
        key: KEY,
        folder,
        load: (port, length) => load.run(port, length),
      })
await end(upstream)
rmSync(folder, { recursive: true })

say('')
for (const line of table(results)) say(line)
say('')
for (const line of verdicts(results, start, crowd)) say(line)
if (values.json !== undefined) {
  const file = createWriteStream(values.json)
  file.end(
    `${JSON.stringify({ node: process.version, rounds, seconds, start, crowd, missing, results }, null, 2)}\n`,
  )
  await once(file, 'finish')
}
