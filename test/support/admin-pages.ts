// Reads the operators' listener of a running proxy.

import type { RunningProxy } from './running-proxy.ts'

/** What `/readyz` says. */
export interface Readiness {
  readonly code: number
  readonly status: 'ready' | 'not_ready'
  readonly checks: Readonly<
    Record<
      string,
      {
        readonly ok: boolean
        readonly detail: string
        readonly facts?: Readonly<Record<string, string | number | null>>
        readonly warnings?: readonly string[]
      }
    >
  >
}

/** Asks `/readyz`. */
export async function readyz(proxy: Pick<RunningProxy, 'adminOrigin'>): Promise<Readiness> {
  const reply = await fetch(`${proxy.adminOrigin}/readyz`)
  return { code: reply.status, ...((await reply.json()) as Omit<Readiness, 'code'>) }
}

/** The text of `/metrics`. */
export async function metricsText(proxy: Pick<RunningProxy, 'adminOrigin'>): Promise<string> {
  return (await fetch(`${proxy.adminOrigin}/metrics`)).text()
}

/** One line of a metrics text. */
export interface Series {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The lines of a metrics text, without comments. */
export function seriesOf(text: string): Series[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (match === null) return []
    const pairs = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
    const labels = Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]))
    return [{ name: match[1] ?? '', labels, value: Number(match[3]) }]
  })
}

/** The sum of the series `name` (without the prefix) whose labels include `labels`. */
export function sumOf(text: string, name: string, labels: Record<string, string> = {}): number {
  return seriesOf(text)
    .filter((series) => series.name === `opusdns_proxy_${name}`)
    .filter((series) =>
      Object.entries(labels).every(([key, value]) => series.labels[key] === value),
    )
    .reduce((sum, series) => sum + series.value, 0)
}
