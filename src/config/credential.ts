// Which credential is in use: the one of the file or the one of the environment, never both and never
// a half. Captures the values that stand in variables. No text here quotes a value.

import type { Problem } from '../base/fault.ts'
import { Secret } from '../base/secret.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import { secretText } from '../secrets/options.ts'
import type { SecretReference } from '../secrets/reference-options.ts'
import { withClientId } from './client-id.ts'
import type { Look } from './credential-conventions.ts'
import { CREDENTIAL_VARIABLES, credentialFromEnvironment } from './credential-environment.ts'
import type { Variables } from './environment.ts'
import { spokenProblem } from './spoken.ts'

/** See `chooseCredential`. */
export interface CredentialInput {
  /** What the file gives, with the place of a key in it; `undefined` when it gives none. */
  readonly file:
    | {
        /** `undefined` when it is faulty, which is reported already. */
        readonly settings: CredentialSettings | undefined
        readonly place: (key: string) => string
      }
    | undefined
  readonly variables: Variables
  /** References that places of secrets need to be logged in to; those to variables are captured too. */
  readonly logins: readonly SecretReference[]
  /** Reads a small text file: for a client id, which is no secret. */
  readonly readText: (path: string) => string
  /** Tells whether a file is there, for those with well-known names. */
  readonly look: Look
}

/** See `chooseCredential`. */
export interface ChosenCredential {
  /** `undefined` when there are problems. */
  readonly settings: CredentialSettings | undefined
  /** Values of the variables that `settings` refers to. */
  readonly captured: ReadonlyMap<string, Secret>
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** Decides which credential is in use, and says everything that is wrong with it. */
export function chooseCredential(input: CredentialInput): ChosenCredential {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const captured = new Map<string, Secret>()
  const written =
    input.file === undefined
      ? credentialFromEnvironment(input.variables, input.look, problems)
      : fromFile(input.file, input.variables, problems)
  if (written === undefined) return { settings: undefined, captured, problems, warnings }

  const resolved = resolveCredential(written, {
    variables: input.variables,
    readText: input.readText,
    place: input.file?.place ?? (() => undefined),
  })
  problems.push(...resolved.problems)
  for (const [name, secret] of resolved.captured) captured.set(name, secret)
  for (const login of input.logins) {
    const text = login.kind === 'env' ? input.variables.get(login.name) : undefined
    // One that is not set fails when it is used, for nobody may need it.
    if (login.kind === 'env' && text !== undefined) captured.set(login.name, Secret.of(text))
  }
  const settings = problems.length === 0 ? resolved.settings : undefined
  return { settings, captured, problems, warnings: [...warnings, ...resolved.warnings] }
}

/** See `resolveCredential`. */
export interface ResolveInput extends Pick<CredentialInput, 'variables' | 'readText'> {
  /** Where a key of the credential stands in the file; `undefined` when it is not from there. */
  readonly place: (key: string) => string | undefined
}

/** Reads the client id, and captures what stands in variables; says everything that is wrong. */
export function resolveCredential(
  written: CredentialSettings,
  { variables, readText, place }: ResolveInput,
): ChosenCredential {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const captured = new Map<string, Secret>()
  const settings = withClientId(written, { variables, readText, place, problems, warnings })

  for (const [key, reference] of secretsOf(settings)) {
    if (reference?.kind !== 'env') continue
    const text = variables.get(reference.name)
    const where = variables.place(reference.name)
    if (text === undefined) {
      problems.push({
        place: place(key) ?? where,
        fault: `refers to ${reference.name}, which is ${variables.isEmpty(reference.name) ? 'set but empty' : 'not set'}`,
        remedy: `set ${reference.name}`,
      })
      continue
    }
    // What a secret has yet to be taken out of is judged when that is done.
    const whole = reference.extract === undefined
    const secret = whole
      ? secretText.safeParse(text)
      : { success: true as const, data: Secret.of(text) }
    if (secret.success) captured.set(reference.name, secret.data)
    else problems.push(...secret.error.issues.map((issue) => spokenProblem(where, issue.message)))
    if (whole && settings.kind === 'api_key' && !text.startsWith('opk_')) {
      warnings.push({
        place: where,
        fault: 'does not look like an OpusDNS API key',
        remedy: 'keys begin with opk_; see whether another value got there',
      })
    }
  }
  return { settings: problems.length === 0 ? settings : undefined, captured, problems, warnings }
}

function fromFile(
  file: NonNullable<CredentialInput['file']>,
  variables: Variables,
  problems: Problem[],
): CredentialSettings | undefined {
  const { settings } = file
  if (settings === undefined) return undefined
  const referred = new Set<string>()
  for (const [, reference] of secretsOf(settings)) {
    if (reference?.kind === 'env') referred.add(reference.name)
  }
  if (settings.kind === 'oauth' && settings.clientId.startsWith('env:')) {
    referred.add(settings.clientId.slice('env:'.length))
  }
  const surplus = CREDENTIAL_VARIABLES.filter(
    (name) => variables.get(name) !== undefined && !referred.has(name),
  )
  if (surplus.length > 0) {
    problems.push({
      place: surplus.map((name) => variables.place(name)).join(', '),
      fault: 'gives a credential besides the one in the file',
      remedy: 'unset it, or remove credential from the file, or refer to it there with env:NAME',
    })
  }
  return settings
}

function secretsOf(
  settings: CredentialSettings,
): readonly (readonly [key: string, reference: SecretReference | undefined])[] {
  return settings.kind === 'api_key'
    ? [
        ['api_key', settings.key],
        ['previous_api_key', settings.previous],
      ]
    : [
        ['client_secret', settings.secret],
        ['previous_client_secret', settings.previous],
      ]
}
