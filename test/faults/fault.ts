// What a fault is: something that goes wrong around the proxy, what its client must be answered, and
// what it was. Every fault ends with the next request through the same proxy, which must work.

import type { Bench } from './bench.ts'

/** Whose fault it is. */
export type Family = 'upstream' | 'token' | 'clients' | 'process'

/** What came of a fault. */
export interface Measured {
  /** What the client was answered, in the words of answer.ts; of many clients, a sentence. */
  readonly answer: string
  /** Milliseconds that the client waited. */
  readonly ms: number
  /** What else did not go as it should, in words; empty when all is well. */
  readonly wrong?: readonly string[]
  /** A figure worth showing. */
  readonly note?: string
}

/** One fault of the table. */
export interface Fault {
  readonly name: string
  readonly family: Family
  /** The right answer, in the same words as `Measured.answer`. */
  readonly expected: string
  /** How long the answer may take: least and most, in milliseconds. Default 0 to 5000. */
  readonly takes?: readonly [number, number]
  /** Requests that reach the upstream for it (not counting tokens and trials). Default: not counted. */
  readonly sent?: number
  /** Milliseconds that the proxy may need to be well again. Default 0: the very next request works. */
  readonly recovers?: number
  /** True when it takes less than some 3 s and needs no power of its own: it is in the short form. */
  readonly quick?: boolean
  /** Causes it, and says what happened. What it starts ends with the bench. */
  run(bench: Bench): Promise<Measured>
}

/** What is said of a fault in the end. */
export interface Verdict {
  readonly fault: Fault
  /** Undefined when the fault could not be caused. */
  readonly measured: Measured | undefined
  /** The next request: its answer, and how long it took to get it. */
  readonly next: string
  /** Empty when the fault was survived. */
  readonly wrong: readonly string[]
}
