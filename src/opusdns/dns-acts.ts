// What bodies about zones and their records would do.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import { actOf } from './act.ts'
import type { RecordChange } from './act.ts'
import type { ActList } from './act-list.ts'
import { nameIn } from './body-name.ts'
import { filledListIn, listIn, objectAt, shape, textIn, wordIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'
import { pathPurchase } from './path-purchase.ts'
import { readings } from './record-name.ts'
import { recordType } from './record-type.ts'

const ZONE = '/v1/dns/{zone_name}'
const CREATE = operationNamed('POST /v1/dns')
const REPLACE = operationNamed(`PUT ${ZONE}/rrsets`)
const PATCH_RRSETS = operationNamed(`PATCH ${ZONE}/rrsets`)
const PATCH_RECORDS = operationNamed(`PATCH ${ZONE}/records`)
const DNSSEC_ON = operationNamed(`POST ${ZONE}/dnssec/enable`)
const DNSSEC_OFF = operationNamed(`POST ${ZONE}/dnssec/disable`)
const VANITY_SET = operationNamed(`PATCH ${ZONE}/vanity-set`)

/** All records of one name and type. */
const RRSET = shape('name:text type:text ttl:number? records:list?')
/** One record. */
const RECORD = shape('name:text type:text ttl:number? rdata:text?')
/** One record of a set. */
const RDATA = shape('rdata:text')
/** A change of a record set. */
const RRSET_OP = shape('op:text rrset:object')
/** A change of one record. */
const RECORD_OP = shape('op:text record:object')
/** What an op may do. */
const VERBS = ['upsert', 'remove'] as const

/** The body of `POST /v1/dns`, and the payload of the command that does the same. */
export const ZONE_CREATE = shape(
  'name:text dnssec_status:text? rrsets:list? vanity_nameserver_set_id:text?',
)

/** A change of the records of one name and type. */
export interface EntryChange extends RecordChange {
  /** At least one; of two readings the last is the one as an absolute name. */
  readonly names: readonly string[]
}

/**
 * Told what a body says of a zone beyond its acts, while these are read: so a decision and a dry run never
 * understand one body in two ways.
 */
export interface ZoneReader {
  /** Of a zone that is new, or gets all of its records anew: the checked body. */
  zone(body: Members): void
  /** What an entry changes, and the checked object that says so. */
  entry(change: EntryChange, entry: Members): void
}

/** A new zone: one act for it (with its DNSSEC and name servers), one for each record set in it. */
export function createZoneActs(
  body: Members,
  place: Place | undefined,
  list: ActList,
  reader?: ZoneReader,
): void {
  const zone = nameIn(body, 'name', place, list)
  list.add(actOf(CREATE, { zone, purchase: pathPurchase(CREATE) }))
  reader?.zone(body)
  rrsetActs({ operation: CREATE, zone }, body, place, list, reader)
}

/** The `ops` of `PATCH …/rrsets` and `PATCH …/records`: one act for each. */
export function patchZoneActs(
  part: 'rrset' | 'record',
  zone: string,
  body: Members,
  place: Place | undefined,
  list: ActList,
  reader?: ZoneReader,
): void {
  const operation = part === 'rrset' ? PATCH_RRSETS : PATCH_RECORDS
  const opShape = part === 'rrset' ? RRSET_OP : RECORD_OP
  const ops = filledListIn(body, 'ops', place)
  const opsPlace = within(place, 'ops')
  for (let at = 0; at < ops.length; at += 1) {
    const opPlace = within(opsPlace, at)
    const op = objectAt(ops[at], opPlace, opShape)
    const verb = wordIn(op, 'op', opPlace, VERBS)
    const partPlace = within(opPlace, part)
    const target = objectAt(op[part], partPlace, part === 'rrset' ? RRSET : RECORD)
    if (part === 'rrset') checkRecords(target, partPlace, list)
    const change = changeOf(verb, target, { zone, list }, partPlace)
    list.add(actOf(operation, { zone, change }))
    reader?.entry(change, target)
  }
}

/**
 * The record sets that replace all of a zone: one act that removes everything, and one for each new
 * set. `rrsets` may be empty or missing: then everything goes.
 */
export function replaceZoneActs(
  zone: string,
  body: Members,
  place: Place | undefined,
  list: ActList,
  reader?: ZoneReader,
): void {
  const everything = { verb: 'remove', names: 'every', type: 'every' } as const
  list.add(actOf(REPLACE, { zone, change: everything }))
  reader?.zone(body)
  rrsetActs({ operation: REPLACE, zone }, body, place, list, reader)
}

/**
 * The settings of a zone in a command that updates it: DNSSEC, and the name servers that it shows,
 * each as the operation that does the same.
 */
export function zoneSettingsActs(
  zone: string,
  body: Members,
  place: Place | undefined,
  list: ActList,
): void {
  if (textIn(body, 'dnssec_status') !== undefined) {
    const status = wordIn(body, 'dnssec_status', place, ['enabled', 'disabled'])
    list.add(actOf(status === 'enabled' ? DNSSEC_ON : DNSSEC_OFF, { zone }))
  }
  // Null is a value here: it takes the set away.
  if (Object.hasOwn(body, 'vanity_nameserver_set_id')) vanitySetActs(zone, list)
}

/** Other name servers for a zone. */
export function vanitySetActs(zone: string, list: ActList): void {
  list.add(actOf(VANITY_SET, { zone }))
}

function rrsetActs(
  { operation, zone }: { readonly operation: Operation; readonly zone: string },
  body: Members,
  place: Place | undefined,
  list: ActList,
  reader: ZoneReader | undefined,
): void {
  const rrsets = listIn(body, 'rrsets') ?? []
  const rrsetsPlace = within(place, 'rrsets')
  for (const [at, value] of rrsets.entries()) {
    const rrsetPlace = within(rrsetsPlace, at)
    const rrset = objectAt(value, rrsetPlace, RRSET)
    checkRecords(rrset, rrsetPlace, list)
    const change = changeOf('upsert', rrset, { zone, list }, rrsetPlace)
    list.add(actOf(operation, { zone, change }))
    reader?.entry(change, rrset)
  }
}

function checkRecords(rrset: Members, place: Place, list: ActList): void {
  const records = listIn(rrset, 'records')
  if (records === undefined || list.knows(records)) return
  const recordsPlace = within(place, 'records')
  for (const [at, record] of records.entries()) objectAt(record, within(recordsPlace, at), RDATA)
}

function changeOf(
  verb: 'upsert' | 'remove',
  target: Members,
  { zone, list }: { readonly zone: string; readonly list: ActList },
  place: Place,
): EntryChange {
  const names = readings(textIn(target, 'name') ?? '', zone, list.nameOf)
  if (names.length === 0) {
    throw notUnderstood(
      within(place, 'name'),
      'It is no record name that can be compared with a grant.',
      'Write it in ASCII letters, digits, hyphens, underscores and dots, or as @.',
    )
  }
  const type = recordType(textIn(target, 'type') ?? '')
  if (type === undefined) {
    const remedy = 'Send a type that the API documents.'
    throw notUnderstood(within(place, 'type'), 'It is no known record type.', remedy)
  }
  return { verb, names, type }
}
