// Names requests, for `X-Request-Id` and the log.

import { randomBytes } from 'node:crypto'

/** Gives a new id at each call. */
export type RequestIds = () => string

/** Ids that are unique over all processes, and cheap: a random part for each maker, and a count. */
export function requestIds(): RequestIds {
  const maker = randomBytes(6).toString('hex')
  let made = 0
  return function nextId() {
    made += 1
    return `${maker}-${made.toString(36)}`
  }
}
