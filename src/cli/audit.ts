// `audit verify`: reads audit files in their order and says whether anything was taken out or changed.

import { errorCode } from '../base/fault.ts'
import { auditVerifier } from '../observe/audit-verify.ts'
import type { AuditSummary } from '../observe/audit-verify.ts'
import { linesOf } from './lines.ts'
import type { ExitCode, World } from './world.ts'

/**
 * Prints counts, or the first place where a chain breaks. Returns 0 when all chains are whole, 1 when
 * not, or when a file cannot be read.
 */
export async function auditVerifyCommand(
  files: readonly string[],
  world: Pick<World, 'out' | 'err'>,
): Promise<ExitCode> {
  const verifier = auditVerifier()
  for (const file of files) {
    let number = 0
    try {
      // oxlint-disable-next-line no-await-in-loop -- the order of the files is that of the chain
      for await (const line of linesOf(file)) {
        number += 1
        const broken = line === undefined ? 'the line is too long' : verifier.line(line)
        if (broken !== undefined) {
          world.out(`BROKEN at ${file}:${number}: ${broken}.\n`)
          return 1
        }
      }
    } catch (error) {
      world.err(`error: ${file} cannot be read (${errorCode(error) || 'unexpected'})\n`)
      return 1
    }
  }
  const summary = verifier.summary()
  if (summary.records === 0) {
    world.out('There is no audit record in here.\n')
    return 1
  }
  world.out(describe(summary))
  return 0
}

function describe(it: AuditSummary): string {
  const notes = [
    [it.beginsAt > 1, `the first record is number ${it.beginsAt}; those before it are not in here`],
    [it.open > 0, `${it.open} allowed without an outcome: on their way, or ended by a crash`],
    [it.lost > 0, `${it.lost} records were never written (a full disk), as the chain itself tells`],
    [it.torn > 0, `${it.torn} pieces of a line, which a crash or a full disk left behind`],
    [it.endsTorn, 'the last line is a piece: a crash, or it is being written'],
    [it.others > 0, `${it.others} other lines, which no chain protects`],
  ] as const
  const counts = `OK: ${it.records} records (${it.decisions} decisions) in ${it.chains} chains`
  return [counts, ...notes.filter(([holds]) => holds).map(([, note]) => `  ${note}`), ''].join('\n')
}
