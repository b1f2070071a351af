// The process as commands see it. src/main.ts builds it from the real one; nothing else reads
// `process`.

import type { ProcessFacts } from './hygiene.ts'

/** What a command may use of the process around it. */
export interface World {
  /** Live environment: commands delete the secrets that they have taken. */
  readonly env: Record<string, string | undefined>
  readonly cwd: string
  /** Version of Node.js. */
  readonly node: string
  /** How the process was started. */
  facts(): ProcessFacts
  /** Sets the file mode mask of the process, and returns the one before. */
  umask(mask: number): number
  /** Garbage collection by hand; `undefined` unless started with `--expose-gc`. */
  readonly collect: Collect | undefined
  /** Writes text to stdout or stderr. */
  out(text: string): void
  err(text: string): void
  /** Calls `handler` at each of these signals. */
  onSignal(signals: readonly Signal[], handler: (signal: Signal) => void): void
  /** Calls `handler` with an error that nobody caught; the process is not ended by itself. */
  onCrash(handler: (error: unknown) => void): void
  /** Ends the process at once with `code`. */
  exit(code: ExitCode): never
}

/** Garbage collection by hand. */
export interface Collect {
  /** Frees young objects: a fraction of a millisecond. */
  young(): void
  /** Frees all that can be freed, and gives memory back to the system: some 50 ms. */
  all(): void
}

/** Signals that commands listen to. SIGHUP does nothing while nobody listens. */
export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

/** 0 ok, 1 user or configuration error, 2 remote or unreachable, 70 a bug (sysexits EX_SOFTWARE). */
export type ExitCode = 0 | 1 | 2 | 70

/** Options that every command with a configuration takes. */
export interface ConfigOption {
  /** Path of the configuration file. */
  readonly config?: string
}
