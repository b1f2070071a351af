// Fuzzes for as long as it is told: `npm run fuzz -- [--minutes N] [--only NAME] [--seed S]`. Prints a
// line for each subject and each failure with what is needed to see it again; exits 1 on failure.

import { parseArgs } from 'node:util'

import { SUBJECTS } from './subjects.ts'
import { fuzz } from './subject.ts'
import type { OpenSubject, Subject } from './subject.ts'

const ROUND = 20_000
const UNBOUNDED = 1_000_000_000

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    only: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
const chosen = SUBJECTS.filter(({ name }) => values.only === undefined || name === values.only)
if (!(minutes > 0) || chosen.length === 0) {
  console.error(`fuzz: --minutes N, --only ${SUBJECTS.map(({ name }) => name).join('|')}, --seed S`)
  process.exit(1)
}

interface Tally {
  readonly subject: Subject
  readonly open: OpenSubject
  runs: number
  failure: string | undefined
}

const tallies: Tally[] = []
for (const subject of chosen) {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  tallies.push({ subject, open: await subject.open(), runs: 0, failure: undefined })
}
const until = performance.now() + minutes * 60_000
const random = () => Math.floor(Math.random() * 0x7fff_ffff)
// By turns, so that a short time is shared by all.
while (performance.now() < until && tallies.some(({ failure }) => failure === undefined)) {
  for (const tally of tallies) {
    const left = until - performance.now()
    if (tally.failure !== undefined || left <= 0) continue
    const limit = Math.min(ROUND, left) / tally.open.properties.length
    const seed = values.seed === undefined ? random() : Number(values.seed)
    // oxlint-disable-next-line no-await-in-loop -- by turns
    const { runs, failure } = await fuzz(tally.open, {
      runs: UNBOUNDED,
      limit,
      seed,
      path: values.path,
    })
    tally.runs += runs
    tally.failure = failure
    if (failure !== undefined) console.log(`FAILED ${tally.subject.name}\n${failure}\n`)
  }
}
for (const { subject, open, runs, failure } of tallies) {
  console.log(`${failure === undefined ? 'ok    ' : 'FAILED'} ${subject.name}: ${runs} runs`)
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  await open.close()
}
process.exit(tallies.some(({ failure }) => failure !== undefined) ? 1 : 0)
