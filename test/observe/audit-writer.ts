// A process that writes audit records as fast as it can until it is killed. It says on stdout, one a
// line, what became of each: only what it says is written has to be there afterwards. When one is lost it
// waits until the file was copied away to the same name with `.1`.

import { existsSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

import { systemClock } from '../../src/base/clock.ts'
import { auditFile } from '../../src/observe/audit-file.ts'
import { auditLog } from '../../src/observe/audit.ts'

/** Path of this file, to run with the path of the audit file. */
export const WRITER = import.meta.filename

async function main(path: string): Promise<void> {
  const log = { info: () => undefined, error: () => undefined }
  const audit = auditLog(
    { refuse: new Set(['write']) },
    {
      sink: auditFile({ path }, { clock: systemClock, log }),
      clock: systemClock,
      log,
      metrics: { auditLost: { inc: () => undefined } },
    },
  )
  audit.start()
  for (let n = 0; ; n++) {
    const id = `w-${n}`
    const entry = audit.open({
      id,
      consumer: 'certbot',
      by: 'key:k7x2',
      method: 'PATCH',
      operation: '/v1/dns/{zone_name}/rrsets',
      classes: ['write'],
      path: '/v1/dns/example.com/rrsets',
      zones: ['example.com'],
      names: Array.from({ length: n % 90 }, (_, at) => `n${at}.example.com`),
      changes: [],
      dryRun: false,
      decision: 'allow',
      grant: 'acme',
      reason: undefined,
      bodySha256: 'ab'.repeat(32),
    })
    writeSync(1, `${entry.refuse ? 'lost' : 'written'} ${id}\n`)
    const outcome = { source: 'upstream', code: undefined, upstreamId: undefined, attempts: 1 }
    entry.close({ ...outcome, status: 200, complete: true, bodySha256: undefined })
    if (entry.refuse) {
      writeSync(1, 'waiting\n')
      // oxlint-disable-next-line no-await-in-loop -- nothing is written meanwhile
      while (!existsSync(`${path}.1`)) await pause(5)
      // oxlint-disable-next-line no-await-in-loop -- the disk may be full again
      await pause(5)
    }
  }
}

const [, script, path] = process.argv
if (script === WRITER && path !== undefined) await main(path)
