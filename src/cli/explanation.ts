// What a request would do, and which grant of a consumer allows it or what is missing. Asks the same
// code as the journey of a request.

import { Fault } from '../base/fault.ts'
import type { Act } from '../opusdns/act.ts'
import { bodyActs, needsBody, pathActs } from '../opusdns/acts.ts'
import { grantedOperationOf } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import { hasDryRun } from '../opusdns/zone-write.ts'
import { costOf } from '../policy/budget.ts'
import type { Cost } from '../policy/budget.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import type { Decision } from '../policy/decision.ts'
import { judged } from '../policy/judged.ts'
import { leastGrants } from '../policy/least-grants.ts'
import { moneyText } from '../policy/money.ts'
import type { Policy } from '../policy/policy.ts'
import { unfit } from '../policy/unfit-purchase.ts'
import { tried, unreadableZone } from '../proxy/dry-run.ts'
import { METHODS } from '../proxy/methods.ts'
import type { Explanation } from './explain-print.ts'

/** Who is asked about. */
export interface Subject {
  readonly name: string
  readonly policy: Policy
  readonly mode: 'enforce' | 'report'
  readonly dryRun: boolean
  readonly budget: BudgetSettings | 'unlimited' | undefined
  /** See the option. */
  readonly unpriced: ReadonlySet<Operation>
}

/** Why a request is refused. */
interface Refusal {
  readonly code: string
  readonly missing: string
}

/** A question that cannot be answered. */
export function wrong(detail: string): Fault {
  return new Fault('bad_request', { detail })
}

/** See the routes of the journey. */
const LOGIN = '/v1/auth/token'

const JSON_BODY = { contentType: 'application/json', contentEncoding: undefined }

/** Explains what `method` on the canonical `path` would do. Throws a Fault for what cannot be asked. */
export function explain(
  subject: Subject,
  method: string,
  path: string,
  body: Buffer | undefined,
): Explanation {
  if (!METHODS.has(method)) throw wrong(`The API has no method ${method}.`)
  if (method === 'POST' && path === LOGIN) {
    throw wrong(
      'The proxy answers this login itself and forwards nothing: no grant decides about it.',
    )
  }
  const operation = grantedOperationOf(method, path)
  let decision: Decision
  let understood = true
  const verdict = subject.policy.decide(method, path, operation)
  if (verdict.kind === 'body') {
    if (body === undefined) throw bodyMissing()
    const judgement = judged(subject.policy, { method, path, operation }, JSON_BODY, body)
    decision = judgement.decision
    understood = judgement.fault === undefined
  } else decision = verdict
  const acts = understood ? actsOf(operation, path, body, decision) : []
  const budget = subject.budget === 'unlimited' ? undefined : subject.budget
  const cost =
    subject.budget === 'unlimited' ? undefined : costOf(decision.acts, budget, subject.unpriced)
  const granting = decision.kind === 'denied' ? [] : decision.grants
  const untried = subject.dryRun ? refusedTrial(subject, operation, path, body) : undefined
  const refusal =
    decision.kind === 'denied' ? decision : (untried ?? (cost && unpaid(cost, budget)))
  return {
    consumer: subject.name,
    mode: subject.mode,
    dry_run: subject.dryRun,
    method,
    path,
    operation:
      operation.method === '*'
        ? null
        : {
            name: `${operation.method} ${operation.template}`,
            tag: operation.tag,
            permissions: operation.permissions,
            classes: operation.classes,
          },
    decision: refusal === undefined ? decision.kind : 'denied',
    code: refusal?.code ?? null,
    missing: refusal?.missing ?? null,
    // In report mode a refusal is told and not carried out; but a trial does no more than it can.
    passes: refusal === undefined || (subject.mode === 'report' && untried?.always !== true),
    grants: granting,
    acts: acts.map((act) => ({
      what: actText(act, operation),
      grants:
        granting.length === 0 || acts.length > 1
          ? grantsFor(subject.policy, method, path, operation, act)
          : granting,
    })),
    ...suggestion(decision, { method, path, operation, acts }),
    purchases:
      cost === undefined
        ? null
        : { count: cost.count, amount: cost.amount > 0n ? moneyText(cost.amount) : null },
  }
}

/** A purchase that never fits; what is left of a budget, only the ledger knows. */
function unpaid(cost: Cost, budget: BudgetSettings | undefined): Refusal | undefined {
  const refusal = unfit(cost, budget)
  if (refusal !== undefined || budget === undefined) return refusal
  const { purchases, amount } = budget
  if (cost.count <= purchases && (amount === undefined || cost.amount <= amount)) return undefined
  return { code: 'budget_exceeded', missing: 'This is more than the whole budget.' }
}

/** Why a request of one with `dry_run` is refused; `always` when report mode does not let it pass. */
function refusedTrial(
  { policy }: Subject,
  operation: Operation,
  path: string,
  body: Buffer | undefined,
): (Refusal & { readonly always: boolean }) | undefined {
  if (operation.classes.includes('read')) return undefined
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

function bodyMissing(): Fault {
  return wrong('What the body says decides about this request: name its file with --body.')
}

/** All that the request does, also where the decision did not have to look. */
function actsOf(
  operation: Operation,
  path: string,
  body: Buffer | undefined,
  { acts }: Decision,
): readonly Act[] {
  if (acts.length > 0 && (body === undefined || !needsBody(operation))) return acts
  if (body === undefined || !needsBody(operation)) return pathActs(operation, path)
  try {
    return bodyActs(operation, path, body, JSON_BODY.contentType, undefined)
  } catch (error) {
    if (error instanceof Fault) return pathActs(operation, path)
    throw error
  }
}

function grantsFor(
  { judge }: Policy,
  method: string,
  path: string,
  operation: Operation,
  act: Act,
): readonly string[] {
  const decision = judge(method, path, operation, [act])
  return decision.kind === 'denied' ? [] : decision.grants
}

interface Request {
  readonly method: string
  readonly path: string
  readonly operation: Operation
  readonly acts: readonly Act[]
}

/** The least grants that would let a denied request pass, if grants decide about it. */
function suggestion(
  decision: Decision,
  { method, path, operation, acts }: Request,
): Pick<Explanation, 'grants_needed' | 'notes'> {
  const blocked = decision.kind === 'denied' && decision.code === 'blocked_by_default'
  if (decision.kind !== 'denied' || blocked || acts.length === 0) {
    return { grants_needed: [], notes: [] }
  }
  const least = leastGrants()
  least.add(method, path, operation, acts)
  return { grants_needed: least.grants(), notes: [...least.notes().keys()] }
}

function actText(
  { operation, zone, domain, host, change, purchase }: Act,
  asked: Operation,
): string {
  const parts: string[] = []
  if (operation !== asked) parts.push(`${operation.method} ${operation.template}`)
  if (zone !== undefined) parts.push(`zone ${zone}`)
  if (domain !== undefined) parts.push(`domain ${domain}`)
  if (host !== undefined) parts.push(`host ${host}`)
  if (change !== undefined) {
    const type = change.type === 'every' ? 'records of every type' : change.type
    const names = change.names === 'every' ? 'every name' : change.names.join(' or ')
    parts.push(`${change.verb} ${type} at ${names}`)
  }
  if (purchase !== undefined) {
    const { count, expectedPrice, years } = purchase
    const price = expectedPrice === undefined ? '' : ` for ${expectedPrice}`
    const time = years === undefined ? '' : `, ${years} years`
    if (purchase.perhaps) parts.push('may cost something')
    else parts.push(`buys ${count === 'unknown' ? 'what nobody knows' : count}${price}${time}`)
  }
  return parts.join(', ') || 'what the operation says'
}
