// The members that an object in a body may have, and their kinds, as data. A member that is not
// listed is refused: what it would do is not known.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import type { Fault } from '../base/fault.ts'
import { isRecord } from '../base/record.ts'

/** An object of a body whose members were checked against a shape. */
export type Members = Readonly<Record<string, unknown>>

type Kind = 'text' | 'number' | 'flag' | 'list' | 'object'

interface Field {
  readonly kind: Kind
  readonly optional: boolean
  /** What the object, or each element of the list, may hold; `undefined` where nothing depends on it. */
  readonly inner: Shape | undefined
}

/** What an object may hold. See `shape`. */
export interface Shape {
  readonly fields: ReadonlyMap<string, Field>
  readonly required: readonly string[]
}

/**
 * A shape from a line such as `name:text rrsets:list?`: a name and its kind each (`text`, `number`,
 * `flag`, `list`, `object`). With `?` it may be absent or null. `inner` says by name what an object, or
 * each element of a list, may hold in turn.
 */
export function shape(line: string, inner: Readonly<Record<string, Shape>> = {}): Shape {
  const fields = new Map<string, Field>()
  for (const word of line.split(/\s+/).filter(Boolean)) {
    const [name = '', kind = ''] = word.split(':')
    const optional = kind.endsWith('?')
    fields.set(name, {
      kind: (optional ? kind.slice(0, -1) : kind) as Kind,
      optional,
      inner: inner[name],
    })
  }
  const required = [...fields].filter(([, field]) => !field.optional).map(([name]) => name)
  return { fields, required }
}

/** `value` as an object of the shape. Throws a `body_not_understood` Fault otherwise. */
export function objectAt(value: unknown, place: Place | undefined, { fields, required }: Shape) {
  if (!isKind(value, 'object')) {
    throw notUnderstood(place, 'It is not an object.', 'Send an object.')
  }
  const members = value as Members
  let found = 0
  // What JSON.parse made inherits nothing that could be enumerated.
  for (const name in members) {
    const field = fields.get(name)
    if (field === undefined) {
      const remedy = 'Leave it out, or ask for a grant that does not depend on the body.'
      throw notUnderstood(within(place, name), 'It is no member that is known here.', remedy)
    }
    const member = members[name]
    if (field.optional) {
      if (member !== null && !isKind(member, field.kind)) throw otherKind(name, field, place)
    } else {
      if (!isKind(member, field.kind)) throw otherKind(name, field, place)
      found += 1
    }
    if (field.inner !== undefined) checkInner(member, within(place, name), field.inner)
  }
  if (found < required.length) {
    const missing = required.find((name) => !Object.hasOwn(members, name)) ?? ''
    throw notUnderstood(within(place, missing), 'It is missing.', 'Send what the API documents.')
  }
  return members
}

function checkInner(member: unknown, place: Place, inner: Shape): void {
  if (Array.isArray(member)) {
    for (const [at, element] of member.entries()) objectAt(element, within(place, at), inner)
  } else if (member !== null) objectAt(member, place, inner)
}

function otherKind(name: string, { kind }: Field, place: Place | undefined): Fault {
  return notUnderstood(within(place, name), 'It is of the wrong kind.', `Send ${WORDS[kind]}.`)
}

const WORDS = {
  text: 'text',
  number: 'a number',
  flag: 'true or false',
  list: 'an array',
  object: 'an object',
} as const satisfies Record<Kind, string>

function isKind(value: unknown, kind: Kind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number'
    case 'flag':
      return typeof value === 'boolean'
    case 'list':
      return Array.isArray(value)
    case 'object':
      return isRecord(value)
  }
}

/** The text that a checked member is, or `undefined` when it is absent or null. */
export function textIn(members: Members, name: string): string | undefined {
  const value = members[name]
  return typeof value === 'string' ? value : undefined
}

/** The elements of a checked member, or `undefined` when it is absent or null. */
export function listIn(members: Members, name: string): readonly unknown[] | undefined {
  const value = members[name]
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined
}

/** As `listIn`, but throws a `body_not_understood` Fault when there is nothing to judge in it. */
export function filledListIn(
  members: Members,
  name: string,
  place: Place | undefined,
): readonly unknown[] {
  const list = listIn(members, name)
  if (list !== undefined && list.length > 0) return list
  throw notUnderstood(within(place, name), 'It is empty.', 'Send at least one element.')
}

/** One of `words`, that a checked member must be. Throws a `body_not_understood` Fault otherwise. */
export function wordIn<Word extends string>(
  members: Members,
  name: string,
  place: Place | undefined,
  words: readonly Word[],
): Word {
  const found = words.find((word) => word === members[name])
  if (found !== undefined) return found
  const remedy = `Send one of: ${words.join(', ')}.`
  throw notUnderstood(within(place, name), 'It is not one of the known words.', remedy)
}
