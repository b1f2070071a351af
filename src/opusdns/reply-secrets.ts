// Which replies of the API may show secrets, and what the members are called that hold them.

import type { Operation } from './operations.ts'

/**
 * Names of members, in lower case and without `_` and `-`, so that one entry stands for all ways to
 * write it. In the specification of 2026-08-22:
 *
 * - `auth_code`: lets whoever has it transfer the domain away. In every domain that is shown (also in
 *   lists), in the answer of `auth_code/request`, and in payloads of jobs.
 * - `access_token`, `refresh_token`: in the answer of the token endpoint and of the signup.
 *
 * The rest is seen elsewhere: `api_key`, `client_secret` and `password` in operations that were
 * withdrawn and in what a job or an error quotes of a request; the others are what registries and
 * other registrars call a transfer code. Not in the list is what is public or on purpose:
 * `claims_notice_acceptance_hash`, `public_key`, `idempotency_key`, and the `token` of a contact
 * verification, which is all that its operation is for.
 */
export const SECRET_MEMBERS: readonly string[] = [
  'authcode',
  'authinfo',
  'authid',
  'eppcode',
  'transfercode',
  'transferkey',
  'clientsecret',
  'apikey',
  'password',
  'accesstoken',
  'refreshtoken',
]

/** Chapters of the specification whose replies show domains, or what was sent about them. */
const TAGS: ReadonlySet<string> = new Set(['domain', 'jobs', 'event', 'authentication'])
/** The same for what is in no table: an operation that is newer than it. */
const NEWER = /^\/v1\/(?:domains|job|jobs|events|auth)(?:\/|$)/

/** True when a reply to `operation` at the canonical `path` may hold members of `SECRET_MEMBERS`. */
export function mayShowSecrets(operation: Operation, path: string): boolean {
  return operation.tag === '' ? NEWER.test(path) : TAGS.has(operation.tag)
}
