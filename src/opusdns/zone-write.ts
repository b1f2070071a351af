// What the writes to a zone say, read for a dry run: which records they set and take away. Nothing
// here decides whether they may happen (see acts.ts), or does anything.

import { within } from '../base/body-fault.ts'
import { readJson } from '../base/json-text.ts'
import { listIn, objectAt, shape, textIn, wordIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { RDATA, RECORD, RECORD_OP, RRSET, RRSET_OP, VERBS, ZONE_CREATE } from './dns-acts.ts'
import { actList } from './act-list.ts'
import { nameIn } from './body-name.ts'
import { canonicalName } from './name.ts'
import { operationNamed } from './operation-named.ts'
import { parametersOf } from './operations.ts'
import type { Operation } from './operations.ts'
import { readings } from './record-name.ts'
import { recordType } from './record-type.ts'

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
}

type Read = (operation: Operation, path: string, body: Buffer) => ZoneWrite

const ZONE = '/v1/dns/{zone_name}'
const PATCH_BODY = shape('ops:list')
const REPLACE_BODY = shape('rrsets:list?')

const READERS: ReadonlyMap<Operation, Read> = new Map<Operation, Read>([
  [operationNamed(`PATCH ${ZONE}/records`), patch('record')],
  [operationNamed(`PATCH ${ZONE}/rrsets`), patch('rrset')],
  [
    operationNamed(`PUT ${ZONE}/rrsets`),
    (operation, path, bytes) => {
      const body = objectAt(readJson(bytes), undefined, REPLACE_BODY)
      const zone = zoneIn(operation, path)
      return { kind: 'replace', zone, writes: rrsetsIn(body, zone), settings: [] }
    },
  ],
  [
    operationNamed('POST /v1/dns'),
    (_operation, _path, bytes) => {
      const body = objectAt(readJson(bytes), undefined, ZONE_CREATE)
      const zone = nameIn(body, 'name', undefined, actList())
      const settings = ['vanity_nameserver_set_id'].filter((name) => textIn(body, name))
      if (textIn(body, 'dnssec_status') === 'enabled') settings.push('DNSSEC')
      return { kind: 'create', zone, writes: rrsetsIn(body, zone), settings }
    },
  ],
  [
    operationNamed(`DELETE ${ZONE}`),
    (operation, path) => {
      return { kind: 'delete', zone: zoneIn(operation, path), writes: [], settings: [] }
    },
  ],
])

/** Whether there is a dry run of the operation. */
export function hasDryRun(operation: Operation): boolean {
  return READERS.has(operation)
}

/**
 * What a request for an operation that `hasDryRun` would write. `body` has passed `bodyActs`, so that it
 * is understood; throws a Fault otherwise.
 */
export function zoneWrite(operation: Operation, path: string, body: Buffer): ZoneWrite {
  const read = READERS.get(operation)
  if (read === undefined) throw new Error('this operation has no dry run')
  return read(operation, path, body)
}

function zoneIn(operation: Operation, path: string): string {
  const zone = canonicalName(parametersOf(operation, path)['zone_name'] ?? '')
  if (zone === undefined) throw new Error('the zone was judged, but is none')
  return zone
}

function patch(part: 'record' | 'rrset'): Read {
  const single = part === 'record'
  return function readPatch(operation, path, bytes) {
    const zone = zoneIn(operation, path)
    const body = objectAt(readJson(bytes), undefined, PATCH_BODY)
    const writes = (listIn(body, 'ops') ?? []).map((value, at) => {
      const place = within(within(undefined, 'ops'), at)
      const op = objectAt(value, place, single ? RECORD_OP : RRSET_OP)
      const target = objectAt(op[part], within(place, part), single ? RECORD : RRSET)
      return recordWrite(wordIn(op, 'op', place, VERBS), single, target, zone)
    })
    return { kind: 'records', zone, writes, settings: [] }
  }
}

function rrsetsIn(body: Members, zone: string): RecordWrite[] {
  return (listIn(body, 'rrsets') ?? []).map((value, at) => {
    const target = objectAt(value, within(within(undefined, 'rrsets'), at), RRSET)
    return recordWrite('upsert', false, target, zone)
  })
}

function recordWrite(
  verb: RecordWrite['verb'],
  single: boolean,
  target: Members,
  zone: string,
): RecordWrite {
  const names = readings(textIn(target, 'name') ?? '', zone)
  const ttl = target['ttl']
  const one = textIn(target, 'rdata')
  const records = (listIn(target, 'records') ?? []).map((value) => {
    return textIn(objectAt(value, undefined, RDATA), 'rdata') ?? ''
  })
  return {
    verb,
    single,
    name: names.at(-1) ?? zone,
    otherName: names.length > 1 ? names[0] : undefined,
    type: recordType(textIn(target, 'type') ?? '') ?? '',
    ttl: typeof ttl === 'number' ? ttl : undefined,
    rdata: one === undefined ? records : [one],
  }
}
