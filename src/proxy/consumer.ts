// A consumer as the journey sees it: who it is, what it may do, and with what its requests go on.

import type { Policy } from '../policy/policy.ts'
import type { ForwardDeps } from './forward.ts'

/** See the top of the file. Built once for each consumer. */
export interface Consumer {
  readonly name: string
  readonly policy: Policy
  /** `report` decides and logs, and lets everything pass. */
  readonly mode: 'enforce' | 'report'
  /** The way to OpusDNS, with the consumer's credential. */
  readonly way: ForwardDeps
}
