// The wait for the secrets at start. A source that needs a moment costs no request its answer, and one
// that hangs keeps no proxy from starting: it is not ready, says why, and recovers when the source does.

import type { Clock } from '../base/clock.ts'
import { within } from '../credentials/patience.ts'
import type { Log } from '../observe/log.ts'
import type { LiveSecret } from '../secrets/live-secret.ts'

/** Milliseconds that the start waits for first reads: half of what one read may take by default. */
export const START_WAIT_MS = 5_000

/**
 * Resolves when the first read of each secret, which must be started, has ended either way, and after
 * `START_WAIT_MS` at the latest; then the log names those that are still awaited. Never rejects.
 */
export async function firstReads(
  secrets: readonly LiveSecret[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<void> {
  const awaited = new Set(secrets)
  const reads = secrets.map(async (secret) => {
    // What is wrong is told by the secret itself.
    await secret.ready().catch(() => undefined)
    awaited.delete(secret)
  })
  await within(clock, START_WAIT_MS, Promise.all(reads))
  for (const { reference } of awaited) {
    log.warn({ reference }, 'secret not read in time; starting without it')
  }
}
