// The numbers that operators watch, and the home of prom-client. Labels are bounded: a consumer, an
// operation template, a code; never a raw path, zone or id.

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

import { credentialGauges } from './credential-gauges.ts'
import type { CredentialReadings } from './credential-gauges.ts'
import { purchaseMetrics } from './purchase-metrics.ts'
import type { PurchaseCounter } from './purchase-metrics.ts'
import { tally } from './tally.ts'
import { upstreamGauges } from './upstream-gauges.ts'
import type { UpstreamLimitSample } from './upstream-gauges.ts'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60]

/** What one finished request adds to the metrics. */
export interface RequestSample {
  readonly consumer: string
  readonly method: string
  /** Template of the operation, or `unknown`. */
  readonly operation: string
  /** Status of the reply as text; `499` when the client left before there was one. */
  readonly code: string
  readonly source: 'upstream' | 'proxy' | 'policy' | 'token'
  /** Seconds from the request head to the end of the reply. */
  readonly seconds: number
  /** Seconds from the request's first byte upstream to the reply head; `undefined` if never sent. */
  readonly upstreamSeconds: number | undefined
}

/** All metrics of the process, and their text form. */
export interface Metrics {
  readonly tokenRequests: Counter<'credential' | 'result' | 'cause'>
  readonly tokenLastSuccess: Gauge<'credential'>
  readonly tokenRefreshFailing: Gauge<'credential'>
  /** Seconds since 1970; no sample while the key never expires, or OpusDNS has not said. */
  readonly keyExpiry: Gauge<'credential'>
  readonly replays: Counter<'outcome'>
  readonly purchases: PurchaseCounter
  /** Audit records that could not be written. */
  readonly auditLost: Counter
  readonly configReloads: Counter<'result'>
  readonly secretReloads: Counter<'source' | 'result'>
  /** Seconds since 1970. */
  readonly certificateExpiry: Gauge<'listener'>
  readonly certificateReloads: Counter<'listener' | 'result'>
  /** Counts one finished request. The hot path: one map look-up per metric. */
  request(sample: RequestSample): void
  /** Counts one decision of the policy. */
  decision(consumer: string, decision: 'allow' | 'deny', mode: 'enforce' | 'report'): void
  /** Counts a request or connection that ran into `limit` (the name of the option). */
  limitHit(limit: string): void
  /** Counts a request that could not be read, and so never became an exchange. */
  unreadable(code: string): void
  /** Requests in flight; the caller adds and takes away. */
  inflight(change: 1 | -1): void
  /** Prometheus text exposition format. */
  text(): Promise<string>
  readonly contentType: string
}

interface Timing {
  readonly whole: Histogram.Internal<'method' | 'operation'>
  readonly upstream: Histogram.Internal<'method' | 'operation'>
}

/** Whether the latest read of a secret failed; also while it was never read. */
export interface FailingSecret {
  readonly credential: string
  readonly secret: 'current' | 'previous'
  readonly failing: boolean
}

/** See `metrics`. */
export interface MetricsOptions extends CredentialReadings {
  /** Versions of the program and of Node.js, for `build_info`. */
  readonly version: string
  readonly node: string
  /** Read at each scrape: every secret of the credentials in use. */
  readonly secretsFailing: () => readonly FailingSecret[]
  /** Read at each scrape: open connections of clients by listener address. */
  readonly connections: () => ReadonlyMap<string, number>
  /** Read at each scrape: purchases left by consumer. */
  readonly budgetLeft?: () => Promise<ReadonlyMap<string, number>>
  /** Read at each scrape: what the limit toward OpusDNS is, by credential. */
  readonly upstreamLimits: () => ReadonlyMap<string, UpstreamLimitSample>
  /** Read at each scrape: log lines that could not be written so far. */
  readonly logLost: () => number
}

/** Builds a registry of its own, so that two proxies in one process do not share numbers. */
export function metrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const name = (suffix: string) => `opusdns_proxy_${suffix}`
  collectDefaultMetrics({ register: registry })

  const requests = tally(
    {
      name: name('requests_total'),
      help: 'Finished requests by consumer, method, operation, status and the part that answered.',
      labelNames: ['consumer', 'method', 'operation', 'code', 'source'],
    },
    registry,
  )
  const decisions = tally(
    {
      name: name('policy_decisions_total'),
      help: 'Decisions of the policy.',
      labelNames: ['consumer', 'decision', 'mode'],
    },
    registry,
  )
  const duration = new Histogram({
    name: name('request_duration_seconds'),
    help: 'From the request head to the end of the reply.',
    labelNames: ['method', 'operation'],
    buckets: SECONDS,
    registers,
  })
  const upstreamDuration = new Histogram({
    name: name('upstream_duration_seconds'),
    help: 'From the request on its way upstream to the head of the reply.',
    labelNames: ['method', 'operation'],
    buckets: SECONDS,
    registers,
  })
  const limitHits = new Counter({
    name: name('limit_hits_total'),
    help: 'Requests and connections that ran into a limit, by the name of its option.',
    labelNames: ['limit'],
    registers,
  })
  new Gauge({
    name: name('connections'),
    help: 'Open connections of clients by listener.',
    labelNames: ['listener'],
    registers,
    collect() {
      this.reset()
      for (const [listener, count] of options.connections()) this.set({ listener }, count)
    },
  })
  let flying = 0
  new Gauge({
    name: name('inflight_requests'),
    help: 'Requests that are being served now.',
    registers,
    collect() {
      this.set(flying)
    },
  })
  new Counter({
    name: name('log_lines_lost_total'),
    help: 'Log lines that could not be written: a reader that stalls, a full disk.',
    registers,
    collect() {
      this.reset()
      this.inc(options.logLost())
    },
  })
  new Gauge({
    name: name('build_info'),
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: options.version, node: options.node }, 1)

  credentialGauges(registry, options)
  new Gauge({
    name: name('secret_failing'),
    help: '1 while a secret cannot be read from its place, else 0; its last good value stays in use.',
    labelNames: ['credential', 'secret'],
    registers,
    collect() {
      this.reset()
      for (const { credential, secret, failing } of options.secretsFailing()) {
        this.set({ credential, secret }, failing ? 1 : 0)
      }
    },
  })

  upstreamGauges(options.upstreamLimits, registry)

  // By method and operation; prom-client's own look-up would build an object for each.
  const timings = new Map<string, Timing>()

  function timingOf(method: string, operation: string): Timing {
    const key = `${method} ${operation}`
    let timing = timings.get(key)
    if (timing === undefined) {
      timing = {
        whole: duration.labels({ method, operation }),
        upstream: upstreamDuration.labels({ method, operation }),
      }
      timings.set(key, timing)
    }
    return timing
  }

  return {
    tokenRequests: new Counter({
      name: name('token_requests_total'),
      help: 'Requests to the token endpoint by result and cause.',
      labelNames: ['credential', 'result', 'cause'],
      registers,
    }),
    tokenLastSuccess: new Gauge({
      name: name('token_last_success_timestamp_seconds'),
      help: 'When the token endpoint last handed out a usable token.',
      labelNames: ['credential'],
      registers,
    }),
    tokenRefreshFailing: new Gauge({
      name: name('token_refresh_failing'),
      help: '1 while the last try to get a token failed, else 0.',
      labelNames: ['credential'],
      registers,
    }),
    keyExpiry: new Gauge({
      name: name('key_expiry_timestamp_seconds'),
      help: 'When the key expires by the word of OpusDNS.',
      labelNames: ['credential'],
      registers,
    }),
    purchases: purchaseMetrics(registry, options.budgetLeft),
    replays: new Counter({
      name: name('replays_total'),
      help: 'Requests that the upstream answered with 401 and what became of them.',
      labelNames: ['outcome'],
      registers,
    }),
    auditLost: new Counter({
      name: name('audit_lost_total'),
      help: 'Audit records that could not be written: a full disk, a reader that stalls.',
      registers,
    }),
    configReloads: new Counter({
      name: name('config_reloads_total'),
      help: 'Reloads of the configuration by result.',
      labelNames: ['result'],
      registers,
    }),
    secretReloads: new Counter({
      name: name('secret_reloads_total'),
      help: 'Reads of secrets by kind of source and result.',
      labelNames: ['source', 'result'],
      registers,
    }),
    certificateExpiry: new Gauge({
      name: name('certificate_expiry_timestamp_seconds'),
      help: 'When the certificate that a TLS listener shows expires.',
      labelNames: ['listener'],
      registers,
    }),
    certificateReloads: new Counter({
      name: name('certificate_reloads_total'),
      help: 'Changes of the certificate files of a TLS listener by result.',
      labelNames: ['listener', 'result'],
      registers,
    }),
    request(sample) {
      const { consumer, method, operation, code, source } = sample
      const key = `${consumer} ${method} ${code} ${source} ${operation}`
      requests(key, () => ({ consumer, method, operation, code, source })).count += 1
      const timing = timingOf(method, operation)
      timing.whole.observe(sample.seconds)
      if (sample.upstreamSeconds !== undefined) timing.upstream.observe(sample.upstreamSeconds)
    },
    decision(consumer, decision, mode) {
      const key = `${consumer} ${decision} ${mode}`
      decisions(key, () => ({ consumer, decision, mode })).count += 1
    },
    limitHit: (limit) => limitHits.inc({ limit }),
    unreadable(code) {
      const none = { consumer: 'none', method: 'other', operation: 'unknown', source: 'proxy' }
      requests(`unreadable ${code}`, () => ({ ...none, code })).count += 1
    },
    inflight(change) {
      flying += change
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
