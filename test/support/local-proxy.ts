// The whole proxy inside the test's own process, on free ports, with its log at hand. For journeys
// that need no process of their own: it starts in milliseconds.

import { systemClock } from '../../src/base/clock.ts'
import { loadSettings } from '../../src/config/load.ts'
import { startProxy } from '../../src/server/proxy.ts'
import { SEED_CLIENT, SEED_KEY } from '../opusdns/seed.ts'
import { metricsText, sumOf } from './admin-pages.ts'
import { eventually } from './eventually.ts'
import type { LogLine } from './program.ts'

/** See `localProxy`. */
export interface LocalProxyOptions {
  /** Origin of the upstream. */
  readonly base: string
  /**
   * Which of the simulator's seed credentials is used, or the variables that name another. Default
   * `key`.
   */
  readonly credential?: 'key' | 'oauth' | Readonly<Record<string, string>>
  /** Text of the configuration file, without `shutdown`. */
  readonly config?: string
  /** `OPUSDNS_PROXY_LISTEN`; default one free port. */
  readonly listen?: string
}

/** A proxy that serves. */
export interface LocalProxy {
  /** Addresses as the ready line would say them. */
  readonly listen: readonly string[]
  /** Port of the first address. */
  readonly port: number
  readonly adminOrigin: string
  /** Live. */
  readonly lines: readonly LogLine[]
  /** The newest access line that satisfies `predicate`; waits for it. */
  accessLine(predicate: (line: LogLine) => boolean): Promise<LogLine>
  /** The sum of the series `name` of `/metrics` (without the prefix) whose labels include `labels`. */
  metric(name: string, labels?: Record<string, string>): Promise<number>
  stop(): Promise<void>
}

/** Starts a proxy; it must be stopped. */
export async function localProxy(options: LocalProxyOptions): Promise<LocalProxy> {
  const lines: LogLine[] = []
  const { settings, captured } = await loadSettings({
    env: {
      ...variablesOf(options.credential ?? 'key'),
      OPUSDNS_API_BASE: options.base,
      // The environment would win over addresses in the file.
      ...(/^listen:/m.test(options.config ?? '')
        ? {}
        : { OPUSDNS_PROXY_LISTEN: options.listen ?? '127.0.0.1:0' }),
      OPUSDNS_PROXY_ADMIN: '127.0.0.1:0',
    },
    file: { path: 'test.yaml', text: `shutdown: { deadline: 200ms }\n${options.config ?? ''}` },
  })
  const proxy = await startProxy(settings, {
    clock: systemClock,
    sink: { write: (line) => void lines.push(JSON.parse(line) as LogLine) },
    captured,
    environment: {},
    node: process.versions.node,
    collectYoung: undefined,
  })
  const portOf = (address: string) => Number(/:(\d+)$/.exec(address)?.[1])
  const adminOrigin = `http://${proxy.admin}`
  return {
    listen: proxy.listen,
    port: portOf(proxy.listen[0] ?? ''),
    adminOrigin,
    lines,
    async accessLine(predicate) {
      const found = await eventually(
        () => lines.findLast((line) => line['msg'] === 'request' && predicate(line)) ?? false,
      )
      return found as LogLine
    },
    async metric(name, labels) {
      return sumOf(await metricsText({ adminOrigin }), name, labels)
    },
    stop: () => proxy.stop(),
  }
}

function variablesOf(
  credential: LocalProxyOptions['credential'],
): Readonly<Record<string, string>> {
  if (credential === 'key') return { OPUSDNS_API_KEY: SEED_KEY.key }
  if (credential !== 'oauth') return { ...credential }
  return { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret }
}
