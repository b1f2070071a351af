// What `doctor` says of the process itself: its Node.js, ways to its memory, and what it may use. It
// speaks of this process; a service manager may give the proxy other limits.

import { readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'

import { NODE_FLOOR, atLeast } from '../base/version.ts'
import type { Settings } from '../config/settings.ts'
import { connectionBounds, descriptorsLeft } from '../server/descriptors.ts'
import { skipped, weighed } from '../server/doctor/finding.ts'
import type { Finding, Verdict } from '../server/doctor/finding.ts'
import { hygieneProblems } from './hygiene.ts'
import type { World } from './world.ts'

const MIB = 1024 * 1024
/** What docs/kubernetes.md gives it; under load it uses some 170. */
const ENOUGH_MIB = 256
const CGROUP = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'] as const

/** Looks at the process; `settings` undefined when there are no valid ones. Reads three small files. */
export function examineProcess(
  world: Pick<World, 'facts' | 'node'>,
  settings: Pick<Settings, 'listen' | 'limits' | 'upstream'> | undefined,
): Finding[] {
  const odd = hygieneProblems(world.facts()).map(({ place, fault, remedy }) =>
    finding('process', 'looked for ways into its memory', {
      outcome: 'warn',
      saw: `${place} ${fault}`,
      remedy: `${remedy}.`,
    }),
  )
  const sound = finding('process', 'looked for ways into its memory', {
    outcome: 'ok',
    saw: 'none is open',
  })
  return [
    finding('node', 'compared the version of Node.js', nodeVerdict(world.node)),
    ...(odd.length === 0 ? [sound] : odd),
    finding('memory', 'looked at the limits of memory', memoryVerdict(memoryLimit())),
    descriptors(settings),
  ]
}

function nodeVerdict(node: string): Verdict {
  if (atLeast(node, NODE_FLOOR)) return { outcome: 'ok', saw: `${node}, at least ${NODE_FLOOR}` }
  return {
    outcome: 'fail',
    saw: `${node}, older than ${NODE_FLOOR}`,
    remedy: 'Install a newer one.',
  }
}

/** `limit` in bytes; `undefined` for none. */
function memoryVerdict(limit: number | undefined): Verdict {
  const heap = `JavaScript may use ${Math.round(getHeapStatistics().heap_size_limit / MIB)} MiB`
  if (limit === undefined) return { outcome: 'ok', saw: `no limit of the control group; ${heap}` }
  const mib = Math.floor(limit / MIB)
  const remedy = `Give it ${ENOUGH_MIB} MiB: under load it uses some 170.`
  return weighed(
    `the control group may use ${mib} MiB; ${heap}`,
    mib < ENOUGH_MIB ? [{ outcome: 'warn', remedy }] : [],
  )
}

function memoryLimit(): number | undefined {
  for (const path of CGROUP) {
    try {
      const limit = Number(readFileSync(path, 'latin1'))
      // Version 1 writes a number beyond all memory for none.
      return Number.isSafeInteger(limit) ? limit : undefined
    } catch {
      // Not this version of control groups, or not Linux.
    }
  }
  return undefined
}

function descriptors(
  settings: Pick<Settings, 'listen' | 'limits' | 'upstream'> | undefined,
): Finding {
  const did = 'counted the files that the process may still open'
  if (settings === undefined) {
    return skipped({ check: 'descriptors', side: 'local', did }, 'the configuration is not valid')
  }
  const left = descriptorsLeft()
  const { connections } = settings.limits
  const listeners = settings.listen.length + 1
  const bounds = connectionBounds({
    connections,
    listeners,
    upstream: settings.upstream.connections,
    left,
  })
  const enough = bounds.connections >= connections
  const saw = `${left === Infinity ? 'no limit' : left}; ${enough ? 'enough' : `not enough`} for limits.connections (${connections}) on ${listeners} listeners`
  const remedy = `Raise the limit (ulimit -n, LimitNOFILE), or the proxy serves ${bounds.connections} connections on each.`
  return finding('descriptors', did, weighed(saw, enough ? [] : [{ outcome: 'warn', remedy }]))
}

function finding(check: string, did: string, { outcome, saw, remedy }: Verdict): Finding {
  return { check, side: 'local', did, outcome, saw, remedy, ms: 0 }
}
