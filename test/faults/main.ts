// The fault suite as a command: runs every fault, prints a line for each and a total, and ends with 1
// if one was not survived.
//   node test/faults/main.ts [--only REGEX] [--quick] [--jobs N]

import { parseArgs } from 'node:util'

import type { Fault, Verdict } from './fault.ts'
import { FAULTS } from './table.ts'
import { lineOf, trial } from './trial.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '4' },
  },
})
const only = new RegExp(values.only, 'i')
const chosen = FAULTS.filter(
  ({ family, name, quick }) => only.test(`${family} ${name}`) && (!values.quick || quick === true),
)

// What escapes inside this process would have ended the proxy; the other faults go on.
let crashes = 0
process.on('uncaughtException', (error) => {
  crashes += 1
  process.stdout.write(`FAIL uncaught: ${error.stack ?? error.message}\n`)
})

const verdicts = await inParallel(chosen, Math.max(1, Number(values.jobs) || 1))
const survived = verdicts.filter(({ wrong }) => wrong.length === 0).length
process.stdout.write(`faults: ${survived} of ${verdicts.length} survived\n`)
// A part that does not let go must not keep the command from ending.
process.exit(survived === verdicts.length && survived > 0 && crashes === 0 ? 0 : 1)

/** Runs `jobs` faults at a time, and prints their lines in the order of the table. */
async function inParallel(faults: readonly Fault[], jobs: number): Promise<Verdict[]> {
  const found: (Verdict | undefined)[] = faults.map(() => undefined)
  let begun = 0
  let printed = 0
  async function worker(): Promise<void> {
    for (let at = begun++; at < faults.length; at = begun++) {
      const fault = faults[at]
      // oxlint-disable-next-line no-await-in-loop -- a worker runs one fault at a time
      if (fault !== undefined) found[at] = await trial(fault)
      for (let done = found[printed]; done !== undefined; done = found[++printed]) {
        process.stdout.write(`${lineOf(done)}\n`)
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return found.filter((verdict) => verdict !== undefined)
}
