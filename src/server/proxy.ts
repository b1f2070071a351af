// The assembly: the only place that knows every part. Builds them from the settings, opens the
// listeners, and ends everything in the right order.

import { randomBytes } from 'node:crypto'

import type { AdminDeps, adminListener as AdminListener } from '../admin/app.ts'
import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import { VERSION } from '../base/version.ts'
import type { Settings } from '../config/settings.ts'
import { anonymousIdentity } from '../consumers/identity.ts'
import { log } from '../observe/log.ts'
import type { Log, LogSink } from '../observe/log.ts'
import { metrics } from '../observe/metrics.ts'
import { blockList } from '../policy/block-list.ts'
import { hostGuard } from '../proxy/host-guard.ts'
import { journey } from '../proxy/journey.ts'
import { issuedTokens } from '../store/issued-tokens.ts'
import { readinessChecks } from './checks.ts'
import { buildCredential } from './credential.ts'
import { drain } from './drain.ts'
import { openListener } from './listener.ts'
import type { Listener } from './listener.ts'
import { buildUpstream } from './upstream.ts'

/** What the proxy needs from the world around it. */
export interface ProxyWorld {
  readonly clock: Clock
  readonly sink: LogSink
  /** Values of the variables that `env:` references name. */
  readonly captured: ReadonlyMap<string, Secret>
  /** What `exec:` takes `PATH` and `HOME` from. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Version of Node.js, for the metric `build_info`. */
  readonly node: string
  /** Frees young objects at once; `undefined` when the process cannot. */
  readonly collectYoung: (() => void) | undefined
}

/** A proxy that serves. */
export interface RunningProxy {
  /** Addresses of the listeners, with real ports. */
  readonly listen: readonly string[]
  readonly admin: string
  readonly log: Log
  /**
   * Drains: readiness off, then no new connections, then the end of the requests in flight, at the
   * latest at the deadline. Resolves when everything is closed. Calling it again changes nothing.
   */
  stop(): Promise<void>
}

// One hour, as OpusDNS itself has it; a client that logs in before each request fills 10,000 soon,
// and loses nothing when its oldest goes.
const LOCAL_TOKENS = { life: 3_600_000, max: 10_000 }

/** Starts the proxy; resolves when all listeners are open, whatever the upstream does. */
export async function startProxy(settings: Settings, world: ProxyWorld): Promise<RunningProxy> {
  const { clock } = world
  const startedAt = clock.now()
  const journal = log({ level: settings.log.level }, world.sink, clock)
  const numbers = metrics({
    version: VERSION,
    node: world.node,
    tokenExpiry() {
      const { name, kind, status } = built.credential
      const left = kind === 'oauth' ? status().expiresIn : undefined
      return left === undefined ? new Map() : new Map([[name, left / 1000]])
    },
    logLost: () => world.sink.lost?.() ?? 0,
  })
  const opusdns = await buildUpstream(settings, clock)
  const built = buildCredential(settings.credential, {
    clock,
    log: journal,
    metrics: numbers,
    upstream: opusdns,
    captured: world.captured,
    environment: world.environment,
  })
  const tokens = issuedTokens(LOCAL_TOKENS, clock)
  const listening: string[] = []
  let draining = false
  const checks = () => readinessChecks(built, draining)

  const serve = journey(
    {
      replayBodySize: settings.limits.replayBodySize,
      requestBodyIdleTimeout: settings.limits.requestBodyIdleTimeout,
      inFlight: settings.limits.inFlight,
      accessLog: settings.log.access,
      // Unique, so that a sidecar may stand behind a gateway of the same program.
      pseudonym: `opusdns-auth-proxy-${randomBytes(4).toString('hex')}`,
    },
    {
      clock,
      log: journal,
      metrics: numbers,
      hostGuard: hostGuard({ hosts: [...settings.hosts, ...namesOf(settings)] }),
      identify: anonymousIdentity(tokens),
      blocked: blockList(settings.policy.allow),
      tokens,
      credential: built.credential,
      upstream: opusdns,
      collectYoung: world.collectYoung,
    },
  )
  const adminGuard = hostGuard({ hosts: settings.admin.hosts })
  const pages = lazyAdmin({
    checks,
    facts: () => ({
      version: VERSION,
      upstream: opusdns.origin,
      listen: listening,
      uptime: Math.floor((clock.now() - startedAt) / 1000),
    }),
    metrics: { text: () => numbers.text(), contentType: numbers.contentType },
    hostAllowed: ({ headers, socket }) => adminGuard(headers.host ?? '', socket),
  })

  const limits = settings.limits
  const open: Listener[] = []
  let admin: Listener
  try {
    for (const endpoint of settings.listen) {
      // oxlint-disable-next-line no-await-in-loop -- the first that fails is the one to report
      open.push(await openListener({ ...limits, endpoint }, clock, serve))
    }
    admin = await openListener({ ...limits, endpoint: settings.admin.listen }, clock, pages)
  } catch (error) {
    for (const listener of open) {
      listener.stopAccepting()
      listener.destroy()
    }
    throw error
  }
  listening.push(...open.map((listener) => listener.address))
  built.credential.start()
  built.probe.start()

  async function close(): Promise<void> {
    draining = true
    journal.info({}, 'draining')
    const outcome = await drain(open, settings.shutdown, clock)
    if (outcome === 'cut') journal.warn({}, 'the deadline came before the last request ended')
    built.probe.stop()
    built.credential.stop()
    admin.stopAccepting()
    admin.destroy()
    await opusdns.destroy()
    journal.info({}, 'stopped')
    journal.flush()
  }
  let closing: Promise<void> | undefined
  return {
    listen: listening,
    admin: admin.address,
    log: journal,
    stop() {
      closing ??= close()
      return closing
    },
  }
}

/** The admin pages, loaded by the first request for them: their web classes cost 10 MB. */
function lazyAdmin(deps: AdminDeps): ReturnType<typeof AdminListener> {
  let pages: Promise<ReturnType<typeof AdminListener>> | undefined
  return function admin(request, response) {
    pages ??= import('../admin/app.ts').then(({ adminListener }) => adminListener(deps))
    pages.then(
      (serve) => serve(request, response),
      () => response.destroy(),
    )
  }
}

/** Host names (not wildcards) that the configuration itself listens on. */
function namesOf(settings: Settings): string[] {
  return settings.listen.flatMap((endpoint) =>
    endpoint.kind === 'tcp' && !/^[\d.:]+$/.test(endpoint.host) ? [endpoint.host] : [],
  )
}
