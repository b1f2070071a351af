// Names in bodies: of zones, hosts, domains, and the references that may be a TypeID instead.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import { textIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { canonicalName } from './name.ts'
import type { ActList } from './act-list.ts'

const TYPE_ID = /^([a-z]+(?:_[a-z]+)*)_[0-7][0-9a-hjkmnpq-tv-z]{25}$/

/** The kind of thing that a TypeID is of (`domain` of `domain_01h…`), or `undefined` for no TypeID. */
export function typeIdKind(text: string): string | undefined {
  return TYPE_ID.exec(text.toLowerCase())?.[1]
}

/** The canonical name that the member `name` is. Throws a `body_not_understood` Fault otherwise. */
export function nameIn(
  members: Members,
  name: string,
  place: Place | undefined,
  { nameOf }: Pick<ActList, 'nameOf'>,
): string {
  const canonical = nameOf(textIn(members, name) ?? '')
  if (canonical !== undefined) return canonical
  throw notUnderstood(
    within(place, name),
    'It is no DNS name that can be compared with a grant.',
    'Write it in ASCII letters, digits, hyphens and dots; international names as xn-- labels.',
  )
}

/**
 * A registered domain by its reference: canonical name, or TypeID in lower case; `undefined` for the
 * TypeID of anything else, and for what is neither.
 */
export function domainReference(text: string, nameOf = canonicalName): string | undefined {
  const kind = typeIdKind(text)
  if (kind !== undefined) return kind === 'domain' ? text.toLowerCase() : undefined
  return nameOf(text)
}

/** A host by its reference: canonical name; `undefined` for a TypeID and for what is neither. */
export function hostReference(text: string): string | undefined {
  return typeIdKind(text) === undefined ? canonicalName(text) : undefined
}
