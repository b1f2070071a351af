// Says where in a body something is wrong, without ever quoting a value: a body may carry secrets, and
// what is said here reaches the client and the log.

import { Fault } from './fault.ts'

/** A place in a JSON text, from the inside out. Cheap to make: it is written out only for a fault. */
export interface Place {
  readonly parent: Place | undefined
  readonly token: string | number
}

/** The place of a member or an element within `parent`; `undefined` stands for the whole text. */
export function within(parent: Place | undefined, token: string | number): Place {
  return { parent, token }
}

/**
 * The place as a JSON pointer (RFC 6901). Only names that look like those of an API are shown; any
 * other is `?`, for it may be a value that somebody put in the wrong spot.
 */
export function pointerTo(place: Place | undefined): string {
  const tokens: string[] = []
  for (let at = place; at !== undefined; at = at.parent) tokens.unshift(shown(at.token))
  return tokens.length === 0 ? 'the whole body' : `/${tokens.join('/')}`
}

const PLAIN = /^[a-z][a-z_]{0,39}$/

function shown(token: string | number): string {
  if (typeof token === 'number') return String(token)
  // Some clients take any reply with `dnssec_status` in it for a zone.
  return PLAIN.test(token) && !token.includes('dnssec_') ? token : '?'
}

/** A `body_not_understood` fault: what is wrong at `place`, and what to do about it. Sentences. */
export function notUnderstood(place: Place | undefined, fault: string, remedy: string): Fault {
  const pointer = pointerTo(place)
  return new Fault('body_not_understood', {
    detail: `The body cannot be judged: ${fault} Place: ${pointer}. ${remedy}`,
    problems: [{ place: pointer, fault, remedy }],
  })
}
