// Grants about domain forwards and email forwards, by host name.

import type { Operation } from '../opusdns/operations.ts'
import { NOTHING } from './grant.ts'
import type { Grant } from './grant.ts'
import { zoneMatcher } from './zone-pattern.ts'

const FORWARDS =
  /^\/v1\/(?:domain-forwards(?:\/\{hostname\}(?:\/.+)?)?|email-forwards(?:\/\{email_forward_id\}(?:\/(?:enable|disable|metrics|aliases(?:\/\{alias_id\})?))?)?)$/

/** Whether a `forwards` grant is about the operation, as far as a host name tells. */
export function isForward({ template }: Operation): boolean {
  return FORWARDS.test(template)
}

/**
 * The grant `forwards: [hosts]`. Lists show these hosts. Metrics of all hosts are not in it. An email forward
 * has an id in the path: OpusDNS is asked for its host name.
 */
export function forwardsGrant(hosts: readonly string[]): Grant {
  const within = zoneMatcher(hosts)
  return {
    ...NOTHING,
    text: `forwards: [${hosts.join(', ')}]`,
    // A job may be about them.
    reach: (operation) => (isForward(operation) || operation.bulk ? 'part' : 'none'),
    covers: ({ operation, host }) => isForward(operation) && host !== undefined && within(host),
    sees: (operation, name) => isForward(operation) && within(name),
  }
}
