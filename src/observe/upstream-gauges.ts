// What the limit toward OpusDNS is, for each credential.

import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

/** The limit toward OpusDNS of one credential. */
export interface UpstreamLimitSample {
  /** Requests at once at most. */
  readonly places: number
  /** Requests that wait. */
  readonly waiting: number
  /** Seconds until OpusDNS may be asked again; 0 for now. */
  readonly held: number
}

/** Adds the gauges to `registry`; `read` is called at each scrape, and answers by credential. */
export function upstreamGauges(
  read: () => ReadonlyMap<string, UpstreamLimitSample>,
  registry: Registry,
): void {
  function gauge(
    suffix: string,
    help: string,
    value: (sample: UpstreamLimitSample) => number,
  ): void {
    new Gauge({
      name: `opusdns_proxy_upstream_${suffix}`,
      help,
      labelNames: ['credential'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [credential, sample] of read()) this.set({ credential }, value(sample))
      },
    })
  }
  gauge('limit', 'Requests to OpusDNS at once at most.', ({ places }) => places)
  gauge('waiting', 'Requests that wait for their turn.', ({ waiting }) => waiting)
  gauge('held_seconds', 'Until OpusDNS may be asked again.', ({ held }) => held)
}
