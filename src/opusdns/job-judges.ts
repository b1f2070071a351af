// What single commands of a batch would do; src/opusdns/job-commands.ts says which is which.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import { actOf } from './act.ts'
import type { ActList } from './act-list.ts'
import { domainReference, nameIn } from './body-name.ts'
import { listIn, textIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { patchZoneActs, replaceZoneActs, vanitySetActs, zoneSettingsActs } from './dns-acts.ts'
import { orderActs } from './domain-acts.ts'
import { hostActs } from './forward-acts.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'

/** Adds the acts of one payload, or of one instance merged with its template. */
export type Judge = (members: Members, place: Place, list: ActList) => void

/** A new contact, which no grant tells from another. */
export function contact(_members: Members, _place: Place, list: ActList): void {
  list.add(actOf(operationNamed('POST /v1/contacts'), {}))
}

/**
 * A zone that is updated. What an update without `rrsets` does is not documented for the single
 * command: the worst is judged.
 */
export function updateZone(members: Members, place: Place, list: ActList): void {
  const zone = nameIn(members, 'name', place, list)
  replaceZoneActs(zone, members, place, list)
  zoneSettingsActs(zone, members, place, list)
}

/** As `updateZone`, for the bulk command, which leaves records alone without `rrsets`. */
export function updateZones(members: Members, place: Place, list: ActList): void {
  const zone = nameIn(members, 'name', place, list)
  const settings = textIn(members, 'dnssec_status') !== undefined
  if (listIn(members, 'rrsets') || !settings) replaceZoneActs(zone, members, place, list)
  zoneSettingsActs(zone, members, place, list)
}

/** Other name servers for a zone. */
export function restamp(members: Members, place: Place, list: ActList): void {
  vanitySetActs(nameIn(members, 'name', place, list), list)
}

/** Changes to the records of a zone. */
export function patch(part: 'rrset' | 'record'): Judge {
  return (members, place, list) =>
    patchZoneActs(part, nameIn(members, 'zone_name', place, list), members, place, list)
}

/** A domain to register or transfer. */
export function order(operation: Operation): Judge {
  return (members, place, list) => orderActs(operation, members, place, list)
}

/** Something about a host, as each of these operations of the API would do it. */
export function host(...names: readonly string[]): Judge {
  const operations = names.map(operationNamed)
  return (members, place, list) => {
    for (const operation of operations) hostActs(operation, members, place, list)
  }
}

/** Something about an email forward, which is named by its host, its id, or both. */
export function email(...names: readonly string[]): Judge {
  const operations = names.map(operationNamed)
  return (members, place, list) => {
    const id = textIn(members, 'email_forward_id')
    const named = textIn(members, 'hostname') !== undefined
    if (id === undefined && !named) {
      throw notUnderstood(place, 'It names no email forward.', 'Send hostname or email_forward_id.')
    }
    for (const operation of operations) {
      // Either may win, so both are judged; an id says nothing of the host.
      if (named) hostActs(operation, members, place, list)
      if (id !== undefined) list.add(actOf(operation, {}))
    }
  }
}

/** Something about a parked domain, in the member that names it. */
export function parked(member: 'domain' | 'parking_reference', operation: Operation): Judge {
  return (members, place, list) => {
    const text = textIn(members, member) ?? ''
    const domain =
      member === 'domain'
        ? nameIn(members, member, place, list)
        : domainReference(text, list.nameOf)
    if (text === '') throw notUnderstood(within(place, member), 'It is empty.', 'Send a reference.')
    list.add(actOf(operation, { domain }))
  }
}
