// One thing that `doctor` looked at: what it did, what it saw, what to do. Texts are in our own words;
// what a remote party or a file said is never quoted but for what `visible` lets through.

import type { Clock } from '../../base/clock.ts'
import { Fault, errorCode } from '../../base/fault.ts'
import { within } from '../../credentials/patience.ts'

/** `skip`: not looked at, because of something that was found before, or because there is nothing. */
export type Outcome = 'ok' | 'warn' | 'fail' | 'skip'

/** Who would have to mend it: this machine and its configuration, or somebody else. */
export type Side = 'local' | 'remote'

/** What one check found. Holds no secret. */
export interface Finding {
  /** Stable name; after a colon the place, where there are several: `secret:credential.api_key`. */
  readonly check: string
  readonly side: Side
  readonly outcome: Outcome
  readonly did: string
  readonly saw: string
  /** What to do; `undefined` when there is nothing to do. */
  readonly remedy: string | undefined
  /** Milliseconds that it took, rounded. */
  readonly ms: number
}

/** What a check does. */
export interface Task extends Pick<Finding, 'check' | 'side' | 'did'> {
  /** Milliseconds after which it counts as failed. */
  readonly deadline: number
}

/** How a check ended. */
export interface Verdict extends Pick<Finding, 'outcome' | 'saw'> {
  readonly remedy?: string | undefined
}

/** Carries out one check. Never rejects; settles at the deadline, whatever `work` does. */
export async function examined(
  task: Task,
  clock: Clock,
  work: () => Promise<Verdict>,
): Promise<Finding> {
  const { check, side, did, deadline } = task
  const begun = clock.now()
  let verdict: Verdict | undefined
  try {
    verdict = await within(clock, deadline, work())
  } catch (error) {
    verdict = failed(error)
  }
  verdict ??= {
    outcome: 'fail',
    saw: `no end within ${deadline / 1000} s`,
    remedy: 'Find out why it hangs: the network, a firewall that drops packets, a slow disk.',
  }
  const { outcome, saw, remedy } = verdict
  return { check, side, did, outcome, saw, remedy, ms: Math.round(clock.now() - begun) }
}

/** A check that was not carried out, and why. */
export function skipped(task: Pick<Task, 'check' | 'side' | 'did'>, why: string): Finding {
  const { check, side, did } = task
  return { check, side, did, outcome: 'skip', saw: why, remedy: undefined, ms: 0 }
}

/** Several sentences with the worst outcome among them; `ok` when `bad` is empty. */
export function weighed(
  saw: string,
  bad: readonly { readonly outcome: 'warn' | 'fail'; readonly remedy: string }[],
): Verdict {
  if (bad.length === 0) return { outcome: 'ok', saw }
  const outcome = bad.some((one) => one.outcome === 'fail') ? 'fail' : 'warn'
  return { outcome, saw, remedy: bad.map(({ remedy }) => remedy).join(' ') }
}

/** What may be shown of a text that others chose: visible ASCII without quotes, and not much of it. */
export function visible(text: string): string {
  const clean = text.replaceAll(/[^\w .,:/@*=()+-]/g, '?')
  return clean.length > 160 ? `${clean.slice(0, 159)}…` : clean
}

/** A cause's text may quote what was read, so of anything but a Fault only the code is kept. */
function failed(error: unknown): Verdict {
  if (!(error instanceof Fault)) {
    const code = errorCode(error)
    return { outcome: 'fail', saw: `it failed${code === '' ? '' : ` (${code})`}` }
  }
  const { problems, message } = error
  if (problems.length === 0) return { outcome: 'fail', saw: message }
  return {
    outcome: 'fail',
    saw: problems.map(({ place, fault }) => `${place} ${fault}`).join('; '),
    remedy: problems.map(({ remedy }) => remedy).join(' '),
  }
}
