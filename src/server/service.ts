// What serves requests under one configuration: the way to OpusDNS, the credential, and the journey. A
// reload builds the next one; this one ends what it has begun.

import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import type { Settings } from '../config/settings.ts'
import { consumerIdentity, openIdentity } from '../consumers/identity.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Admission } from '../proxy/admission.ts'
import type { AuditTrail } from '../proxy/audit-trail.ts'
import type { Consumer } from '../proxy/consumer.ts'
import type { HeldBytes } from '../proxy/held-bytes.ts'
import { hostGuard } from '../proxy/host-guard.ts'
import { journey } from '../proxy/journey.ts'
import type { RequestListener } from '../proxy/journey.ts'
import type { Ledger } from '../store/ledger.ts'
import type { IssuedTokens } from '../store/issued-tokens.ts'
import { acceptedHosts } from './accepted-hosts.ts'
import type { BuiltCredential } from './credential.ts'
import { buildConsumers } from './consumers.ts'
import type { LedgerShelf } from './ledger-shelf.ts'
import { usage } from './usage.ts'
import { MAIN, buildWays } from './way.ts'
import type { KnownSecrets, Way } from './way.ts'

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
  /** Bounds of the process; whoever puts a service in the place of another sets them to its own. */
  readonly room: Admission
  readonly memory: HeldBytes
  /** What `exec:` takes `PATH` and `HOME` from. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly collectYoung: (() => void) | undefined
  /** `undefined` when nothing is recorded. */
  readonly trail: AuditTrail | undefined
  readonly ledgers: LedgerShelf
  /** Our name in `Via`. */
  readonly pseudonym: string
}

/** See the top of the file. */
export interface Service extends ServiceSettings {
  readonly serve: RequestListener
  /** By name, the main one first. */
  readonly ways: ReadonlyMap<string, Way>
  readonly main: Way
  readonly consumers: ReadonlyMap<string, Consumer>
  /** There when somebody has a budget. */
  readonly ledger: Ledger | undefined
  /** Begins to read secrets and to try the credential; again it does nothing. */
  start(): void
  /**
   * Ends what `next` does not go on using: timers at once, connections when the last request of this
   * service, and of those before it that had them too, is over.
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
  known?: KnownSecrets,
): Promise<Service> {
  const ways = await buildWays(settings, captured, deps, { before: before?.ways, known })
  const ledger = await deps.ledgers.open(settings)
  const consumers = buildConsumers(settings, ways, { ...deps, ledger, before: before?.consumers })
  const answer = journey(
    {
      ...settings.limits,
      accessLog: settings.log.access,
      pseudonym: deps.pseudonym,
    },
    {
      ...deps,
      hostGuard: hostGuard(acceptedHosts(settings)),
      identity:
        settings.consumers === undefined
          ? openIdentity(deps.tokens)
          : consumerIdentity(
              { consumers: settings.consumers, trustedHops: settings.trustedHops },
              deps,
            ),
      consumers,
    },
  )
  const main = ways.get(MAIN)
  if (main === undefined) throw new Error('no main way')
  const requests = usage()
  const leave = [...ways.values()].map(({ users }) => users.begin())

  return {
    settings,
    captured,
    serve(request, response) {
      // Its credential may be waited for, or its replay still to come: then nothing else holds the upstream.
      response.on('close', requests.begin())
      answer(request, response)
    },
    ways,
    main,
    consumers,
    ledger,
    start() {
      for (const { built } of ways.values()) {
        built.credential.start()
        built.probe.start()
      }
    },
    retire(next) {
      for (const way of ways.values()) retireWay(way, next.ways.get(way.name))
      requests.retire(() => {
        for (const done of leave) done()
      })
    },
    async destroy() {
      for (const { built } of ways.values()) stop(built)
      await Promise.all([...ways.values()].map(({ upstream }) => upstream.destroy()))
    },
  }
}

function retireWay({ built, upstream, users }: Way, next: Way | undefined): void {
  if (next?.built !== built) stop(built)
  if (next?.upstream !== upstream) users.retire(() => void upstream.close())
}

function stop({ probe, credential }: BuiltCredential): void {
  probe.stop()
  credential.stop()
}
