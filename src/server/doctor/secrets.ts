// Reads every secret that the configuration names, once, and shows where it is, what it is like, and
// how it is kept; never what it says.

import { stat } from 'node:fs/promises'

import type { Clock } from '../../base/clock.ts'
import type { Secret } from '../../base/secret.ts'
import type { Settings } from '../../config/settings.ts'
import type { CredentialSettings } from '../../credentials/options.ts'
import { complaint } from '../../secrets/complaint.ts'
import type { SecretReference } from '../../secrets/reference-options.ts'
import { secretSources } from '../../secrets/reference.ts'
import type { SecretSourceDependencies } from '../../secrets/reference.ts'
import type { SourceKind } from '../../secrets/source.ts'
import { MAIN, wantedWays } from '../way.ts'
import { examined, weighed } from './finding.ts'
import type { Finding } from './finding.ts'
import { secretFile } from './permissions.ts'

/** No source is waited for longer, whatever its own timeout says. */
const DEADLINE = 10_000

/** A secret that the configuration names, by its place there. */
export interface NamedSecret {
  readonly name: string
  readonly reference: SecretReference
}

/** What reading them brought. */
export interface ReadSecrets {
  readonly findings: readonly Finding[]
  /** Those that could be read, by name. */
  readonly values: ReadonlyMap<string, Secret>
}

/** The place of the credential `name` in the configuration. */
export function placeOf(name: string): string {
  return name === MAIN ? 'credential' : `credentials.${name}.credential`
}

/** The secrets of the credentials, current first, then those that open other places of secrets. */
export function namedSecrets(
  settings: Pick<Settings, 'credential' | 'credentials' | 'secrets'>,
): NamedSecret[] {
  const { secrets } = settings
  const named = [...wantedWays(settings)].flatMap(([name, { credential }]) =>
    credentialSecrets(placeOf(name), credential),
  )
  const used = new Set(named.flatMap(({ reference }) => SECTIONS[reference.kind] ?? []))
  const logins = [...used].flatMap((key) => loginSecrets(`secrets.${key}`, secrets[key]))
  return [...named, ...logins]
}

function credentialSecrets(place: string, credential: CredentialSettings): NamedSecret[] {
  const [kind, current] =
    credential.kind === 'api_key'
      ? ['api_key', credential.key]
      : ['client_secret', credential.secret]
  const named = [{ name: `${place}.${kind}`, reference: current }]
  if (credential.previous === undefined) return named
  return [...named, { name: `${place}.previous_${kind}`, reference: credential.previous }]
}

/** Whether a secret opens no other place. */
const isOfCredential = (name: string) => /^credentials?\./.test(name)

/** The section of `secrets` that says how places of a kind are reached. */
const SECTIONS: Readonly<Partial<Record<SourceKind, keyof Settings['secrets']>>> = {
  vault: 'vault',
  'aws-sm': 'aws',
  'aws-ssm': 'aws',
  gcp: 'gcp',
  azure: 'azure',
  op: 'onepassword',
  k8s: 'kubernetes',
}

const PAGES: Readonly<Record<SourceKind, string>> = {
  env: 'local',
  file: 'local',
  systemd: 'local',
  exec: 'local',
  vault: 'vault',
  'aws-sm': 'aws',
  'aws-ssm': 'aws',
  gcp: 'gcp',
  azure: 'azure',
  op: 'onepassword',
  k8s: 'kubernetes',
}

const LOCAL = new Set<unknown>(['env', 'file', 'systemd', 'exec'])

/** References anywhere below `tree`, which is options of places of secrets. */
function loginSecrets(at: string, tree: unknown): NamedSecret[] {
  if (typeof tree !== 'object' || tree === null) return []
  if (
    'kind' in tree &&
    LOCAL.has(tree.kind) &&
    ('name' in tree || 'path' in tree || 'argv' in tree)
  ) {
    return [{ name: at, reference: tree as SecretReference }]
  }
  return Object.entries(tree).flatMap(([key, value]) =>
    loginSecrets(`${at}.${written(key)}`, value),
  )
}

/** A key as it stands in the file. */
function written(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** Reads all of `named` at once; settles within 10 s. */
export async function readSecrets(
  named: readonly NamedSecret[],
  deps: SecretSourceDependencies,
): Promise<ReadSecrets> {
  const values = new Map<string, Secret>()
  const sourceOf = secretSources(deps)
  const findings = await Promise.all(
    named.map(({ name, reference }) => {
      const source = sourceOf(patient(reference))
      const task = {
        check: `secret:${name}`,
        side: 'local',
        did: `read ${source.reference} (${source.kind})`,
        deadline: DEADLINE + 500,
      } as const
      return examined(task, deps.clock, async () => {
        const value = await source.read()
        values.set(name, value)
        const age = await ageOf(reference, deps)
        // How a file is kept is a check of its own.
        const caveat = secretFile(reference, deps.environment) ? undefined : source.caveat?.()
        return weighed(
          `a secret with the fingerprint ${value.fingerprint}${age}${caveat === undefined ? '' : `; ${caveat}`}`,
          caveat === undefined ? [] : [{ outcome: 'warn', remedy: 'Mend that, or live with it.' }],
        )
      })
    }),
  )
  const credentials = named.filter(({ name }) => isOfCredential(name))
  const opened = credentials.every(({ name }) => values.has(name))
  return {
    findings: findings.map((one, at) => (one.outcome === 'fail' ? weaker(one, at) : one)),
    values,
  }

  function weaker(finding: Finding, at: number): Finding {
    const login = !isOfCredential(named[at]?.name ?? '')
    if (login && opened) {
      const saw = `${finding.saw} It is not needed: what it would open was read without.`
      return { ...finding, outcome: 'skip', saw, remedy: undefined }
    }
    const { fault, remedy } = complaint(finding.saw)
    const page = `docs/secrets/${PAGES[named[at]?.reference.kind ?? 'env']}.md`
    if (finding.remedy !== undefined || remedy === undefined) {
      return { ...finding, remedy: `${finding.remedy ?? 'Mend the place.'} See ${page}.` }
    }
    const [first = '', ...rest] = remedy
    return {
      ...finding,
      saw: `${fault}.`,
      remedy: `${first.toUpperCase()}${rest.join('')}. See ${page}.`,
    }
  }
}

/** The same place, asked with no more patience than ours. */
function patient(reference: SecretReference): SecretReference {
  if (!('timeout' in reference)) return reference
  return { ...reference, timeout: Math.min(reference.timeout, DEADLINE) }
}

async function ageOf(
  reference: SecretReference,
  { clock, environment }: { readonly clock: Clock } & Pick<SecretSourceDependencies, 'environment'>,
): Promise<string> {
  const path = secretFile(reference, environment)
  if (path === undefined) return ''
  const { mtimeMs } = await stat(path)
  const days = Math.floor((clock.wall() - mtimeMs) / 86_400_000)
  return days < 1 ? ', written within the last day' : `, written ${days} days ago`
}
