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
import type { KnownSecrets } from './way.ts'
import type { NewSecrets } from './new-secrets.ts'
import type { Service, ServiceSettings } from './service.ts'

/** How a reload went. */
export type Reloaded =
  /** `warnings`: what could not be read again, and stays in use as it was. */
  | { readonly ok: true; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** See `reloader`. */
export interface ReloadDeps {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** Reads the configuration anew; rejects with a Fault `config_invalid` that has all problems. */
  readonly load: () => Promise<ServiceSettings>
  /** Reads the secrets that are new in it. */
  readonly secrets: (settings: ServiceSettings, before: Service) => Promise<NewSecrets>
  /** Builds the service for it, out of the present one where that is the same. */
  readonly build: (
    settings: ServiceSettings,
    before: Service,
    known: KnownSecrets,
  ) => Promise<Service>
  /** Looks at what is read again although its configuration is the same: secrets, certificates. */
  readonly refresh: () => Promise<unknown>
  /** What that could not read, in sentences. */
  readonly kept: () => readonly string[]
  readonly present: () => Service
  readonly install: (next: Service) => void
}

/** How long the look at what is configured as before may take. */
const PATIENCE = 10_000

/** What is fixed when the process starts, by key path. */
const FIXED: readonly (readonly [string, (settings: Settings) => unknown])[] = [
  ['listen', ({ listen }) => listen],
  ['admin', ({ admin }) => admin],
  ['log.level', ({ log }) => log.level],
  ['audit', ({ audit }) => audit],
  ['ledger', ({ ledger }) => ledger],
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
 * wrong while the old one stays. Calls during a reload share the one that follows it, for it
 * may have read already what they changed. Never rejects.
 */
export function reloader(deps: ReloadDeps): () => Promise<Reloaded> {
  const { log, metrics } = deps

  async function take(): Promise<void> {
    const before = deps.present()
    const loaded = await deps.load()
    const fixed = FIXED.filter(
      ([, of]) => !isDeepStrictEqual(of(before.settings), of(loaded.settings)),
    )
    const problems = fixed.map(([place]) => fixedProblem(place))
    const secrets = await deps.secrets(loaded, before)
    let next: Service | undefined
    try {
      next = await deps.build(loaded, before, secrets.known)
    } catch (error) {
      problems.push(...problemsOf(error))
    }
    problems.push(...secrets.problems)
    if (next === undefined || problems.length > 0) {
      next?.retire(before)
      throw new Fault('config_invalid', { detail: 'The configuration is not valid.', problems })
    }
    next.start()
    deps.install(next)
    before.retire(next)
    // What is configured as before may hold other values.
    await within(deps.clock, PATIENCE, deps.refresh())
  }

  async function reload(): Promise<Reloaded> {
    try {
      await take()
    } catch (error) {
      const problems = problemsOf(error)
      metrics.configReloads.inc({ result: 'refused' })
      for (const problem of problems) {
        log.error({ ...problem }, 'reload refused; the old configuration stays')
      }
      return { ok: false, problems }
    }
    metrics.configReloads.inc({ result: 'taken' })
    const warnings = deps.kept()
    log.info(warnings.length === 0 ? {} : { warnings }, 'configuration reloaded')
    return { ok: true, warnings }
  }
  return oneAfterAnother(reload)
}

function fixedProblem(place: string): Problem {
  return { place, fault: 'cannot change while the process runs', remedy: 'restart the proxy' }
}

function problemsOf(error: unknown): readonly Problem[] {
  const { message, problems } = Fault.from(error)
  return problems.length > 0
    ? problems
    : [{ place: 'reload', fault: message, remedy: 'see the log' }]
}
