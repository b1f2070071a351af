// The verdict on a request whose body decides: what the journey of a request asks, and `explain`.

import { Fault } from '../base/fault.ts'
import type { Act } from '../opusdns/act.ts'
import { bodyActs } from '../opusdns/acts.ts'
import type { Operation } from '../opusdns/operations.ts'
import type { Decision } from './decision.ts'
import type { Policy } from './policy.ts'

/** The request line, as it was judged. */
export interface Asked {
  readonly method: string
  /** Canonical. */
  readonly path: string
  readonly operation: Operation
}

/** What the head says about the body. */
export interface BodyForm {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
}

/** The decision by the whole request; `fault` is what is wrong with the body, where that decides. */
export function judged(
  policy: Pick<Policy, 'judge'>,
  { method, path, operation }: Asked,
  { contentType, contentEncoding }: BodyForm,
  body: Buffer,
): { readonly decision: Decision; readonly fault: Fault | undefined } {
  let acts: readonly Act[]
  try {
    acts = bodyActs(operation, path, body, contentType, contentEncoding)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const missing = error.message
    return { decision: { kind: 'denied', code: 'not_granted', missing, acts: [] }, fault: error }
  }
  return { decision: policy.judge(method, path, operation, acts), fault: undefined }
}
