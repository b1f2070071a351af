// What a request would do at OpusDNS, as far as a grant can tell it apart: one act for each zone and
// record set that it touches, whether the path says so, or its body.

import type { Operation } from './operations.ts'

/** What would happen to records of a zone. */
export interface RecordChange {
  readonly verb: 'upsert' | 'remove'
  /**
   * Every absolute name, canonical (see `canonicalName`), that OpusDNS may understand: a name without
   * a final dot may be relative or not. `every` stands for all names of the zone.
   */
  readonly names: readonly string[] | 'every'
  /** Record type in capitals; `every` for all of them. */
  readonly type: string
}

/** What would be bought. */
export interface Purchase {
  /** How many: domains, or renewals. */
  readonly count: number
  /** The price that the client expects to pay for one, where the request names it; decimal text. */
  readonly expectedPrice: string | undefined
}

/** One thing that a request would do. */
export interface Act {
  /** The operation; for a command of a job, the operation of the API that does the same. */
  readonly operation: Operation
  /** Zone, canonical, where the act concerns one. */
  readonly zone: string | undefined
  /** Registered domain, canonical, or its TypeID, where the act concerns one. */
  readonly domain: string | undefined
  readonly change: RecordChange | undefined
  readonly purchase: Purchase | undefined
}
