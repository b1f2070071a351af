// The secrets of a configuration that is to be taken. Those that are new are read once before anything
// else begins, without a word in log or metrics: what is refused has not happened. Those that are known
// go on with their last good value.

import { isDeepStrictEqual } from 'node:util'

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import { within } from '../credentials/patience.ts'
import { complaint } from '../secrets/complaint.ts'
import type { SecretReference } from '../secrets/reference-options.ts'
import { secretSources } from '../secrets/reference.ts'
import type { BuiltCredential, KnownValues } from './credential.ts'
import type { CertificateState } from './listeners.ts'
import type { Service, ServiceSettings } from './service.ts'

/** Milliseconds that a new secret may take to be read. */
const PATIENCE = 10_000

/** What is known of the secrets of the next configuration. */
export interface NewSecrets {
  /** One for each new secret that cannot be read. */
  readonly problems: readonly Problem[]
  readonly known: KnownValues
}

/** Reads what is new in `next`. Never rejects; settles within 10 s. */
export async function readNewSecrets(
  next: ServiceSettings,
  before: Service,
  deps: {
    readonly clock: Clock
    readonly environment: Readonly<Record<string, string | undefined>>
  },
): Promise<NewSecrets> {
  const source = secretSources({
    ...deps,
    captured: next.captured,
    vendors: next.settings.secrets,
  })
  const samePlaces = isDeepStrictEqual(before.settings.secrets, next.settings.secrets)
  const old = named(before.settings.credential)
  const problems: Problem[] = []
  const known = await Promise.all(
    named(next.settings.credential).map(async ({ place, reference }) => {
      const at = old.findIndex((one) => isDeepStrictEqual(one.reference, reference))
      const same = samePlaces && reference.kind !== 'env' && at >= 0
      if (same) return before.built.secrets[at]?.current()
      try {
        const value = await within(deps.clock, PATIENCE, source(reference).read())
        if (value !== undefined) return value
        const fault = `cannot be used: no answer within ${PATIENCE / 1000} s`
        problems.push({ place, fault, remedy: 'mend the place that it is in' })
      } catch (error) {
        const { fault, remedy } = complaint(Fault.from(error).message)
        problems.push({ place, fault: `cannot be used: ${fault}`, remedy: remedy ?? 'mend it' })
      }
      return undefined
    }),
  )
  return { problems, known }
}

/** Sentences about what could not be read again and stays in use as it was. */
export function keptAsTheyWere(
  { secrets }: Pick<BuiltCredential, 'secrets'>,
  certificates: readonly CertificateState[],
): string[] {
  return [
    ...secrets.flatMap((secret) => {
      const { ok, detail } = secret.status()
      return ok ? [] : [detail]
    }),
    ...certificates.flatMap(({ failure }) =>
      failure === undefined
        ? []
        : [`${failure.place} ${failure.fault}; the last good certificate stays in use.`],
    ),
  ]
}

function named(
  settings: CredentialSettings,
): { readonly place: string; readonly reference: SecretReference }[] {
  const { kind, previous } = settings
  const name = kind === 'api_key' ? 'api_key' : 'client_secret'
  const reference = kind === 'api_key' ? settings.key : settings.secret
  return [
    { place: `credential.${name}`, reference },
    ...(previous === undefined
      ? []
      : [{ place: `credential.previous_${name}`, reference: previous }]),
  ]
}
