// Options of the audit log (`audit:` in the file). It is off while that is left out.

import { z } from '../base/schema.ts'

/** Where records go. */
export type AuditTarget =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file'; readonly path: string }

/** What is audited, and what happens while it cannot be. */
export interface AuditSettings {
  readonly to: AuditTarget
  /**
   * A request with one of these classes is refused while its record cannot be written; all others go
   * on, with an alarm. None at all with `on_failure: continue`.
   */
  readonly refuse: ReadonlySet<string>
}

const CLASSES = [
  'read',
  'write',
  'destructive',
  'billable',
  'credential',
  'identity',
  'bulk',
  'unknown',
] as const

const TO = /^(?:stdout|file:\/.*[^/])$/

/** Schema of `audit`. */
export const auditOptions = z
  .strictObject({
    to: z
      .string()
      .regex(TO, 'is neither stdout nor file: with an absolute path')
      .describe('Where records go, one JSON object a line: stdout, or file:/path.'),
    on_failure: z
      .enum(['refuse', 'continue'])
      .default('refuse')
      .describe(
        'While records cannot be written (a full disk): refuse the requests of refuse_classes, or let everything pass. Both raise an alarm.',
      ),
    refuse_classes: z
      .array(z.enum(CLASSES))
      .min(1)
      .default(['billable', 'destructive'])
      .describe('Classes of operations that do not happen without a record.'),
  })
  .optional()
  .transform((written): AuditSettings | undefined => {
    if (written === undefined) return undefined
    const { to, on_failure: onFailure, refuse_classes: classes } = written
    return {
      to: to === 'stdout' ? { kind: 'stdout' } : { kind: 'file', path: to.slice('file:'.length) },
      refuse: new Set(onFailure === 'refuse' ? classes : []),
    }
  })
