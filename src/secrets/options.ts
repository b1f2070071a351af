// How a user names the place of a secret: `env:NAME`, `file:/path`, `exec:/path argument`, or an
// object with `exec`. A secret written out in a file is refused, and not quoted in the refusal.

import { duration, z } from '../base/schema.ts'
import { Secret } from '../base/secret.ts'
import { secretFromText } from './value.ts'

/** The place of one secret. Holds no value. */
export type SecretReference =
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string }
  | {
      readonly kind: 'exec'
      /** Absolute path of the program, then its arguments. */
      readonly argv: readonly string[]
      /** Milliseconds. */
      readonly timeout: number
      /** Milliseconds. */
      readonly lifetime: number
    }

const NO_REFERENCE =
  'is not a reference to a secret (a secret itself must not stand here); ' +
  'write env:NAME (in capitals), file:/path or exec:/path, and keep the secret there'

// Capitals only, so that a secret pasted after `env:` is refused and never shown as a name.
const FORM = /^(?:env:[A-Z_][A-Z0-9_]*|file:\/.+|exec:\/.+)$/

const timeout = duration({ default: '10s', min: '100ms', max: '5m' }).describe(
  'How long the command may take before it is killed.',
)
const lifetime = duration({ default: '5m', min: '1s', max: '7d' }).describe(
  'How long its output counts as fresh; then the command is run again.',
)

const text = z
  .string()
  .regex(FORM, NO_REFERENCE)
  .transform((written) => parseReference(written))

const command = z
  .strictObject({
    exec: z
      .array(z.string())
      .min(1)
      .refine((argv) => argv[0]?.startsWith('/') !== false, {
        error: 'does not begin with an absolute path; write the full path of the program first',
      })
      .describe('Absolute path of the program, then its arguments. No shell is involved.'),
    timeout,
    lifetime,
  })
  .transform((written): SecretReference => ({
    kind: 'exec',
    argv: written.exec,
    timeout: written.timeout,
    lifetime: written.lifetime,
  }))

/** Schema of a reference as users write it; yields a `SecretReference`. */
export const secretReference = z.union([text, command], { error: NO_REFERENCE })

/** Parses the text form, which must match the schema. Arguments of `exec:` are split at spaces. */
function parseReference(written: string): SecretReference {
  const colon = written.indexOf(':')
  const rest = written.slice(colon + 1)
  switch (written.slice(0, colon)) {
    case 'env':
      return { kind: 'env', name: rest }
    case 'file':
      return { kind: 'file', path: rest }
    default:
      return {
        kind: 'exec',
        argv: rest.split(/ +/).filter((part) => part !== ''),
        timeout: timeout.parse(undefined),
        lifetime: lifetime.parse(undefined),
      }
  }
}

/** Schema of the value of a variable that holds a secret; yields the Secret. */
export const secretText = z.string().transform((written, context): Secret => {
  const found = secretFromText(written)
  if (found instanceof Secret) return found
  context.addIssue({ code: 'custom', message: `${found.fault}; ${found.remedy}` })
  return z.NEVER
})
