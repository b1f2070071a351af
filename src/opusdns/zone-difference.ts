// The difference that a write would make to a zone, as OpusDNS documents its operations: `records` adds
// and takes away single records, `rrsets` replaces all of one name and type, PUT replaces all that is
// not protected. A forecast: only OpusDNS knows how it checks and rewrites what it is sent.

import { draftRrset } from './zone-draft.ts'
import type { DraftRrset, ZoneRrset } from './zone-draft.ts'
import type { RecordWrite, ZoneWrite } from './zone-write.ts'

/** One record that would be different. */
export interface RecordDifference {
  readonly action: 'create' | 'delete' | 'change'
  /** With a final dot. */
  readonly name: string
  readonly type: string
  /** What it would be; what it was, if deleted. `null` where the request leaves it to OpusDNS. */
  readonly ttl: number | null
  readonly rdata: string
  /** What it was, if changed. */
  readonly old_ttl?: number | null
}

/** See `zoneDifference`. */
export interface ZoneDifference {
  /** With a final dot. */
  readonly zone: string
  /** What happens to the zone itself. */
  readonly zone_action: 'create' | 'delete' | null
  readonly changes: readonly RecordDifference[]
  /** Sentences about what is odd, or cannot be foretold. */
  readonly warnings: readonly string[]
}

/** The warnings that are listed. */
const MOST_WARNINGS = 100

/** The difference that `write` would make to a zone with `present`; `undefined`: there is none yet. */
export function zoneDifference(
  write: ZoneWrite,
  present: readonly ZoneRrset[] | undefined,
): ZoneDifference {
  const { kind, zone } = write
  const warnings = new Set<string>()
  const before = new Map((present ?? []).map((rrset) => [keyOf(rrset.name, rrset.type), rrset]))
  if (kind === 'create' && present !== undefined) {
    return {
      zone: `${zone}.`,
      zone_action: null,
      changes: [],
      warnings: ['The zone exists already, so that OpusDNS would refuse to create it.'],
    }
  }
  const after = new Map<string, DraftRrset>()
  for (const [key, one] of before) {
    const stays = kind === 'replace' ? isKept(one, zone) : kind !== 'delete'
    if (stays) after.set(key, draftRrset(one))
  }
  for (const one of write.writes) apply(one, zone, before, after, warnings)
  if (kind === 'create') {
    warnings.add('OpusDNS adds SOA and NS records of its own.')
    for (const name of write.settings) warnings.add(`The zone would begin with ${name} set.`)
  }
  for (const name of write.missing) {
    warnings.add(`The API requires ${name}, which is left out: OpusDNS may refuse the request.`)
  }
  if (kind !== 'delete') warnOfAliases(write.writes, after, zone, warnings)
  return {
    zone: `${zone}.`,
    zone_action: kind === 'create' || kind === 'delete' ? kind : null,
    changes: changesOf(before, after),
    warnings: [...warnings].slice(0, MOST_WARNINGS),
  }
}

function keyOf(name: string, type: string): string {
  return `${name} ${type}`
}

/** What a replacement of all leaves there. */
function isKept({ name, type, protected: reason }: ZoneRrset, zone: string): boolean {
  return reason !== undefined || (name === zone && (type === 'SOA' || type === 'NS'))
}

function apply(
  write: RecordWrite,
  zone: string,
  before: ReadonlyMap<string, ZoneRrset>,
  after: Map<string, DraftRrset>,
  warnings: Set<string>,
): void {
  const { verb, single, name, otherName, type, ttl, rdata } = write
  const what = `${type} at ${name}.`
  const key = keyOf(name, type)
  const old = after.get(key)
  if (otherName !== undefined) {
    warnings.add(`${name} has no final dot: OpusDNS may read it as ${otherName}. too.`)
  }
  if (name !== zone && !name.endsWith(`.${zone}`)) {
    warnings.add(`${what} lies outside of the zone, so that OpusDNS should refuse it.`)
    return
  }
  const guarded = before.get(key)
  if (guarded !== undefined && isKept(guarded, zone)) {
    const same = ttl === guarded.ttl && sameTexts(rdata, guarded.rdata)
    if (verb === 'upsert' && !single && same) return
    const reason = guarded.protected ?? 'system records'
    warnings.add(`${what} is protected (${reason}): OpusDNS refuses to change it.`)
    return
  }
  if (single && old !== undefined && rdata.some((one) => old.hasTwin(one))) {
    warnings.add(
      `${what} has a record that is only written differently; OpusDNS may take it for the same.`,
    )
  }
  if (verb === 'upsert') {
    const next =
      single && old !== undefined ? old : draftRrset({ name, type, ttl: null, rdata: [] })
    for (const one of rdata) next.add(one)
    next.ttl = ttl ?? old?.ttl ?? null
    if (next.rdata.size > 0) after.set(key, next)
    else {
      warnings.add(`${what} is set to no records, which removes it.`)
      after.delete(key)
    }
    return
  }
  if (old === undefined) {
    warnings.add(`There is no ${what} to remove.`)
    return
  }
  const removed = single ? rdata.filter((one) => old.remove(one)).length : old.rdata.size
  if (removed === 0) {
    warnings.add(`No ${what} has exactly this data, so that nothing is removed.`)
  }
  if (!single || old.rdata.size === 0) after.delete(key)
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  const texts = new Set(other)
  return one.every((text) => texts.has(text))
}

/** RFC 1034 section 3.6.2: where there is an alias, there is nothing else. */
function warnOfAliases(
  writes: readonly RecordWrite[],
  after: ReadonlyMap<string, DraftRrset>,
  zone: string,
  warnings: Set<string>,
): void {
  const types = new Map<string, number>()
  for (const { name } of after.values()) types.set(name, (types.get(name) ?? 0) + 1)
  for (const name of new Set(writes.map((one) => one.name))) {
    const alias = after.get(keyOf(name, 'CNAME'))
    if (alias === undefined) continue
    if (alias.rdata.size === 1 && types.get(name) === 1 && name !== zone) continue
    warnings.add(`CNAME at ${name}. would stand beside other records, which OpusDNS may refuse.`)
  }
}

function changesOf(
  before: ReadonlyMap<string, ZoneRrset>,
  after: ReadonlyMap<string, DraftRrset>,
): RecordDifference[] {
  const changes: RecordDifference[] = []
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(key)
    const next = after.get(key)
    const { name: bareName = '', type = '' } = next ?? old ?? {}
    const name = `${bareName}.`
    const were = new Set(old?.rdata)
    const will = next?.rdata ?? new Set<string>()
    for (const rdata of were) {
      if (!will.has(rdata)) {
        changes.push({ action: 'delete', name, type, ttl: old?.ttl ?? null, rdata })
      }
    }
    for (const rdata of will) {
      const ttl = next?.ttl ?? null
      if (!were.has(rdata)) changes.push({ action: 'create', name, type, ttl, rdata })
      else if (old !== undefined && old.ttl !== ttl) {
        changes.push({ action: 'change', name, type, ttl, rdata, old_ttl: old.ttl })
      }
    }
  }
  return changes
}
