// How findings are shown: as text for a person, as JSON for a machine.

import type { Finding } from '../server/doctor/finding.ts'

/** An array of {check, outcome, did, saw, remedy, ms}, a line each; `remedy` null when there is none. */
export function findingsJson(findings: readonly Finding[]): string {
  const lines = findings.map(({ check, outcome, did, saw, remedy = null, ms }) =>
    JSON.stringify({ check, outcome, did, saw, remedy, ms }),
  )
  return `[\n${lines.join(',\n')}\n]\n`
}

/** Up to four lines for each, and a summary. `ms` is how long all of it took. */
export function findingsText(findings: readonly Finding[], ms: number): string {
  const counted = (['ok', 'warn', 'fail', 'skip'] as const)
    .map((one) => `${findings.filter(({ outcome }) => outcome === one).length} ${one}`)
    .join(', ')
  const lines = findings.flatMap(({ check, outcome, did, saw, remedy, ms: took }) => [
    `${outcome.padEnd(4)}  ${check}${took > 0 ? ` (${took} ms)` : ''}`,
    ...(did === '' || outcome === 'skip' ? [] : [`      did: ${did}`]),
    `      saw: ${saw}`,
    ...(remedy === undefined ? [] : [`      do:  ${remedy}`]),
  ])
  return [...lines, '', `summary: ${counted}, in ${(ms / 1000).toFixed(1)} s`, ''].join('\n')
}
