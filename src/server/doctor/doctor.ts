// Everything that `doctor` looks at once the configuration is known, in the order in which it is told.
// What does not depend on each other goes on at the same time, so that all ends within 30 s.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { Clock } from '../../base/clock.ts'
import type { Settings } from '../../config/settings.ts'
import type { CredentialSettings } from '../../credentials/options.ts'
import type { Upstream } from '../../opusdns/upstream.ts'
import type { CapturedEnvironment } from '../../secrets/env.ts'
import { buildUpstream } from '../upstream.ts'
import { MAIN, wantedWays } from '../way.ts'
import { examineHttp } from './answer.ts'
import { examineCredential } from './credential.ts'
import { examined, skipped } from './finding.ts'
import type { Finding } from './finding.ts'
import { examineTls } from './handshake.ts'
import { examineListeners } from './listeners.ts'
import { examineDns, examineTcp, systemResolve, targetOf } from './network.ts'
import type { Resolve } from './network.ts'
import { examinePermissions, secretFile } from './permissions.ts'
import { examineRecords } from './records.ts'
import { namedSecrets, placeOf, readSecrets } from './secrets.ts'
import type { NamedSecret, ReadSecrets } from './secrets.ts'

/** See `examineAll`. */
export interface DoctorNeeds {
  readonly clock: Clock
  /** Values of the variables that `env:` references name. */
  readonly captured: CapturedEnvironment
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The working directory, where `.env` may be. */
  readonly directory: string
  /** Default the system's resolver. */
  readonly resolve?: Resolve
}

/**
 * Looks at secrets, files, listeners, and the way to OpusDNS. Never rejects. Opens no listener, changes
 * nothing, and has one effect: for OAuth a token is asked for.
 */
export async function examineAll(settings: Settings, needs: DoctorNeeds): Promise<Finding[]> {
  const { clock } = needs
  const named = namedSecrets(settings)
  const reading = readSecrets(named, { ...needs, vendors: settings.secrets })
  const wanted = [...wantedWays(settings)]
  const bases = new Set(wanted.map(([, { base }]) => base ?? settings.upstream.base))
  const [files, listeners, records, ways, secrets] = await Promise.all([
    examinePermissions(secretFiles(settings, named, needs), clock),
    examineListeners(settings, clock),
    examineRecords(settings, clock),
    Promise.all([...bases].map((base) => examineWay(settings, base, needs))),
    reading,
  ])
  const wayTo = new Map([...bases].map((base, at) => [base, ways[at]]))
  const credentials = await Promise.all(
    wanted.map(async ([name, { base = settings.upstream.base, credential }]) => {
      const findings = await examineOne(credential, placeOf(name), wayTo.get(base), secrets, clock)
      return name === MAIN ? findings : findings.map((one) => about(one, name))
    }),
  )
  await Promise.all(ways.flatMap(({ upstream }) => upstream?.destroy() ?? []))
  const [first, ...others] = ways
  return [
    ...secrets.findings,
    ...files,
    ...listeners,
    ...records,
    ...(first?.findings ?? []),
    ...others.flatMap(({ base, findings }) => findings.map((one) => about(one, base))),
    ...credentials.flat(),
  ]
}

/** The same finding, where there are several of its kind. */
function about(finding: Finding, what: string): Finding {
  return { ...finding, check: `${finding.check}:${what}` }
}

function examineOne(
  settings: CredentialSettings,
  place: string,
  way: Way | undefined,
  { values }: ReadSecrets,
  clock: Clock,
): Promise<Finding[]> {
  const { upstream, obstacle } = way ?? {}
  if (upstream === undefined) {
    const task = { check: 'credential', side: 'remote', did: 'tried the credential' } as const
    return Promise.resolve([skipped(task, NO_UPSTREAM)])
  }
  const kind = settings.kind === 'api_key' ? 'api_key' : 'client_secret'
  const current = values.get(`${place}.${kind}`)
  const previous = values.get(`${place}.previous_${kind}`)
  return examineCredential(settings, { clock, upstream, current, previous, obstacle })
}

/** Names of what cannot be looked at without a valid configuration. */
export const NEEDS_CONFIGURATION = [
  'secret',
  'permissions',
  'listener',
  'dns',
  'tcp',
  'tls',
  'http',
  'clock',
  'credential',
] as const

const NO_UPSTREAM = 'the CA file cannot be used (see upstream)'

interface Way {
  readonly base: string
  readonly findings: readonly Finding[]
  /** `undefined` when it cannot be built. */
  readonly upstream: Upstream | undefined
  /** Why no question can be asked of it. */
  readonly obstacle: string | undefined
}

/** DNS, TCP, TLS, HTTP, clock: each only when the one before it did not fail. */
async function examineWay(settings: Settings, base: string, needs: DoctorNeeds): Promise<Way> {
  const { clock } = needs
  let upstream: Upstream | undefined
  const { caFile } = settings.upstream
  const built = await examined(
    { check: 'upstream', side: 'local', did: `read the CA file ${caFile ?? ''}`, deadline: 2_000 },
    clock,
    async () => {
      upstream = await buildUpstream(
        { upstream: { ...settings.upstream, base }, headerSize: settings.limits.headerSize },
        clock,
      )
      return { outcome: 'ok', saw: 'it holds certificates in PEM form' }
    },
  )
  const target = targetOf(base)
  const findings: Finding[] = caFile === undefined && built.outcome === 'ok' ? [] : [built]
  const dns = await examineDns(target, clock, needs.resolve ?? systemResolve)
  findings.push(dns.finding)
  let obstacle = dns.addresses.length === 0 ? 'the name has no address (see dns)' : undefined

  let addresses: readonly string[] = []
  if (obstacle === undefined) {
    const tcp = await examineTcp(target, dns.addresses, clock)
    findings.push(tcp.finding)
    ;({ addresses } = tcp)
    if (addresses.length === 0) obstacle = 'no address accepts a connection (see tcp)'
  } else findings.push(skipped(NOT_DONE.tcp, obstacle))

  const [address] = addresses
  if (!target.secure) findings.push(skipped(NOT_DONE.tls, 'the upstream is plain http on loopback'))
  else if (built.outcome === 'fail') findings.push(skipped(NOT_DONE.tls, NO_UPSTREAM))
  else if (address === undefined) findings.push(skipped(NOT_DONE.tls, obstacle ?? ''))
  else {
    const tls = await examineTls(target, address, caFile, clock)
    findings.push(tls)
    if (tls.outcome === 'fail') obstacle = 'the connection is not trusted (see tls)'
  }

  if (upstream === undefined) obstacle ??= NO_UPSTREAM
  if (obstacle !== undefined || upstream === undefined) {
    const why = obstacle ?? NO_UPSTREAM
    findings.push(skipped(NOT_DONE.http, why), skipped(NOT_DONE.clock, why))
    return { base, findings, upstream, obstacle: why }
  }
  const [http, time] = await examineHttp(upstream, clock)
  findings.push(http, time)
  return {
    base,
    findings,
    upstream,
    obstacle: http.outcome === 'fail' ? 'the upstream does not answer (see http)' : undefined,
  }
}

const NOT_DONE = {
  tcp: { check: 'tcp', side: 'remote', did: 'connect' },
  tls: { check: 'tls', side: 'remote', did: 'shake hands' },
  http: { check: 'http', side: 'remote', did: 'ask the API' },
  clock: { check: 'clock', side: 'local', did: 'compare the clocks' },
} as const

function secretFiles(
  { listen, admin }: Settings,
  named: readonly NamedSecret[],
  { environment, directory }: DoctorNeeds,
): string[] {
  const keys = [...listen, admin.listen].flatMap(({ tls }) =>
    tls === undefined ? [] : [tls.keyFile],
  )
  const secrets = named.flatMap(({ reference }) => secretFile(reference, environment) ?? [])
  const dotenv = join(directory, '.env')
  return [...secrets, ...keys, ...(existsSync(dotenv) ? [dotenv] : [])]
}
