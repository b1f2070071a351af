// The files that the proxy writes, where they are configured: the audit log and the ledger. Writes
// into neither.

import { access, constants, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/fault.ts'
import type { Settings } from '../../config/settings.ts'
import { examined } from './finding.ts'
import type { Finding, Verdict } from './finding.ts'

const DEADLINE = 8_000

/** Looks at both. The ledger is opened as the proxy opens it, which waits for other processes. */
export function examineRecords(
  { audit, ledger, consumers }: Pick<Settings, 'audit' | 'ledger' | 'consumers'>,
  clock: Clock,
): Promise<Finding[]> {
  const findings: Promise<Finding>[] = []
  if (audit?.to.kind === 'file') {
    const { path } = audit.to
    const did = `looked whether ${path} can be written`
    const task = { check: 'audit', side: 'local', did, deadline: DEADLINE } as const
    findings.push(examined(task, clock, () => writable(path)))
  }
  const buys = [...(consumers?.values() ?? [])].some(({ budget }) => budget !== undefined)
  if (ledger !== undefined && buys) {
    const did = `opened ${ledger}, if it is there`
    const task = { check: 'ledger', side: 'local', did, deadline: DEADLINE } as const
    findings.push(examined(task, clock, () => usable(ledger, clock)))
  }
  return Promise.all(findings)
}

async function usable(path: string, clock: Clock): Promise<Verdict> {
  const before = await writable(path)
  if (before.outcome !== 'ok' || before.saw === NOT_THERE) return before
  const { sqliteLedger } = await import('../../store/sqlite-ledger.ts')
  const ledger = await sqliteLedger({ path, create: false }, clock)
  try {
    const { length } = await ledger.unknown()
    if (length === 0) return { outcome: 'ok', saw: 'it is whole' }
    const remedy = 'Look at OpusDNS whether they happened, and say so with the command budget.'
    return { outcome: 'warn', saw: `it is whole; ${length} orders of unknown outcome`, remedy }
  } finally {
    ledger.close()
  }
}

const NOT_THERE = 'it is not there yet; the proxy can make it'

/** Whether the file at `path` can be written, or made. */
async function writable(path: string): Promise<Verdict> {
  const folder = dirname(path)
  const file = await stat(path).catch((error: unknown) => errorCode(error))
  if (typeof file === 'string' && file !== 'ENOENT') return unreachable(path, file)
  if (typeof file === 'string') {
    const code = await refusal(folder, constants.W_OK | constants.X_OK)
    return code === undefined
      ? { outcome: 'ok', saw: NOT_THERE }
      : {
          outcome: 'fail',
          saw: `it is not there, and cannot be made in ${folder} (${code})`,
          remedy: `Create ${folder}, writable by the proxy's user; in a container mount a volume there.`,
        }
  }
  if (file.isDirectory()) {
    return { outcome: 'fail', saw: 'it is a folder', remedy: 'Name a file in it.' }
  }
  const code = await refusal(path, constants.W_OK)
  return code === undefined ? { outcome: 'ok', saw: 'it can be' } : unreachable(path, code)
}

function unreachable(path: string, code: string): Verdict {
  const remedy = `Give ${path} and its folder to the proxy's user.`
  return { outcome: 'fail', saw: `it cannot be written (${code})`, remedy }
}

/** The code of the error of a look at `path`, or `undefined` when `mode` is allowed. */
function refusal(path: string, mode: number): Promise<string | undefined> {
  return access(path, mode).then(
    () => undefined,
    (error: unknown) => errorCode(error),
  )
}
