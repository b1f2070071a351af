// What every proxy in the bench is to the bench: a name, and how it is started to do the same job,
// attach one credential header and forward to one upstream over kept connections.

/** Addresses that a contender is told. */
export interface Place {
  readonly port: number
  /** A second free port, for those that need one. */
  readonly sparePort: number
  readonly upstreamPort: number
  /** A folder of its own, empty. */
  readonly folder: string
  /** The credential to attach. */
  readonly key: string
}

/** A program and its arguments. */
export interface Command {
  readonly program: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** One proxy. */
export interface Contender {
  /** As in `--only` and the table. */
  readonly name: string
  /** Program that must be on the PATH; absent for what npm installed. */
  readonly needs?: string
  /** Arguments that print its version. */
  readonly version?: readonly string[]
  /** False for the floor, which forwards nothing and needs no upstream. */
  readonly forwards: boolean
  /** Writes configuration into its folder if it needs any; starts nothing. */
  prepare(place: Place): Command
}
