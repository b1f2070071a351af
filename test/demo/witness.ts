// What the simulated OpusDNS saw, in words that may be shown: fingerprints in place of tokens.

import { createHash } from 'node:crypto'

import { headerValues } from '../opusdns/callers.ts'
import type { RecordedRequest } from '../opusdns/requests.ts'

/** The credential of a request as `Authorization: Bearer <fingerprint>`; both kinds if it had both. */
export function credentialsOf({ rawHeaders }: RecordedRequest): string {
  const bearers = headerValues(rawHeaders, 'authorization').map(
    (value) => `Authorization: Bearer <sha256 ${fingerprint(value)}>`,
  )
  const keys = headerValues(rawHeaders, 'x-api-key').map(() => 'X-Api-Key')
  return [...bearers, ...keys].join(' and ') || 'no credential'
}

/** Twelve hex digits that tell one token from another, as the log and the status page show them. */
export function fingerprint(authorization: string): string {
  const token = authorization.replace(/^bearer /i, '')
  return createHash('sha256').update(token).digest('hex').slice(0, 12)
}

/** How many different tokens `requests` carried. */
export function tokensIn(requests: readonly RecordedRequest[]): number {
  return new Set(requests.flatMap((it) => headerValues(it.rawHeaders, 'authorization'))).size
}
