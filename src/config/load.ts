// From texts and variables to settings, or to every problem at once. Does no I/O but for reading a
// client id from the file that a variable names; everything else is handed in (see read-config.ts).

import { Fault } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'
import { isRecord } from '../base/record.ts'
import type { Secret } from '../base/secret.ts'
import type { SecretReference } from '../secrets/reference-options.ts'
import type { Look } from './credential-conventions.ts'
import { CREDENTIAL_VARIABLES } from './credential-environment.ts'
import { consumerProblems } from './consumers.ts'
import type { NamedCredential } from './consumers.ts'
import { chooseCredential, resolveCredential } from './credential.ts'
import { overlay, unknownVariables, variables } from './environment.ts'
import { resolveListeners } from './listeners.ts'
import { partsOf } from './parts.ts'
import type { PlaceOf } from './problems.ts'
import type { Settings } from './settings.ts'

/** See `loadSettings`. */
export interface LoadInput {
  /** The real environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The configuration file. */
  readonly file?: { readonly path: string; readonly text: string } | undefined
  /** The text of `.env`. */
  readonly dotenv?: string | undefined
  /** Milliseconds since 1970, to tell which keys of consumers are expired; the present if left out. */
  readonly now?: number | undefined
  /** Reads a small text file, for `OPUSDNS_CLIENT_ID_FILE`; without it such a file is a problem. */
  readonly readText?: ((path: string) => string) | undefined
  /** Tells whether a file with a well-known name is there; without it none is. */
  readonly look?: Look | undefined
}

/** See `loadSettings`. */
export interface LoadedSettings {
  readonly settings: Settings
  /** Values of the variables that `env:` references name, for `secretSource`. */
  readonly captured: ReadonlyMap<string, Secret>
  /** Variables that gave a credential; delete them from the environment, so that no child has them. */
  readonly consumedEnv: readonly string[]
  /** What is odd, but no reason not to start. */
  readonly warnings: readonly Problem[]
}

/**
 * The settings. Rejects with a Fault `config_invalid` whose `problems` are all that is wrong. Reads
 * no secret but those in variables, and connects to nothing.
 */
export async function loadSettings(input: LoadInput): Promise<LoadedSettings> {
  const problems: Problem[] = []
  const from = variables(input.env, await parsedDotenv(input.dotenv))
  const file = await parsedFile(input.file, problems)
  const readable = problems.length === 0
  const { tree, variableAt } = overlay(file.tree, from)
  const placeOf: PlaceOf = (path, line = path) => {
    const variable = variableAt(path)
    if (variable !== undefined) return variable
    const at = file.lineOf(line)
    if (input.file === undefined) return keyPath(path)
    const where = at === undefined ? input.file.path : `${input.file.path}:${at}`
    return path.length === 0 ? where : `${keyPath(path)} (${where})`
  }

  const { part, members, issues } = partsOf(tree)
  const listen = part('listen')
  const hosts = part('hosts')
  const insecureAllowAnonymous = part('insecure_allow_anonymous')
  const admin = part('admin')
  const upstream = part('upstream')
  const inFile = part('credential')
  const credentials = members('credentials')
  const consumers = members('consumers')
  const trustedHops = part('trusted_hops')
  const audit = part('audit')
  const ledger = part('ledger')
  const unpriced = part('unpriced')
  const secrets = part('secrets')
  const policy = part('policy')
  const limits = part('limits')
  const log = part('log')
  const shutdown = part('shutdown')
  if (issues.length > 0) {
    const { problemsOf } = await import('./problems.ts')
    problems.push(...problemsOf(issues, tree, placeOf))
  }

  // Of a section with another fault the raw addresses are looked at, so that all is said at once.
  const rawAdmin = isRecord(tree['admin']) ? tree['admin']['listen'] : undefined
  const listeners = resolveListeners(
    {
      listen: listen ?? tree['listen'],
      admin: admin?.listen ?? rawAdmin,
      anonymous: insecureAllowAnonymous,
      consumers: tree['consumers'] === undefined ? undefined : Object.entries(consumers ?? {}),
      allConsumers: issues.every(({ path }) => path[0] !== 'consumers'),
    },
    placeOf,
  )
  problems.push(...listeners.problems)

  const place = (key: string) => placeOf(['credential', key])
  const chosen = readable
    ? chooseCredential({
        file: tree['credential'] === undefined ? undefined : { settings: inFile, place },
        variables: from,
        readText: input.readText ?? unreadable,
        logins: referencesIn(secrets),
        look: input.look ?? (() => 'absent'),
      })
    : undefined
  problems.push(...(chosen?.problems ?? []))

  const captured = new Map(chosen?.captured)
  const named = new Map<string, NamedCredential>()
  const oddities: Problem[] = []
  for (const [name, one] of Object.entries(credentials ?? {})) {
    const resolved = resolveCredential(one.credential, {
      variables: from,
      readText: input.readText ?? unreadable,
      place: (key) => placeOf(['credentials', name, 'credential', key]),
    })
    problems.push(...resolved.problems)
    oddities.push(...resolved.warnings)
    for (const [variable, secret] of resolved.captured) captured.set(variable, secret)
    if (resolved.settings !== undefined) named.set(name, { ...one, credential: resolved.settings })
  }
  if (tree['consumers'] !== undefined) {
    const written = tree['credentials']
    const found = consumerProblems(
      {
        consumers: consumers ?? {},
        credentials: new Set(isRecord(written) ? Object.keys(written) : []),
        allow: policy?.allow ?? [],
        // One that is wrong is told of itself.
        ledger: tree['ledger'] !== undefined,
        unpriced: unpriced ?? new Set(),
        now: input.now ?? Date.now(),
      },
      placeOf,
    )
    problems.push(...found.problems)
    oddities.push(...found.warnings)
  }

  if (tree['consumers'] === undefined && trustedHops !== undefined && trustedHops.length > 0) {
    problems.push({
      place: placeOf(['trusted_hops']),
      fault: 'means nothing without consumers, whom it tells apart',
      remedy: 'write consumers with networks, or remove it',
    })
  }

  if (tree['consumers'] === undefined && unpriced !== undefined && unpriced.size > 0) {
    problems.push({
      place: placeOf(['unpriced']),
      fault: 'means nothing without consumers, whose budgets it is about',
      remedy: 'write consumers with a budget, or remove it',
    })
  }

  const warnings = [
    ...unknownVariables(from),
    ...listeners.warnings,
    ...(chosen?.warnings ?? []),
    ...oddities,
  ]
  if (upstream !== undefined && upstream.headTimeout >= 30_000) {
    warnings.push({
      place: placeOf(['upstream', 'head_timeout']),
      fault: 'is not below 30s, when most clients give up and never see the answer',
      remedy: 'choose less than 30s',
    })
  }

  if (
    problems.length > 0 ||
    !listen ||
    !hosts ||
    !trustedHops ||
    insecureAllowAnonymous === undefined ||
    !admin ||
    !listeners.admin ||
    !upstream ||
    !unpriced ||
    !secrets ||
    !policy ||
    !limits ||
    !log ||
    !shutdown ||
    !chosen?.settings
  ) {
    throw new Fault('config_invalid', { detail: 'The configuration is not valid.', problems })
  }
  const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase())
  const settings: Settings = {
    listen: listeners.listen,
    hosts: lower(hosts),
    insecureAllowAnonymous,
    admin: { listen: listeners.admin, hosts: lower(admin.hosts) },
    upstream,
    credential: chosen.settings,
    credentials: named,
    consumers: consumers && new Map(Object.entries(consumers)),
    trustedHops,
    audit,
    ledger,
    unpriced,
    secrets,
    policy,
    limits,
    log,
    shutdown,
  }
  const consumed = new Set([...CREDENTIAL_VARIABLES, ...captured.keys()])
  const consumedEnv = [...consumed].filter((name) => input.env[name] !== undefined)
  return { settings, captured, consumedEnv, warnings }
}

async function parsedDotenv(text: string | undefined): Promise<Record<string, string>> {
  if (text === undefined) return {}
  const { parseDotenv } = await import('./dotenv.ts')
  return parseDotenv(text)
}

interface ParsedFile {
  readonly tree: Readonly<Record<string, unknown>>
  lineOf(path: readonly PropertyKey[]): number | undefined
}

async function parsedFile(file: LoadInput['file'], problems: Problem[]): Promise<ParsedFile> {
  if (file === undefined) return { tree: {}, lineOf: () => undefined }
  const { parseYaml } = await import('./yaml.ts')
  const { tree = {}, problems: found, lineOf } = await parseYaml(file.text, file.path)
  problems.push(...found)
  if (isRecord(tree)) return { tree, lineOf }
  problems.push({
    place: file.path,
    fault: 'is not a mapping',
    remedy: 'write keys with a colon and a space, such as listen: ["127.0.0.1:8080"]',
  })
  return { tree: {}, lineOf }
}

/** `listen[0]`, `admin.hosts[1]`. A key that may be a value in the wrong place is not shown. */
function keyPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`
      return `${index === 0 ? '' : '.'}${SHOWN.test(String(key)) ? String(key) : '…'}`
    })
    .join('')
}

/** Keys of options, names of consumers and credentials; nothing that begins as a key of OpusDNS does. */
const SHOWN = /^(?!op[a-z]{0,2}_)(?:[A-Za-z][A-Za-z_:-]{0,31}|[a-z0-9][a-z0-9._-]{0,62})$/

/** The references to secrets anywhere in `tree`. */
function referencesIn(tree: unknown): SecretReference[] {
  if (typeof tree !== 'object' || tree === null) return []
  if ('kind' in tree && typeof tree.kind === 'string') return [tree as SecretReference]
  return Object.values(tree).flatMap(referencesIn)
}

function unreadable(): never {
  throw new Error('no files can be read here')
}
