// Whether the upstream answers HTTP, and what time it thinks it is. The question carries no credential.

import type { Clock } from '../../base/clock.ts'
import type { Answer } from '../../opusdns/question.ts'
import type { Upstream } from '../../opusdns/upstream.ts'
import { examined, skipped } from './finding.ts'
import type { Finding, Verdict } from './finding.ts'

const DEADLINE = 5_000
const PATH = '/v1/auth/client_credentials/introspect'
const SKEW_WARN = 5_000
const SKEW_FAIL = 60_000

/** Asks one question without a credential; yields the findings `http` and `clock`. */
export async function examineHttp(
  upstream: Pick<Upstream, 'ask' | 'origin'>,
  clock: Clock,
): Promise<readonly [http: Finding, time: Finding]> {
  let answer: Answer | undefined
  let between = 0
  const http = await examined(
    {
      check: 'http',
      side: 'remote',
      did: `asked ${upstream.origin}${PATH} without a credential`,
      deadline: DEADLINE + 500,
    },
    clock,
    async () => {
      const asked = clock.wall()
      answer = await upstream.ask({
        method: 'GET',
        path: PATH,
        headers: ['accept', 'application/json', 'user-agent', 'opusdns-auth-proxy'],
        deadline: DEADLINE,
        maxBytes: 65_536,
      })
      between = (asked + clock.wall()) / 2
      return judged(answer.status)
    },
  )
  const task = {
    check: 'clock',
    side: 'local',
    did: "compared this machine's clock with the Date of that answer",
    deadline: DEADLINE,
  } as const
  const date = dateOf(answer)
  if (answer === undefined) return [http, skipped(task, 'there was no answer (see http)')]
  if (date === undefined) return [http, skipped(task, 'the answer had no readable Date')]
  // A Date is cut to whole seconds, so half a second stands for what was cut.
  return [http, await examined(task, clock, async () => skew(between - (date + 500)))]
}

function judged(status: number): Verdict {
  const saw = `it answered ${status}`
  if (status === 401 || status === 403) return { outcome: 'ok', saw: `${saw}, as it should` }
  if (status >= 500) {
    return {
      outcome: 'fail',
      saw,
      remedy: 'OpusDNS has a fault, or what stands before it. Try again later.',
    }
  }
  return {
    outcome: 'warn',
    saw,
    remedy:
      'OpusDNS would answer 401: check that upstream.base is the API, and that no portal or proxy answers in its place.',
  }
}

/** `ahead` is by how many milliseconds our clock is ahead. */
function skew(ahead: number): Verdict {
  const off = Math.abs(ahead)
  const seconds = (off / 1000).toFixed(1)
  if (off <= SKEW_WARN) return { outcome: 'ok', saw: `they differ by ${seconds} s` }
  return {
    outcome: off > SKEW_FAIL ? 'fail' : 'warn',
    saw: `this machine is ${seconds} s ${ahead > 0 ? 'ahead' : 'behind'}`,
    remedy:
      'Let NTP set the clock (timedatectl, chronyc tracking): certificates and dates depend on it.',
  }
}

function dateOf(answer: Answer | undefined): number | undefined {
  const text = answer?.headers['date'] ?? ''
  const time = /^[A-Z][a-z]{2}, .{20} GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}
