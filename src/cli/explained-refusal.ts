// Why the proxy would refuse a request, in the order in which its journey asks; for `explain`.

import { Fault } from '../base/fault.ts'
import { needsBody } from '../opusdns/acts.ts'
import type { NameReading } from '../opusdns/named-by-id.ts'
import { bodyClassOf } from '../opusdns/operations.ts'
import { hasDryRun } from '../opusdns/zone-write.ts'
import type { Decision } from '../policy/decision.ts'
import { judged } from '../policy/judged.ts'
import type { Asked } from '../policy/judged.ts'
import type { Policy } from '../policy/policy.ts'
import { changes, tried, unreadableZone } from '../proxy/dry-run.ts'
import type { LimitSettings } from '../proxy/options.ts'
import { UNREAD } from '../proxy/permission.ts'
import { tooLarge } from '../proxy/request-body.ts'

/** Whose request it is. */
export interface Asker {
  readonly policy: Policy
  readonly mode: 'enforce' | 'report'
  readonly dryRun: boolean
  readonly limits: Pick<LimitSettings, 'bodySize' | 'judgedBodySize'>
}

/** Why a request is refused. */
export interface Refusal {
  readonly code: string
  readonly missing: string
  /** True when report mode does not let it pass either. */
  readonly always: boolean
}

/** What the grants say. */
export interface Judgement {
  readonly decision: Decision
  /** Whether the body had to be looked at, and what is wrong with it. */
  readonly byBody: boolean
  readonly fault: Fault | undefined
}

/** What is said of a body whose head nobody has seen. */
export const JSON_BODY = { contentType: 'application/json', contentEncoding: undefined }

/** Asks the grants. Throws a Fault when that takes a body, and there is none. */
export function verdictOn(
  { policy, mode, limits }: Asker,
  asked: Asked,
  body: Buffer | undefined,
): Judgement {
  const decision = policy.decide(asked.method, asked.path, asked.operation)
  if (decision.kind === 'name') throw nameMissing(decision.reading)
  if (decision.kind !== 'body') return { decision, byBody: false, fault: undefined }
  if (body === undefined) throw bodyMissing()
  if (mode === 'report' && body.length > limits.judgedBodySize) {
    return { decision: UNREAD, byBody: true, fault: undefined }
  }
  return { ...judged(policy, asked, JSON_BODY, body), byBody: true }
}

/** Why it is refused before anybody asks what it costs; `undefined` when it is not. */
export function refusalOf(
  asker: Asker,
  asked: Asked,
  body: Buffer | undefined,
  { decision, byBody, fault }: Judgement,
): Refusal | undefined {
  const enforced = asker.mode === 'enforce'
  const denied =
    decision.kind === 'denied'
      ? { code: fault?.code ?? decision.code, missing: decision.missing, always: false }
      : undefined
  if (enforced && !byBody && denied !== undefined) return denied
  const { operation } = asked
  const isTrial = asker.dryRun && changes(operation)
  const needed = (byBody && enforced) || (isTrial && hasDryRun(operation))
  const large = oversized(asker, asked, needed, body)
  if (large !== undefined) return large
  if (enforced && denied !== undefined) return denied
  const untried = isTrial ? refusedTrial(asker, asked, body) : undefined
  // A trial in report mode does no more than it can.
  return untried?.always === true ? untried : (denied ?? untried)
}

function oversized(
  { limits }: Asker,
  { method, operation }: Asked,
  needed: boolean,
  body: Buffer | undefined,
): Refusal | undefined {
  const group = bodyClassOf(method, operation)
  const bound = needed
    ? { bytes: limits.judgedBodySize, option: 'limits.judged_body_size' }
    : { bytes: limits.bodySize[group], option: `limits.body_size.${group}` }
  if (body === undefined || body.length <= bound.bytes) return undefined
  const { code, message } = tooLarge(bound)
  return { code, missing: message, always: true }
}

function refusedTrial(
  { policy }: Asker,
  { operation, path }: Asked,
  body: Buffer | undefined,
): Refusal | undefined {
  if (body === undefined && hasDryRun(operation) && needsBody(operation)) throw bodyMissing()
  try {
    const { reading } = tried(policy, { operation, path }, JSON_BODY, body ?? Buffer.alloc(0))
    if (reading.kind !== 'denied') return undefined
    return { code: reading.code, missing: unreadableZone(reading.missing), always: false }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { code: error.code, missing: error.message, always: true }
  }
}

function nameMissing({ path, member }: NameReading): Fault {
  return new Fault('bad_request', {
    detail: `What decides is the ${member} that OpusDNS has for this id. The proxy asks it by GET ${path}; explain asks nobody.`,
  })
}

function bodyMissing(): Fault {
  return new Fault('bad_request', {
    detail: 'What the body says decides about this request: name its file with --body.',
  })
}
