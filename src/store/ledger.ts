// What was bought, and by whom: the interface of the ledger. Every promise is about all processes that
// share it, so that a shared store can stand in for a file.

/** What somebody is about to buy. */
export interface Order {
  readonly consumer: string
  /** UTC day, `2026-11-24`. */
  readonly day: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Things bought. */
  readonly count: number
  /** Ten-thousandths of the currency. */
  readonly amount: bigint
  /** What it is, for the operator. Names no secret. */
  readonly what: string
  /** Id of the request, as in the log. */
  readonly request: string
}

/** What all orders of a consumer in one period may come to. */
export interface Bounds {
  /** `2026-11-24` or `2026-11`: how its days begin. */
  readonly period: string
  readonly purchases: number
  /** `undefined` for no bound. */
  readonly amount: bigint | undefined
}

/** What a consumer spent in one period, reservations and unknown outcomes included. */
export interface Spent {
  readonly count: number
  readonly amount: bigint
  /** How many of `count` have an unknown outcome. */
  readonly unknown: number
}

/** Whether an order of so much is more than `bounds` leave when `spent` is spent. */
export function exceeds(
  { count, amount }: Pick<Order, 'count' | 'amount'>,
  spent: Pick<Spent, 'count' | 'amount'>,
  bounds: Pick<Bounds, 'purchases' | 'amount'>,
): boolean {
  return (
    spent.count + count > bounds.purchases ||
    (bounds.amount !== undefined && spent.amount + amount > bounds.amount)
  )
}

/** Whether an order fits. `spent` is without it. */
export type Reservation =
  | { readonly ok: true; readonly id: string; readonly spent: Spent }
  | { readonly ok: false; readonly spent: Spent }

/** An order whose outcome nobody knows. */
export interface UnknownOrder extends Order {
  readonly id: string
}

/** See the top of the file. Every method rejects with a Fault `ledger_unavailable` when it cannot. */
export interface Ledger {
  /**
   * Writes an order down if it fits within `bounds`; it counts from then on. Looking and writing are one
   * step, and what is written survives a crash.
   */
  reserve(order: Order, bounds: Bounds): Promise<Reservation>
  /** Ends a reservation; also one that was taken for unknown, or cleared. `released` forgets it. */
  settle(id: string, outcome: 'spent' | 'released' | 'unknown'): Promise<void>
  spent(consumer: string, period: string): Promise<Spent>
  /** All orders with an unknown outcome, the oldest first. */
  unknown(): Promise<readonly UnknownOrder[]>
  /** An operator's word on an unknown outcome; false when `id` names none. */
  clear(id: string, outcome: 'spent' | 'not_spent'): Promise<boolean>
  /**
   * Takes for unknown what is still reserved: to be called at the start of a process. A reservation of
   * another process that lives is settled by it all the same. Resolves with how many are unknown now.
   */
  recover(): Promise<number>
  /** Ends all use; calling it again does nothing. */
  close(): void
}
