// What the journey wrote down of a decision, for log and audit.

import type { Decision } from '../policy/decision.ts'

/** See the top of the file. */
export interface Noted {
  readonly decision: Decision
  readonly mode: 'enforce' | 'report'
}
