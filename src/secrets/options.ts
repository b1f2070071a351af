// How a user names the place of a secret: a text such as `file:/path` (src/secrets/reference-options.ts has all
// forms), or an object with one in `from`. A secret written out is refused, and not quoted.

import { duration, z } from '../base/schema.ts'
import { Secret } from '../base/secret.ts'
import type { Extraction } from './extraction.ts'
import { parseReference } from './reference-options.ts'
import type { SecretReference } from './reference-options.ts'
import { NO_REFERENCE, referenceSlip } from './reference-slip.ts'
import { secretFromText } from './value.ts'

const timeout = duration({ default: '10s', min: '100ms', max: '5m' }).describe(
  'How long one read may take.',
)
const lifetime = duration({ default: '5m', min: '1s', max: '7d' }).describe(
  'How long what was read counts as fresh, where the place does not tell of changes; then it is read again.',
)
const base64 = z.boolean().default(false).describe('True when the secret is kept in base64.')

const DEFAULT_TIMES = { timeout: timeout.parse(undefined), lifetime: lifetime.parse(undefined) }

const text = z.string().transform((written, context): SecretReference => {
  const parsed = parseReference(written, DEFAULT_TIMES)
  if (parsed !== undefined) return parsed
  context.addIssue({ code: 'custom', message: referenceSlip(written) })
  return z.NEVER
})

const command = z
  .strictObject({
    exec: z
      .array(z.string())
      .min(1)
      .refine((argv) => argv[0]?.startsWith('/') !== false, {
        error: 'does not begin with an absolute path; write the full path of the program first',
      })
      .describe('Absolute path of the program, then its arguments. No shell is involved.'),
    field: z.string().min(1).optional().describe('Field of a JSON object that it prints.'),
    base64,
    timeout,
    lifetime,
  })
  .transform((written): SecretReference => ({
    kind: 'exec',
    argv: written.exec,
    timeout: written.timeout,
    lifetime: written.lifetime,
    ...extractOf(written.field, written.base64),
  }))

const described = z
  .strictObject({
    from: z.string().describe('The reference as a text.'),
    base64,
    timeout,
    lifetime,
  })
  .transform((written, context): SecretReference => {
    const { timeout: most, lifetime: life } = written
    const parsed = parseReference(written.from, { timeout: most, lifetime: life })
    if (parsed !== undefined) {
      return { ...parsed, ...extractOf(parsed.extract?.field, written.base64) }
    }
    context.addIssue({ code: 'custom', message: referenceSlip(written.from), path: ['from'] })
    return z.NEVER
  })

/** Schema of a reference as users write it; yields a `SecretReference`. */
export const secretReference = z.union([text, command, described], { error: NO_REFERENCE })

function extractOf(field: string | undefined, encoded: boolean): { extract?: Extraction } {
  if (field === undefined && !encoded) return {}
  return {
    extract: { ...(field === undefined ? {} : { field }), ...(encoded ? { base64: true } : {}) },
  }
}

/** Schema of the value of a variable that holds a secret; yields the Secret. */
export const secretText = z.string().transform((written, context): Secret => {
  const found = secretFromText(written)
  if (found instanceof Secret) return found
  context.addIssue({ code: 'custom', message: `${found.fault}; ${found.remedy}` })
  return z.NEVER
})
