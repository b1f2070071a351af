// The assembly: the only place that knows every part. Builds them from the settings, opens the
// listeners, and ends everything in the right order.

import { randomBytes } from 'node:crypto'

import type { AdminDeps, adminListener as AdminListener } from '../admin/app.ts'
import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import { VERSION } from '../base/version.ts'
import type { Settings } from '../config/settings.ts'
import { auditLog } from '../observe/audit.ts'
import type { AuditLog } from '../observe/audit.ts'
import { auditFile } from '../observe/audit-file.ts'
import type { AuditSettings } from '../observe/audit-options.ts'
import { auditStdout } from '../observe/audit-stdout.ts'
import { log } from '../observe/log.ts'
import type { Log, LogSink } from '../observe/log.ts'
import { metrics } from '../observe/metrics.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { OrderedSink } from '../observe/ordered-sink.ts'
import { admission } from '../proxy/admission.ts'
import { auditTrail } from '../proxy/audit-trail.ts'
import { heldBytes } from '../proxy/held-bytes.ts'
import { hostGuard } from '../proxy/host-guard.ts'
import type { RequestListener } from '../proxy/journey.ts'
import { issuedTokens } from '../store/issued-tokens.ts'
import type { Umask } from './bind.ts'
import { budgetsLeft } from './budgets-left.ts'
import { readinessChecks } from './checks.ts'
import { failingSecrets } from './credential.ts'
import { drain } from './drain.ts'
import { firstReads } from './first-reads.ts'
import { ledgerShelf } from './ledger-shelf.ts'
import { sharedBounds, upstreamLimits } from './limits.ts'
import { openListeners } from './listeners.ts'
import type { Listeners } from './listeners.ts'
import { keptAsTheyWere, readNewSecrets } from './new-secrets.ts'
import { reloader } from './reload.ts'
import type { Reloaded } from './reload.ts'
import { buildService } from './service.ts'
import type { ServiceDeps, ServiceSettings } from './service.ts'

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
  /** Sets the file mode mask, so that no stranger may open a new unix socket for even a moment. */
  readonly umask?: Umask | undefined
  /** Stdout, when audit records go there. */
  readonly stdout?: Pick<OrderedSink, 'writeNow'> | undefined
  /** Reads the configuration anew, for a reload; without it only secrets and certificates are. */
  readonly load?: (() => Promise<ServiceSettings>) | undefined
}

/** A proxy that serves. */
export interface RunningProxy {
  /** Addresses of the listeners, with real ports. */
  readonly listen: readonly string[]
  readonly admin: string
  readonly log: Log
  /**
   * Reads configuration, secrets and certificates anew, and serves with them: all, or nothing of them.
   * A secret or certificate that cannot be read where its configuration is the same keeps its last good
   * value. Never rejects.
   */
  reload(): Promise<Reloaded>
  /**
   * Drains: readiness off, then no new connections, then the end of the requests in flight, at the
   * latest at the deadline. Resolves when everything is closed. Calling it again changes nothing.
   */
  stop(): Promise<void>
}

// One hour, as OpusDNS itself has it; a client that logs in before each request fills 10,000 soon,
// and loses nothing when its oldest goes.
const LOCAL_TOKENS = { life: 3_600_000, max: 10_000 }

/**
 * Starts the proxy; resolves when all listeners are open, whatever the upstream does. They open when the
 * secrets were read or could not be, or after 5 s; until then nothing is accepted.
 */
export async function startProxy(settings: Settings, world: ProxyWorld): Promise<RunningProxy> {
  const { clock } = world
  const startedAt = clock.now()
  const journal = log({ level: settings.log.level }, world.sink, clock)
  const numbers = metrics({
    version: VERSION,
    node: world.node,
    tokenExpiry() {
      return new Map(
        [...service.ways.values()].flatMap(({ built: { credential } }) => {
          const left = credential.kind === 'oauth' ? credential.status().expiresIn : undefined
          return left === undefined ? [] : [[credential.name, left / 1000] as const]
        }),
      )
    },
    secretsFailing: () => [...service.ways.values()].flatMap(({ built }) => failingSecrets(built)),
    serving() {
      const pairs = [...service.ways.values()].filter(({ built }) => built.secrets.length > 1)
      return new Map(
        pairs.map(({ built: { credential } }) => [credential.name, credential.status().serving]),
      )
    },
    connections: () => opened.connections(),
    budgetLeft: () => budgetsLeft(service, clock),
    upstreamLimits: () => upstreamLimits(service.ways.values()),
    logLost: () => world.sink.lost?.() ?? 0,
  })
  const audit =
    settings.audit && auditing(settings.audit, world, { log: journal, metrics: numbers })
  const deps: ServiceDeps = {
    clock,
    log: journal,
    metrics: numbers,
    tokens: issuedTokens(LOCAL_TOKENS, clock),
    room: admission(sharedBounds(settings), clock),
    memory: heldBytes(sharedBounds(settings)),
    environment: world.environment,
    collectYoung: world.collectYoung,
    trail: audit && auditTrail(audit),
    ledgers: ledgerShelf({ clock, log: journal }),
    // Unique, so that a sidecar may stand behind a gateway of the same program.
    pseudonym: `opusdns-auth-proxy-${randomBytes(4).toString('hex')}`,
  }
  let service = await buildService({ settings, captured: world.captured }, deps)
  const listening: string[] = []
  let draining = false
  const checks = () =>
    readinessChecks([...service.ways.values()], {
      draining,
      audit: audit?.status(),
      ledger: deps.ledgers.status(),
      certificates: opened.certificates(),
      now: clock.wall(),
    })
  const serve: RequestListener = (request, response) => service.serve(request, response)
  const secrets = () => [...service.ways.values()].flatMap(({ built }) => built.secrets)
  const refresh = () => {
    audit?.reopen()
    return Promise.all([...secrets().map((secret) => secret.refresh()), opened.reload()])
  }
  const kept = () => keptAsTheyWere(secrets(), opened.certificates())
  const { load } = world
  const reload =
    load &&
    reloader({
      clock,
      log: journal,
      metrics: numbers,
      load,
      secrets: (next, before) => readNewSecrets(next, before, deps),
      build: (next, before, known) => buildService(next, deps, before, known),
      refresh,
      kept,
      present: () => service,
      install(next) {
        service = next
        const bounds = sharedBounds(next.settings)
        deps.room.resize(bounds)
        deps.memory.resize(bounds)
      },
    })

  const adminGuard = hostGuard({ hosts: settings.admin.hosts })
  const pages = lazyAdmin({
    checks,
    facts: () => ({
      version: VERSION,
      upstream: service.main.upstream.origin,
      listen: listening,
      uptime: Math.floor((clock.now() - startedAt) / 1000),
    }),
    metrics: { text: () => numbers.text(), contentType: numbers.contentType },
    // The authority of an absolute target would win over Host; nobody asks a listener of its own so.
    reload: async () => (reload === undefined ? undefined : reload()),
    hostAllowed: ({ url, headers, socket }) =>
      url?.startsWith('/') === true && adminGuard(headers.host ?? '', socket),
  })

  async function begin(): Promise<Listeners> {
    audit?.start()
    service.start()
    await firstReads(secrets(), { clock, log: journal })
    // The admin listener, which asks it, opens last.
    return openListeners(
      settings,
      {
        clock,
        log: journal,
        metrics: numbers,
        umask: world.umask,
        identifies: () => service.settings.consumers !== undefined,
      },
      { clients: serve, admin: pages },
    )
  }
  async function end(): Promise<void> {
    await service.destroy()
    audit?.stop()
    await deps.ledgers.close()
  }
  const opened = await begin().catch(async (error: unknown) => {
    await end()
    journal.flush()
    throw error
  })
  const { clients, admin } = opened
  listening.push(...clients.map((listener) => listener.address))

  async function close(): Promise<void> {
    draining = true
    journal.info({}, 'draining')
    const outcome = await drain(clients, service.settings.shutdown, clock)
    if (outcome === 'cut') journal.warn({}, 'the deadline came before the last request ended')
    opened.stop()
    admin.stopAccepting()
    admin.destroy()
    await end()
    journal.info({}, 'stopped')
    journal.flush()
  }
  let closing: Promise<void> | undefined
  return {
    listen: listening,
    admin: admin.address,
    log: journal,
    async reload() {
      if (reload !== undefined) return reload()
      await refresh()
      return { ok: true, warnings: kept() }
    },
    stop() {
      closing ??= close()
      return closing
    },
  }
}

/** The audit log that the settings ask for. */
function auditing(
  { to, refuse }: AuditSettings,
  { clock, stdout }: ProxyWorld,
  deps: { readonly log: Log; readonly metrics: Metrics },
): AuditLog {
  if (to.kind === 'file') {
    return auditLog({ refuse }, { ...deps, clock, sink: auditFile(to, { clock, log: deps.log }) })
  }
  if (stdout === undefined) throw new Error('no stdout to write records to')
  return auditLog({ refuse }, { ...deps, clock, sink: auditStdout(stdout) })
}

/** The admin pages, loaded by the first request for them: their web classes cost 10 MB. */
function lazyAdmin(deps: AdminDeps): ReturnType<typeof AdminListener> {
  let pages: Promise<ReturnType<typeof AdminListener>> | undefined
  return function admin(request, response) {
    pages ??= import('../admin/app.ts').then(({ adminListener }) => adminListener(deps))
    pages.then(
      (serve) => serve(request, response),
      () => {
        // For want of a file descriptor, perhaps: the next visitor may have more luck.
        pages = undefined
        response.destroy()
      },
    )
  }
}
