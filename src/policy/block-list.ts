// What nobody may do through the proxy unless the operator wrote it down: operations that mint or
// reveal credentials, or change identities and rights (opusdns/API.md, "Block by default"). One key
// can do all of this, so a sidecar would hand it to whoever reaches its port.

import type { Decision } from './decision.ts'
import type { Policy } from './policy.ts'

/** Groups of blocked operations; the words that `policy.allow` takes. Stable. */
export const BLOCK_GROUPS = {
  auth: 'mints, lists or revokes credentials of the organisation',
  identity: 'changes users, roles, organisations or their IP restrictions',
  transfer_codes: 'hands out the code with which a domain can be transferred away',
  request_history:
    'shows what was sent in earlier API calls, credentials and transfer codes included',
} as const

/** See `BLOCK_GROUPS`. */
export type BlockGroup = keyof typeof BLOCK_GROUPS

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

function under(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

function groupOf(method: string, path: string): BlockGroup | undefined {
  if (under(path, '/v1/auth')) {
    // Tells role and expiry of the key, and no secret.
    const introspection = method === 'GET' && path === '/v1/auth/client_credentials/introspect'
    return introspection ? undefined : 'auth'
  }
  if (under(path, '/v1/users') || under(path, '/v1/organizations')) {
    return READS.has(method) ? undefined : 'identity'
  }
  if (under(path, '/v1/archive/request-history') || under(path, '/v1/archive/object-logs')) {
    return 'request_history'
  }
  if (path.startsWith('/v1/domains/') && path.includes('/auth_code')) return 'transfer_codes'
  return undefined
}

/**
 * The policy of a proxy without consumers: everything but the blocked groups, less those in `allow`.
 */
export function blockPolicy(allow: readonly BlockGroup[]): Policy {
  const blocked = blockList(allow)
  const allowed: Decision = { kind: 'allowed', grants: [], acts: [] }
  function decide(method: string, path: string): Decision {
    const group = blocked(method, path)
    if (group === undefined) return allowed
    return {
      kind: 'denied',
      code: 'blocked_by_default',
      missing:
        `This operation ${BLOCK_GROUPS[group]}, so it is blocked by default. ` +
        `To allow it, list ${group} under policy.allow in the configuration file of the proxy.`,
      acts: [],
    }
  }
  return { decide, judge: decide, reveals: allow.includes('transfer_codes') }
}

/** Which blocked group a request falls into, or `undefined` when it may pass. */
export type BlockList = (method: string, path: string) => BlockGroup | undefined

/**
 * The default block list less the groups in `allow`. `path` is canonical (src/opusdns). A path that
 * only begins like a blocked one (`/v1/usersx`) is not blocked; one below it is, known or not.
 */
export function blockList(allow: readonly BlockGroup[]): BlockList {
  const allowed = new Set(allow)
  return function blocked(method, path) {
    const group = groupOf(method, path)
    return group === undefined || allowed.has(group) ? undefined : group
  }
}
