// What the writes to a zone say, for a dry run: which records they set and take away. Nothing here
// decides whether they may happen (see acts.ts), or does anything.

import { bodyActs, strangeZone } from './acts.ts'
import { listIn, textIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'

/** One entry of a body. */
export interface RecordWrite {
  readonly verb: 'upsert' | 'remove'
  /** Whether it is about its records alone, and not about all of that name and type. */
  readonly single: boolean
  /** Canonical; of two readings the one in which a name that ends in the zone is absolute. */
  readonly name: string
  /** The other reading, where there are two. */
  readonly otherName: string | undefined
  readonly type: string
  readonly ttl: number | undefined
  readonly rdata: readonly string[]
}

/** What one request would do to one zone. */
export interface ZoneWrite {
  /** `records` changes some; `replace` takes away all others too. */
  readonly kind: 'records' | 'replace' | 'create' | 'delete'
  /** Canonical. */
  readonly zone: string
  readonly writes: readonly RecordWrite[]
  /** Settings of the zone besides its records, by their names in the API. */
  readonly settings: readonly string[]
  /** Members that the specification requires and that are left out. */
  readonly missing: readonly string[]
}

const ZONE = '/v1/dns/{zone_name}'
const SINGLE = operationNamed(`PATCH ${ZONE}/records`)
const SETS = operationNamed(`PATCH ${ZONE}/rrsets`)

const KINDS: ReadonlyMap<Operation, ZoneWrite['kind']> = new Map<Operation, ZoneWrite['kind']>([
  [SINGLE, 'records'],
  [SETS, 'records'],
  [operationNamed(`PUT ${ZONE}/rrsets`), 'replace'],
  [operationNamed('POST /v1/dns'), 'create'],
  [operationNamed(`DELETE ${ZONE}`), 'delete'],
])

/** Whether there is a dry run of the operation. */
export function hasDryRun(operation: Operation): boolean {
  return KINDS.has(operation)
}

/**
 * What a request for an operation that `hasDryRun` would write, from the same reading of its body as its
 * acts. Throws a Fault where `bodyActs` does, and `path_not_canonical` for any zone that is not understood.
 */
export function zoneWrite(
  operation: Operation,
  path: string,
  bytes: Buffer,
  contentType: string | undefined,
  contentEncoding: string | undefined,
): ZoneWrite {
  const kind = KINDS.get(operation)
  if (kind === undefined) throw new Error('this operation has no dry run')
  const writes: RecordWrite[] = []
  const settings: string[] = []
  const missing = new Set<string>()
  const acts = bodyActs(operation, path, bytes, contentType, contentEncoding, {
    zone(body) {
      if (kind === 'replace' && listIn(body, 'rrsets') === undefined) missing.add('rrsets')
      if (textIn(body, 'vanity_nameserver_set_id')) settings.push('vanity_nameserver_set_id')
      if (textIn(body, 'dnssec_status') === 'enabled') settings.push('DNSSEC')
    },
    entry({ verb, names, type }, entry) {
      const ttl = entry['ttl']
      if (typeof ttl !== 'number') missing.add('ttl')
      if (operation === SINGLE && textIn(entry, 'rdata') === undefined) missing.add('rdata')
      if (operation === SETS && listIn(entry, 'records') === undefined) missing.add('records')
      writes.push({
        verb,
        single: operation === SINGLE,
        name: names.at(-1) ?? '',
        otherName: names.length > 1 ? names[0] : undefined,
        type,
        ttl: typeof ttl === 'number' ? ttl : undefined,
        rdata: rdataIn(entry),
      })
    },
  })
  const zone = acts[0]?.zone
  if (zone === undefined) throw strangeZone()
  return { kind, zone, writes, settings, missing: [...missing] }
}

/** Of one record, or of all in a set. */
function rdataIn(entry: Members): readonly string[] {
  const one = textIn(entry, 'rdata')
  if (one !== undefined) return [one]
  return (listIn(entry, 'records') ?? []).map((record) => textIn(record as Members, 'rdata') ?? '')
}
