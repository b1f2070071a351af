// What options of one consumer (grants, budget) cannot do together, though each is valid: for warnings.

import { pathPurchase } from '../opusdns/path-purchase.ts'
import { OPERATIONS } from '../opusdns/operations.ts'
import type { Operation } from '../opusdns/operations.ts'
import type { BudgetSettings } from './budget-options.ts'
import type { GrantSettings } from './grant-options.ts'
import { grantOf } from './grants.ts'
import type { UnpricedSettings } from './unpriced-options.ts'

/** See `grantAdvice`. */
export interface Advice {
  /** Below the consumer. */
  readonly path: readonly PropertyKey[]
  readonly fault: string
  readonly remedy: string
}

/** See `grantAdvice`. */
export interface AdviceInput {
  readonly grants: readonly GrantSettings[]
  readonly budget: BudgetSettings | undefined
  /** See the option. */
  readonly unpriced: UnpricedSettings
}

/** What cannot work: classes that no operation has, and of grants that buy and a budget one alone. */
export function grantAdvice({ grants, budget, unpriced }: AdviceInput): Advice[] {
  const advice = grants.flatMap((grant, at) => emptyClasses(grant, ['grants', at]))
  if (budget !== undefined) {
    if (!grants.some((grant) => BUYING.some((operation) => reaches(grant, operation)))) {
      advice.push({
        path: ['budget'],
        fault: 'is for nothing, for no grant lets the consumer buy',
        remedy: 'write what it may buy out, as operation, class or path; or remove the budget',
      })
    }
    return advice
  }
  for (const [at, grant] of grants.entries()) {
    const bought = CERTAIN.find((operation) => reaches(grant, operation))
    const perhaps = writtenOut(grant).find((operation) => !unpriced.has(operation))
    if (bought !== undefined) {
      advice.push({
        path: ['grants', at],
        fault: `lets the consumer buy (${bought.method} ${bought.template}), but without a budget no purchase passes`,
        remedy:
          'write a budget: { purchases: 10, per: month }; purchases: 0 says that none is meant',
      })
    } else if (perhaps !== undefined) {
      advice.push({
        path: ['grants', at],
        fault: `lets ${perhaps.method} ${perhaps.template} pass, which may have a price, but without a budget it does not`,
        remedy:
          'write a budget: { purchases: 10, per: month }; or list it in unpriced, if OpusDNS charges your account nothing for it',
      })
    }
  }
  return advice
}

// A batch is judged by its commands, which say nothing here.
const BUYING = OPERATIONS.filter((one) => pathPurchase(one) !== undefined && !one.bulk)
// What a PATCH buys depends on its body, and a job that is resumed on what it holds.
const CERTAIN = BUYING.filter((one) => {
  const purchase = pathPurchase(one)
  return one.method === 'POST' && purchase?.count === 1 && !purchase.perhaps
})
const PERHAPS = BUYING.filter((one) => pathPurchase(one)?.perhaps)

/** What may have a price, where a grant is for that and not for a great many other things. */
function writtenOut(grant: GrantSettings): readonly Operation[] {
  if (grant.kind !== 'dns' && grant.kind !== 'operation') return []
  return PERHAPS.filter((operation) => reaches(grant, operation))
}

function reaches(settings: GrantSettings, operation: Operation): boolean {
  // It covers no sure purchase.
  if (settings.kind === 'admin') return PERHAPS.includes(operation)
  const grant = grantOf(settings)
  const path = operation.template.replaceAll(/\{[^}]+\}/g, 'x')
  return grant.reach(operation) !== 'none' || grant.matches(operation.method, path)
}

function emptyClasses(grant: GrantSettings, path: readonly PropertyKey[]): Advice[] {
  if (grant.kind !== 'class') return []
  // What is not in the catalogue has the class unknown alone, and credential alone lifts the mask off replies.
  if (grant.classes.some((one) => one === 'unknown' || one === 'credential')) return []
  const listed = new Set(grant.classes)
  if (OPERATIONS.some(({ classes }) => classes.every((one) => listed.has(one)))) return []
  const [nearest] = OPERATIONS.filter(({ classes }) =>
    grant.classes.every((one) => classes.includes(one)),
  )
    .map(({ classes }) => classes)
    .toSorted((one, other) => one.length - other.length)
  return [
    {
      path: [...path, 'class'],
      fault: 'covers nothing, for every operation of these classes has another besides',
      remedy: `list all classes of an operation: class: [${(nearest ?? ['read', 'write']).join(', ')}]`,
    },
  ]
}
