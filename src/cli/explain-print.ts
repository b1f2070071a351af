// An explanation for a person.

/** What `explain` found out; printed as it is with --json. */
export interface Explanation {
  readonly consumer: string
  readonly mode: 'enforce' | 'report'
  readonly dry_run: boolean
  readonly method: string
  /** Canonical, without the query. */
  readonly path: string
  /** `null` when the catalogue knows none. */
  readonly operation: {
    readonly name: string
    readonly tag: string
    readonly permissions: readonly string[]
    readonly classes: readonly string[]
  } | null
  readonly decision: 'allowed' | 'denied' | 'filtered'
  readonly code: string | null
  /** Why it is denied, for the operator. */
  readonly missing: string | null
  /** Also true for what is denied in report mode. */
  readonly passes: boolean
  readonly grants: readonly string[]
  /** Each thing that it would do, and the grants that cover it. */
  readonly acts: readonly { readonly what: string; readonly grants: readonly string[] }[]
  /** The least that would have to be granted. */
  readonly grants_needed: readonly string[]
  readonly notes: readonly string[]
  readonly purchases: { readonly count: number; readonly amount: string | null } | null
}

const LISTED = 50

/** The explanation as lines; ends with a newline. */
export function explanationText(it: Explanation): string {
  const { operation } = it
  const lines = [
    `${verdictOf(it)}: ${it.method} ${it.path}, as consumer ${it.consumer}`,
    operation === null
      ? '  operation:   none that the catalogue knows (class unknown)'
      : `  operation:   ${operation.name} (${operation.tag})`,
  ]
  if (operation !== null) {
    lines.push(
      `  permissions: ${operation.permissions.join(', ') || 'none'}`,
      `  classes:     ${operation.classes.join(', ')}`,
    )
  }
  for (const { what, grants } of it.acts.slice(0, LISTED)) {
    const nobody = it.decision === 'denied' ? 'NO GRANT' : ''
    const by = grants.join('; ') || nobody
    lines.push(`  does:        ${what}${by && `  <- ${by}`}`)
  }
  if (it.acts.length > LISTED) lines.push(`  does:        … and ${it.acts.length - LISTED} more`)
  if (it.decision !== 'denied') {
    lines.push(
      `  allowed by:  ${it.grants.join('; ') || 'the default: all that policy does not block'}`,
    )
  }
  if (it.decision === 'filtered') {
    lines.push('  reply:       filtered: the list shows what these grants name, and nothing else')
  }
  if (it.purchases !== null) {
    const { count, amount } = it.purchases
    lines.push(`  budget:      ${count} purchases${amount === null ? '' : ` and ${amount}`}`)
  }
  if (it.missing !== null) lines.push(`  missing:     ${it.missing} (${it.code})`)
  if (it.grants_needed.length > 0) {
    lines.push(
      '  the least grants for all of it:',
      ...it.grants_needed.map((one) => `    - ${one}`),
    )
  }
  for (const note of it.notes) lines.push(`  note:        ${note}`)
  if (it.mode === 'report' && it.passes)
    lines.push('  mode:        report: it is logged, and passes')
  if (it.dry_run)
    lines.push('  dry_run:     writes answer what they would change, and change nothing')
  return `${lines.join('\n')}\n`
}

function verdictOf({ decision, passes }: Explanation): string {
  if (decision !== 'denied') return 'ALLOWED'
  return passes ? 'DENIED, but passes in report mode' : 'DENIED'
}
