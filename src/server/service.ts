// What serves requests under one configuration: the way to OpusDNS, the credential, and the journey. A
// reload builds the next one; this one ends what it has begun.

import { isDeepStrictEqual } from 'node:util'

import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import type { Settings } from '../config/settings.ts'
import { anonymousIdentity } from '../consumers/identity.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import { blockList } from '../policy/block-list.ts'
import { hostGuard } from '../proxy/host-guard.ts'
import { journey } from '../proxy/journey.ts'
import type { RequestListener } from '../proxy/journey.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'
import { buildCredential } from './credential.ts'
import type { BuiltCredential, KnownValues } from './credential.ts'
import { buildUpstream } from './upstream.ts'
import { usage } from './usage.ts'
import type { Usage } from './usage.ts'

/** A configuration, with the values of the variables that its `env:` references name. */
export interface ServiceSettings {
  readonly settings: Settings
  readonly captured: ReadonlyMap<string, Secret>
}

/** What all services of a process share. */
export interface ServiceDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly tokens: IssuedTokens
  /** What `exec:` takes `PATH` and `HOME` from. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly collectYoung: (() => void) | undefined
  /** Our name in `Via`. */
  readonly pseudonym: string
}

/** See the top of the file. */
export interface Service extends ServiceSettings {
  readonly serve: RequestListener
  readonly upstream: Upstream
  /** Requests that use the upstream, also those of services before. */
  readonly users: Usage
  readonly built: BuiltCredential
  /** Begins to read secrets and to try the credential; again it does nothing. */
  start(): void
  /**
   * Ends what `next` does not go on using: timers at once, connections when the last request that uses
   * them is over.
   */
  retire(next: Service): void
  /** Ends everything at once. */
  destroy(): Promise<void>
}

/**
 * Builds a service. What is configured as in `before` is taken over from it, so that a token stays in
 * use and connections stay open; `known` are values of its secrets that were read already. Reads the CA file; rejects with a Fault `config_invalid`.
 */
export async function buildService(
  { settings, captured }: ServiceSettings,
  deps: ServiceDeps,
  before?: Service,
  known: KnownValues = [],
): Promise<Service> {
  const sameWay = before !== undefined && isDeepStrictEqual(wayOf(before.settings), wayOf(settings))
  const upstream = sameWay ? before.upstream : await buildUpstream(settings, deps.clock)
  const sameCredential =
    sameWay &&
    isDeepStrictEqual(before.settings.credential, settings.credential) &&
    isDeepStrictEqual(before.settings.secrets, settings.secrets) &&
    sameValues(before.captured, captured)
  const built = sameCredential
    ? before.built
    : buildCredential(settings.credential, {
        ...deps,
        upstream,
        captured,
        vendors: settings.secrets,
        known,
      })
  const users = sameWay ? before.users : usage()
  const answer = journey(
    {
      ...settings.limits,
      queueTimeout: settings.upstream.queueTimeout,
      accessLog: settings.log.access,
      pseudonym: deps.pseudonym,
    },
    {
      ...deps,
      hostGuard: hostGuard({ hosts: [...settings.hosts, ...namesOf(settings)] }),
      identify: anonymousIdentity(deps.tokens),
      blocked: blockList(settings.policy.allow),
      credential: built.credential,
      upstream,
    },
  )

  return {
    settings,
    captured,
    serve(request, response) {
      // Its credential may be waited for, or its replay still to come: then nothing else holds the upstream.
      response.once('close', users.begin())
      answer(request, response)
    },
    upstream,
    users,
    built,
    start() {
      built.credential.start()
      built.probe.start()
    },
    retire(next) {
      if (next.built !== built) {
        built.probe.stop()
        built.credential.stop()
      }
      if (next.upstream !== upstream) users.retire(() => void upstream.close())
    },
    async destroy() {
      built.probe.stop()
      built.credential.stop()
      await upstream.destroy()
    },
  }
}

/** All that the connections to OpusDNS depend on. */
function wayOf({ upstream, limits }: Settings) {
  return { ...upstream, headerSize: limits.headerSize }
}

function sameValues(one: ReadonlyMap<string, Secret>, other: ReadonlyMap<string, Secret>): boolean {
  return (
    one.size === other.size &&
    [...one].every(([name, value]) => other.get(name)?.equals(value) === true)
  )
}

/** Host names (not wildcards) that the configuration itself listens on. */
function namesOf(settings: Settings): string[] {
  return settings.listen.flatMap((endpoint) =>
    endpoint.kind === 'tcp' && !/^[\d.:]+$/.test(endpoint.host) ? [endpoint.host] : [],
  )
}
