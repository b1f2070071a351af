// What was seen of one zone, and the grants that let just that pass.

import { byKey } from './by-key.ts'
import { DNS_VERBS } from './grant-options.ts'
import type { DnsVerb } from './grant-options.ts'
import { yamlList } from './yaml-list.ts'
import { ACME_LABEL } from './zone-grant.ts'

/** What was seen of one zone. */
export interface ZoneNeeds {
  reads: boolean
  /** True when more was read than an `acme` grant shows. */
  readsMore: boolean
  /** Verbs that need a grant without names and types. */
  readonly whole: Set<DnsVerb>
  /** Verbs of what is about no record. */
  readonly bare: Set<DnsVerb>
  /** Relative name, then type. */
  readonly records: Map<string, Map<string, Set<DnsVerb>>>
}

interface Cell {
  readonly name: string
  readonly type: string
  readonly verbs: ReadonlySet<DnsVerb>
}

/** The grants that one zone needs: whether `acme`, and the rest of each `dns` grant behind its zones. */
export function scopesOf(
  zone: string,
  { reads, readsMore, whole, bare, records }: ZoneNeeds,
  acmePossible: boolean,
): { readonly acme: boolean; readonly dns: readonly string[] } {
  const cells: Cell[] = []
  for (const [name, types] of records) {
    for (const [type, seen] of types) {
      const verbs = new Set([...seen].filter((one) => !whole.has(one)))
      if (verbs.size > 0) cells.push({ name, type, verbs })
    }
  }
  const isAcme = ({ name, type, verbs }: Cell) =>
    acmePossible &&
    type === 'TXT' &&
    `${name}.${zone}`.split('.').includes(ACME_LABEL) &&
    [...verbs].every((one) => one === 'upsert' || one === 'remove')
  const acme = cells.some(isAcme)
  const rest = cells.filter((cell) => !isAcme(cell))
  const done = new Set(rest.flatMap(({ verbs }) => [...verbs]))
  const open = new Set([...whole, ...[...bare].filter((one) => !done.has(one))])
  const read: DnsVerb[] =
    reads && (!acme || readsMore || rest.length > 0 || open.size > 0) ? ['read'] : []
  const dns = groupsOf(rest).map(({ names, types, verbs }) => {
    const all = open.size > 0 ? verbs : [...read, ...verbs]
    return `names: ${yamlList(names)}, types: ${yamlList(types)}, verbs: ${verbList(all)}`
  })
  if (open.size > 0 || (rest.length === 0 && read.length > 0)) {
    dns.unshift(`verbs: ${verbList([...read, ...open])}`)
  }
  return { acme, dns }
}

interface Group {
  readonly names: readonly string[]
  readonly types: readonly string[]
  readonly verbs: readonly DnsVerb[]
}

/** Names with the same types and verbs go into one grant, as do types with the same verbs. */
function groupsOf(cells: readonly Cell[]): Group[] {
  const byName = new Map<string, Map<string, string[]>>()
  for (const { name, type, verbs } of cells) {
    const key = [...verbs].toSorted().join(' ')
    const kinds = byName.get(name) ?? new Map<string, string[]>()
    byName.set(name, kinds.set(key, [...(kinds.get(key) ?? []), type].toSorted()))
  }
  const groups = new Map<string, { names: string[]; types: string[]; verbs: DnsVerb[] }>()
  for (const [name, kinds] of [...byName].toSorted(byKey)) {
    for (const [verbs, types] of kinds) {
      const key = `${verbs}/${types.join(' ')}`
      const group = groups.get(key) ?? { names: [], types, verbs: verbs.split(' ') as DnsVerb[] }
      group.names.push(name)
      groups.set(key, group)
    }
  }
  return [...groups.values()]
}

function verbList(verbs: readonly DnsVerb[]): string {
  return yamlList(DNS_VERBS.filter((verb) => verbs.includes(verb)))
}
