// A counter for the hot path. prom-client hashes a label object at each increment; here a count costs
// one look-up, and is folded into the real counter when somebody scrapes.

import { Counter } from 'prom-client'
import type { Registry } from 'prom-client'

/** See `tally`. */
export interface TallyOptions<Label extends string> {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
}

/** One series of a counter. */
export interface Series {
  /** Increments since the last scrape; add to it. */
  count: number
}

/**
 * Registers a counter and returns the function that finds the series for `key`. `key` must tell
 * series apart as the labels do; `labels` is called once for each.
 */
export function tally<Label extends string>(
  options: TallyOptions<Label>,
  registry: Registry,
): (key: string, labels: () => Record<Label, string>) => Series {
  const all = new Map<string, Series & { readonly labels: Record<Label, string> }>()
  new Counter({
    name: options.name,
    help: options.help,
    labelNames: [...options.labelNames],
    registers: [registry],
    collect() {
      for (const series of all.values()) {
        if (series.count > 0) this.inc(series.labels, series.count)
        series.count = 0
      }
    },
  })
  return function seriesOf(key, labels) {
    let series = all.get(key)
    if (series === undefined) {
      series = { count: 0, labels: labels() }
      all.set(key, series)
    }
    return series
  }
}
