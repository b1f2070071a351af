// Takes a new configuration while requests are served: all of it or nothing, and nothing in flight
// notices.

import { isDeepStrictEqual } from 'node:util'

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'
import { oneAfterAnother } from '../base/single-flight.ts'
import type { Settings } from '../config/settings.ts'
import { within } from '../credentials/patience.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { Service, ServiceSettings } from './service.ts'

/** How a reload went. */
export type Reloaded =
  | { readonly ok: true }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** See `reloader`. */
export interface ReloadDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Reads the configuration anew; rejects with a Fault `config_invalid` that has all problems. */
  readonly load: () => Promise<ServiceSettings>
  /** Builds the service for it, out of the present one where that is the same. */
  readonly build: (settings: ServiceSettings, before: Service) => Promise<Service>
  /** Looks at what is read again although its configuration is the same: secrets, certificates. */
  readonly refresh: () => Promise<unknown>
  readonly present: () => Service
  readonly install: (next: Service) => void
}

/** How long a new secret may take to be read. */
const PATIENCE = 10_000

/** What is fixed when the process starts, by key path. */
const FIXED: readonly (readonly [string, (settings: Settings) => unknown])[] = [
  ['listen', ({ listen }) => listen],
  ['admin', ({ admin }) => admin],
  ['log.level', ({ log }) => log.level],
  [
    'limits of listeners (header_size, connections, and the times of connections)',
    ({ limits }) => [
      limits.headerSize,
      limits.connections,
      limits.tlsHandshakeTimeout,
      limits.requestHeadTimeout,
      limits.replyWriteTimeout,
      limits.keepAliveTimeout,
    ],
  ],
]

/**
 * Builds the function that reloads: resolves when the new configuration serves, or with all that is
 * wrong while the old one stays. Calls during a reload share the one that follows it,
 * for it may have read what they changed. Never rejects.
 */
export function reloader(deps: ReloadDeps): () => Promise<Reloaded> {
  const { log, metrics } = deps

  async function take(): Promise<void> {
    const before = deps.present()
    const loaded = await deps.load()
    const fixed = FIXED.filter(
      ([, of]) => !isDeepStrictEqual(of(before.settings), of(loaded.settings)),
    )
    if (fixed.length > 0) throw invalid(fixed.map(([place]) => fixedProblem(place)))
    const next = await deps.build(loaded, before)
    if (next.built !== before.built) await begin(next, before)
    deps.install(next)
    before.retire(next)
    // What is configured as before may hold other values.
    await within(deps.clock, PATIENCE, deps.refresh())
  }

  async function begin(next: Service, before: Service): Promise<void> {
    next.start()
    const { secrets } = next.built
    const read = Promise.any(secrets.map((secret) => secret.ready())).catch(() => undefined)
    // Of two, one is enough.
    if ((await within(deps.clock, PATIENCE, read)) === undefined) {
      next.retire(before)
      throw invalid(secrets.map((secret) => unreadable(secret.status().detail)))
    }
  }

  async function reload(): Promise<Reloaded> {
    try {
      await take()
    } catch (error) {
      const fault = Fault.from(error)
      const problems = fault.problems.length > 0 ? fault.problems : [unexpected(fault)]
      metrics.configReloads.inc({ result: 'refused' })
      for (const problem of problems) {
        log.error({ ...problem }, 'reload refused; the old configuration stays')
      }
      return { ok: false, problems }
    }
    metrics.configReloads.inc({ result: 'taken' })
    log.info({}, 'configuration reloaded')
    return { ok: true }
  }
  return oneAfterAnother(reload)
}

function invalid(problems: readonly Problem[]): Fault {
  return new Fault('config_invalid', { detail: 'The configuration is not valid.', problems })
}

function fixedProblem(place: string): Problem {
  return { place, fault: 'cannot change while the process runs', remedy: 'restart the proxy' }
}

function unreadable(detail: string): Problem {
  return { place: 'credential', fault: `cannot be read: ${detail}`, remedy: 'mend it and reload' }
}

function unexpected(fault: Fault): Problem {
  return { place: 'reload', fault: fault.message, remedy: 'see the log' }
}
