// What a request would do at OpusDNS, as far as a grant can tell it apart: one act for each zone and
// record set that it touches, whether the path says so, or its body.

import type { Operation } from './operations.ts'

/** What would happen to records of a zone. */
export interface RecordChange {
  readonly verb: 'upsert' | 'remove'
  /**
   * Every absolute name, canonical (see `canonicalName`), that OpusDNS may understand: a name without
   * a final dot may be relative or not. One that was written with a final dot may lie outside the
   * zone. `every` stands for all names of the zone.
   */
  readonly names: readonly string[] | 'every'
  /** Record type in capitals; `every` for all of them. */
  readonly type: string
}

/** What would be bought: domains, transfers, renewals, paid services. */
export interface Purchase {
  /** How many; `unknown` where something is released that was asked for earlier. */
  readonly count: number | 'unknown'
  /** The price that the client expects to pay for one, where the request names it; decimal text. */
  readonly expectedPrice: string | undefined
  /** For how many years each, where the request says so; a part of a year counts as a whole one. */
  readonly years: number | undefined
  /** True for what may have a price, and for some accounts has none: zones, forwards, messages. */
  readonly perhaps?: true
}

/** What an act is about. */
interface Target {
  /**
   * Zone, canonical, where the act concerns one. `undefined` also where one is named in a way that
   * is not understood: then no grant for some zones covers it.
   */
  readonly zone: string | undefined
  /** Registered domain, canonical, or its TypeID, where the act concerns one. */
  readonly domain: string | undefined
  /**
   * Host name, canonical, where the act concerns one (forwards, host objects). Its zone is this name
   * or one above it: only OpusDNS knows. `*.example.com` is possible.
   */
  readonly host: string | undefined
  readonly change: RecordChange | undefined
  /** What costs something, or may, and what leads to that. */
  readonly purchase: Purchase | undefined
}

/** One thing that a request would do. */
export interface Act extends Target {
  /** The operation; for a command of a job, the operation of the API that does the same. */
  readonly operation: Operation
}

/** The act of `operation` on what `target` says; what it leaves out is `undefined`. */
export function actOf(operation: Operation, target: { [K in keyof Target]?: Target[K] }): Act {
  const { zone, domain, host, change, purchase } = target
  return { operation, zone, domain, host, change, purchase }
}
