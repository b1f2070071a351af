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
import type { LiveSecret } from '../secrets/live-secret.ts'
import type { KnownValues } from './credential.ts'
import type { CertificateState } from './listeners.ts'
import type { Service, ServiceSettings } from './service.ts'
import { MAIN, wantedWays } from './way.ts'
import type { KnownSecrets } from './way.ts'

/** Milliseconds that a new secret may take to be read. */
const PATIENCE = 10_000

/** What is known of the secrets of the next configuration. */
export interface NewSecrets {
  /** One for each new secret that cannot be read. */
  readonly problems: readonly Problem[]
  readonly known: KnownSecrets
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
  const problems: Problem[] = []

  async function readAll(name: string, credential: CredentialSettings): Promise<KnownValues> {
    const way = before.ways.get(name)
    const old = way === undefined ? [] : named(name, way.from.credential)
    return Promise.all(named(name, credential).map((one) => readOne(one, old, way?.built.secrets)))
  }
  async function readOne(
    { place, reference }: Named,
    old: readonly Named[],
    held: readonly LiveSecret[] = [],
  ) {
    const at = old.findIndex((one) => isDeepStrictEqual(one.reference, reference))
    const same = samePlaces && reference.kind !== 'env' && at >= 0
    if (same) return held[at]?.current()
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
  }

  const known = await Promise.all(
    [...wantedWays(next.settings)].map(
      async ([name, { credential }]) => [name, await readAll(name, credential)] as const,
    ),
  )
  return { problems, known: new Map(known) }
}

/** Sentences about what could not be read again and stays in use as it was. */
export function keptAsTheyWere(
  secrets: readonly LiveSecret[],
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

interface Named {
  readonly place: string
  readonly reference: SecretReference
}

function named(way: string, settings: CredentialSettings): readonly Named[] {
  const { kind, previous } = settings
  const section = way === MAIN ? 'credential' : `credentials.${way}.credential`
  const name = kind === 'api_key' ? 'api_key' : 'client_secret'
  const reference = kind === 'api_key' ? settings.key : settings.secret
  return [
    { place: `${section}.${name}`, reference },
    ...(previous === undefined
      ? []
      : [{ place: `${section}.previous_${name}`, reference: previous }]),
  ]
}
