// The difference that a write would make to a zone, as OpusDNS documents its operations: `records` adds
// and takes away single records, `rrsets` replaces all of one name and type, PUT replaces all that is
// not protected. A forecast: only OpusDNS knows how it checks and rewrites what it is sent.

import { isRecord } from '../base/record.ts'
import { canonicalName } from './name.ts'
import type { RecordWrite, ZoneWrite } from './zone-write.ts'

/** All records of one name and type. */
export interface ZoneRrset {
  /** Canonical where it can be; without a final dot. */
  readonly name: string
  readonly type: string
  readonly ttl: number | null
  readonly rdata: readonly string[]
  /** Why OpusDNS keeps it from being changed; `undefined` where it does not. */
  readonly protected: string | undefined
}

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
  const after = new Map(kind === 'delete' ? [] : before)
  if (kind === 'replace') for (const [key, one] of before) if (!isKept(one, zone)) after.delete(key)
  for (const one of write.writes) apply(one, zone, before, after, warnings)
  if (kind === 'create') {
    warnings.add('OpusDNS adds SOA and NS records of its own.')
    for (const name of write.settings) warnings.add(`The zone would begin with ${name} set.`)
  }
  if (kind !== 'delete') warnOfAliases(after, zone, warnings)
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
  { verb, single, name, otherName, type, ttl, rdata }: RecordWrite,
  zone: string,
  before: ReadonlyMap<string, ZoneRrset>,
  after: Map<string, ZoneRrset>,
  warnings: Set<string>,
): void {
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
  const there = old?.rdata ?? []
  let next: readonly string[]
  if (verb === 'upsert') {
    next = single ? [...there.filter((one) => !rdata.includes(one)), ...rdata] : [...new Set(rdata)]
  } else next = single ? there.filter((one) => !rdata.includes(one)) : []
  if (verb === 'remove') {
    if (old === undefined) warnings.add(`There is no ${what} to remove.`)
    else if (single && next.length === there.length) {
      warnings.add(`No ${what} has exactly this data, so that nothing is removed.`)
    }
  } else if (next.length === 0) warnings.add(`${what} is set to no records, which removes it.`)
  for (const one of single ? rdata : []) {
    const twin = there.find((other) => other !== one && bare(other) === bare(one))
    if (twin !== undefined) {
      warnings.add(
        `${what} has a record that is only written differently; OpusDNS may take it for the same.`,
      )
    }
  }
  if (next.length === 0) after.delete(key)
  else {
    const kept = verb === 'remove' ? (old?.ttl ?? null) : (ttl ?? old?.ttl ?? null)
    after.set(key, { name, type, ttl: kept, rdata: next, protected: undefined })
  }
}

/** Data without what is often added or left out: quotes, case, the final dot. */
function bare(rdata: string): string {
  return rdata.replaceAll('"', '').replace(/\.$/, '').toLowerCase()
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text) => other.includes(text))
}

/** RFC 1034 section 3.6.2: where there is an alias, there is nothing else. */
function warnOfAliases(
  after: ReadonlyMap<string, ZoneRrset>,
  zone: string,
  warnings: Set<string>,
): void {
  const types = new Map<string, number>()
  for (const { name } of after.values()) types.set(name, (types.get(name) ?? 0) + 1)
  for (const { name, type, rdata } of after.values()) {
    if (type !== 'CNAME' || (rdata.length === 1 && types.get(name) === 1 && name !== zone)) continue
    warnings.add(`CNAME at ${name}. would stand beside other records, which OpusDNS may refuse.`)
  }
}

function changesOf(
  before: ReadonlyMap<string, ZoneRrset>,
  after: ReadonlyMap<string, ZoneRrset>,
): RecordDifference[] {
  const changes: RecordDifference[] = []
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(key)
    const next = after.get(key)
    const { name: bareName = '', type = '' } = next ?? old ?? {}
    const name = `${bareName}.`
    const were = new Set(old?.rdata)
    const will = new Set(next?.rdata)
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

/**
 * The record sets that a reply to `GET /v1/dns/{zone_name}` shows; `undefined` when it is none. Names
 * and types that are not understood stay as they are.
 */
export function rrsetsShown(value: unknown): readonly ZoneRrset[] | undefined {
  const zone = isRecord(value) && typeof value['name'] === 'string' ? value['name'] : undefined
  const rrsets = isRecord(value) ? (value['rrsets'] ?? []) : undefined
  if (zone === undefined || !Array.isArray(rrsets)) return undefined
  const shown: ZoneRrset[] = []
  for (const rrset of rrsets as unknown[]) {
    if (!isRecord(rrset)) return undefined
    const { name, type, ttl, records = [], protected: guarded, protected_reason: why } = rrset
    if (typeof name !== 'string' || typeof type !== 'string' || !Array.isArray(records)) {
      return undefined
    }
    const reasons = [guarded === true ? why : undefined]
    const rdata: string[] = []
    for (const record of records as unknown[]) {
      if (!isRecord(record) || typeof record['rdata'] !== 'string') return undefined
      rdata.push(record['rdata'])
      if (record['protected'] === true) reasons.push(record['protected_reason'])
    }
    const isGuarded = guarded === true || reasons.length > 1
    const reason = reasons.find((one) => typeof one === 'string' && /^[A-Z_]{1,40}$/.test(one))
    shown.push({
      name: absolute(name, zone),
      type,
      ttl: typeof ttl === 'number' ? ttl : null,
      rdata,
      protected: isGuarded ? ((reason as string | undefined) ?? 'GENERIC') : undefined,
    })
  }
  return shown
}

/** Names in replies are absolute with a final dot; `@` and relative ones are taken as well. */
function absolute(name: string, zone: string): string {
  const root = canonicalName(zone) ?? zone
  if (name === '@' || name === '') return root
  const canonical = canonicalName(name) ?? name.toLowerCase().replace(/\.$/, '')
  if (name.endsWith('.') || canonical === root || canonical.endsWith(`.${root}`)) return canonical
  return `${canonical}.${root}`
}
