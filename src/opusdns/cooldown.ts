// Operations that OpusDNS refuses (429) for reasons of their own, which say nothing of other requests.

import type { Operation } from './operations.ts'

/**
 * True for an operation with a cool-down that depends on what its body says: a report of each type may be
 * asked for every 5 minutes, and once in each hour of the clock.
 */
export function hasCooldown({ method, template }: Operation): boolean {
  return template === '/v1/reports' && method === 'POST'
}
