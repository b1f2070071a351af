// What a request would do, and which grant of a consumer allows it or what is missing. Asks the same
// code as the journey of a request.

import { Fault } from '../base/fault.ts'
import type { Act } from '../opusdns/act.ts'
import { bodyActs, needsBody, pathActs } from '../opusdns/acts.ts'
import { grantedOperationOf } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import { costOf } from '../policy/budget.ts'
import type { BudgetSettings } from '../policy/budget-options.ts'
import type { Decision } from '../policy/decision.ts'
import { leastGrants } from '../policy/least-grants.ts'
import { moneyText } from '../policy/money.ts'
import type { Policy } from '../policy/policy.ts'
import { changes } from '../proxy/dry-run.ts'
import { METHODS } from '../proxy/methods.ts'
import type { Explanation } from './explain-print.ts'
import { explainedPurchase } from './explained-purchase.ts'
import type { SpentIn } from './explained-purchase.ts'
import { JSON_BODY, refusalOf, verdictOn } from './explained-refusal.ts'
import type { Asker } from './explained-refusal.ts'

/** Who is asked about. */
export interface Subject extends Asker {
  readonly name: string
  readonly budget: BudgetSettings | 'unlimited' | undefined
  readonly spentIn: SpentIn
  /** See the option. */
  readonly unpriced: ReadonlySet<Operation>
}

/** A question that cannot be answered. */
export function wrong(detail: string): Fault {
  return new Fault('bad_request', { detail })
}

/** See the routes of the journey. */
const LOGIN = '/v1/auth/token'

/** Explains what `method` on the canonical `path` would do. Throws a Fault for what cannot be asked. */
export async function explain(
  subject: Subject,
  method: string,
  path: string,
  body: Buffer | undefined,
): Promise<Explanation> {
  if (!METHODS.has(method)) throw wrong(`The API has no method ${method}.`)
  if (method === 'POST' && path === LOGIN) {
    throw wrong(
      'The proxy answers this login itself and forwards nothing: no grant decides about it.',
    )
  }
  const operation = grantedOperationOf(method, path)
  const asked = { method, path, operation }
  const verdict = verdictOn(subject, asked, body)
  const { decision } = verdict
  const acts = verdict.fault === undefined ? actsOf(operation, path, body, decision) : []
  const budget = subject.budget === 'unlimited' ? undefined : subject.budget
  // A trial buys nothing.
  const buys = subject.budget !== 'unlimited' && !(subject.dryRun && changes(operation))
  const cost = buys ? costOf(decision.acts, budget, subject.unpriced) : undefined
  const granting = decision.kind === 'denied' ? [] : decision.grants
  const refused = refusalOf(subject, asked, body, verdict)
  const purchase =
    refused === undefined && cost !== undefined
      ? await explainedPurchase(subject.name, cost, budget, subject.spentIn)
      : undefined
  const refusal = refused ?? purchase?.refusal
  const { grants_needed: needed, notes } = suggestion(decision, { ...asked, acts })
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
    passes: refusal === undefined || (subject.mode === 'report' && refused?.always !== true),
    grants: granting,
    acts: acts.map((act) => ({
      what: actText(act, operation),
      grants:
        granting.length === 0 || acts.length > 1
          ? grantsFor(subject.policy, method, path, operation, act)
          : granting,
    })),
    grants_needed: needed,
    notes: [...notes, ...(purchase?.notes ?? [])],
    purchases:
      cost === undefined
        ? null
        : { count: cost.count, amount: cost.amount > 0n ? moneyText(cost.amount) : null },
  }
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
