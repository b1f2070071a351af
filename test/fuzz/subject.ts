// What a fuzzing subject is, and how one is run: by the test suite for a while, by `npm run fuzz` for
// as long as somebody likes.

import fc from 'fast-check'

/** One thing that is fuzzed. */
export interface Subject {
  /** For `--only`. */
  readonly name: string
  /** Runs in the test suite; a few seconds at most. */
  readonly runs: number
  /** Starts what the properties need. */
  open(): Promise<OpenSubject>
}

/** A subject whose parts are running; it must be closed. */
export interface OpenSubject {
  readonly properties: readonly fc.IRawProperty<unknown>[]
  close(): Promise<void>
}

/** See `fuzz`. */
export interface FuzzOptions {
  /** For each property. */
  readonly runs: number
  /** Milliseconds for each property; what is not done then is left out. */
  readonly limit: number
  readonly seed: number
  /** Where a failure was, to begin there. */
  readonly path?: string | undefined
}

/** What came of it. */
export interface FuzzResult {
  readonly runs: number
  /** Seed, path and smallest counterexample of the first failure. */
  readonly failure: string | undefined
}

/** Runs the properties of `open` one after the other, until one fails. */
export async function fuzz(open: OpenSubject, options: FuzzOptions): Promise<FuzzResult> {
  let runs = 0
  for (const property of open.properties) {
    // oxlint-disable-next-line no-await-in-loop -- they share one proxy
    const details = await fc.check(property, {
      numRuns: options.runs,
      seed: options.seed,
      ...(options.path === undefined ? {} : { path: options.path }),
      plugins: [fc.interruptAfterTimeLimit(options.limit)],
    })
    runs += details.numRuns
    if (details.failed) {
      const { errorInstance: error } = details
      // oxlint-disable-next-line no-await-in-loop -- ends the loop
      const report = (await fc.asyncDefaultReportMessage(details)) ?? 'failed'
      return { runs, failure: `${report}\n${error instanceof Error ? error.stack : String(error)}` }
    }
  }
  return { runs, failure: undefined }
}

/** A subject that needs nothing running. */
export function still(
  name: string,
  runs: number,
  ...properties: fc.IRawProperty<unknown>[]
): Subject {
  return { name, runs, open: async () => ({ properties, close: async () => undefined }) }
}
