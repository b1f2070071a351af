// Who else can read or change the files that hold secrets: the secrets themselves, keys of TLS
// listeners, `.env`. Looks at modes only, and opens none of them.

import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/fault.ts'
import type { SecretReference } from '../../secrets/reference-options.ts'
import { examined, weighed } from './finding.ts'
import type { Finding, Verdict } from './finding.ts'

const DEADLINE = 3_000
const READ_BY_ALL = 0o004
const WRITTEN_BY_GROUP = 0o020
const WRITTEN_BY_ALL = 0o002
const STICKY = 0o1000

/** The file that a reference reads, or `undefined` when it reads none. */
export function secretFile(
  reference: SecretReference,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (reference.kind === 'file') return reference.path
  const directory = environment['CREDENTIALS_DIRECTORY']
  if (reference.kind !== 'systemd' || directory === undefined) return undefined
  return join(directory, reference.name)
}

/** Judges each file of `paths`, relative to the working directory of the process. */
export function examinePermissions(paths: readonly string[], clock: Clock): Promise<Finding[]> {
  const tasks = [...new Set(paths)].map((path) =>
    examined(
      {
        check: `permissions:${path}`,
        side: 'local',
        did: `looked at who may read and write ${path}`,
        deadline: DEADLINE,
      },
      clock,
      () => judged(path),
    ),
  )
  return Promise.all(tasks)
}

async function judged(path: string): Promise<Verdict> {
  let file
  let folder
  try {
    file = await stat(path)
    folder = await stat(dirname(path))
  } catch (error) {
    return { outcome: 'skip', saw: `the file cannot be looked at (${errorCode(error)})` }
  }
  const bad: { outcome: 'warn'; remedy: string }[] = []
  if ((file.mode & READ_BY_ALL) !== 0) {
    bad.push({
      outcome: 'warn',
      remedy: `Every user of the machine can read it: chmod 0600 ${path}, owned by the proxy's user (in Kubernetes: defaultMode 0440 and fsGroup).`,
    })
  }
  if ((file.mode & (WRITTEN_BY_GROUP | WRITTEN_BY_ALL)) !== 0) {
    bad.push({
      outcome: 'warn',
      remedy: `Others can put a secret of theirs there: chmod go-w ${path}`,
    })
  }
  if ((folder.mode & WRITTEN_BY_ALL) !== 0 && (folder.mode & STICKY) === 0) {
    bad.push({ outcome: 'warn', remedy: `Others can replace it: chmod o-w ${dirname(path)}` })
  }
  return weighed(
    `mode ${octal(file.mode)}, uid ${file.uid}, gid ${file.gid}; its folder has mode ${octal(folder.mode)}`,
    bad,
  )
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}
