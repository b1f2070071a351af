// What `/readyz` says: named checks, each with one sentence for an operator.

/** One named check. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** One sentence; no secret. */
  readonly detail: string
  /** Further facts for machines, such as `role` or `expires_on`. */
  readonly facts?: Readonly<Record<string, string | number | null>>
  /** Things that work but need attention soon. */
  readonly warnings?: readonly string[]
}

/** Reads all checks anew; snapshots, no I/O. */
export type Checks = () => readonly Check[]

/** The body of `/readyz`. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready'
  readonly checks: Readonly<Record<string, Omit<Check, 'name'>>>
}

/** Ready when every check is. */
export function readiness(checks: readonly Check[]): Readiness {
  const named = checks.map(({ name, ...rest }) => [name, rest] as const)
  return {
    status: checks.every((check) => check.ok) ? 'ready' : 'not_ready',
    checks: Object.fromEntries(named),
  }
}
