// The verdict on one request, with its reason.

import type { Act } from '../opusdns/act.ts'
import type { NameReading } from '../opusdns/named-by-id.ts'

/** May pass, and by which grants (as the file has them). */
export interface Allowed {
  readonly kind: 'allowed'
  readonly grants: readonly string[]
  /** What it does, as far as that was looked at. */
  readonly acts: readonly Act[]
}

/** May not pass. */
export interface Denied {
  readonly kind: 'denied'
  /** `not_visible` for what the consumer is not even to know of: that is answered 404. */
  readonly code:
    | 'not_granted'
    | 'not_visible'
    | 'blocked_by_default'
    | 'purchase_not_granted'
    | 'budget_exceeded'
  /** What is missing, for the client and the operator. Names only what the client itself sent. */
  readonly missing: string
  readonly acts: readonly Act[]
}

/** May pass, but its reply shows more than the consumer may see. */
export interface Filtered {
  readonly kind: 'filtered'
  readonly grants: readonly string[]
  readonly acts: readonly Act[]
  /** Whether the consumer may see the zone, domain or host of this canonical name. */
  readonly sees: (name: string) => boolean
}

/** The end of the matter. */
export type Decision = Allowed | Denied | Filtered

/** Cannot be decided before the body was read. */
export interface ByBody {
  readonly kind: 'body'
}

/** Cannot be decided before OpusDNS told the name of what has an id in the path. */
export interface ByName {
  readonly kind: 'name'
  readonly reading: NameReading
}

/** What must be known before there is a decision. */
export type Undecided = ByBody | ByName

/** The answer to a `NameReading`. */
export interface Found {
  /** Canonical; `undefined` where there is nothing of that id. */
  readonly name: string | undefined
}
