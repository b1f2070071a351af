import { describe, expect, test } from 'vitest'

import { blockList } from '../../src/policy/block-list.ts'

const BLOCKED: readonly [string, string, string][] = [
  ['GET', '/v1/auth/client_credentials', 'auth'],
  ['POST', '/v1/auth/client_credentials', 'auth'],
  ['DELETE', '/v1/auth/client_credentials/opk_1', 'auth'],
  ['POST', '/v1/auth/client_credentials/introspect', 'auth'],
  ['POST', '/v1/auth/internal_client_credentials', 'auth'],
  ['POST', '/v1/auth/signup', 'auth'],
  ['GET', '/v1/auth/token', 'auth'],
  ['GET', '/v1/auth', 'auth'],
  ['GET', '/v1/auth/', 'auth'],
  ['POST', '/v1/users', 'identity'],
  ['POST', '/v1/users/', 'identity'],
  ['PATCH', '/v1/users/user_1', 'identity'],
  ['PUT', '/v1/users/user_1/role', 'identity'],
  ['POST', '/v1/users/me/password-reset', 'identity'],
  ['POST', '/v1/organizations', 'identity'],
  ['POST', '/v1/organizations/roles', 'identity'],
  ['POST', '/v1/organizations/ip-restrictions', 'identity'],
  ['DELETE', '/v1/organizations/ip-restrictions/1', 'identity'],
  ['GET', '/v1/archive/request-history', 'request_history'],
  ['HEAD', '/v1/archive/request-history', 'request_history'],
  ['GET', '/v1/archive/object-logs', 'request_history'],
  ['GET', '/v1/archive/object-logs/x', 'request_history'],
  ['POST', '/v1/domains/tld-specific/eu/example.eu/auth_code/request', 'transfer_codes'],
  ['POST', '/v1/domains/tld-specific/nu/example.nu/auth_code/request', 'transfer_codes'],
]

const FREE: readonly [string, string][] = [
  ['GET', '/v1/auth/client_credentials/introspect'],
  ['GET', '/v1/users/me'],
  ['GET', '/v1/organizations/roles'],
  ['GET', '/v1/authx'],
  ['POST', '/v1/usersx'],
  ['GET', '/v1/archive/email-forward-logs/x'],
  ['DELETE', '/v1/dns/example.com'],
  ['POST', '/v1/domains'],
]

describe('the block list', () => {
  test.each(BLOCKED)('stops %s %s as %s', (method, path, group) => {
    expect(blockList([])(method, path)).toBe(group)
  })

  test.each(FREE)('lets %s %s pass', (method, path) => {
    expect(blockList([])(method, path)).toBeUndefined()
  })

  test('lets a group pass that the operator allows, and no other', () => {
    const blocked = blockList(['identity'])
    expect(blocked('POST', '/v1/users')).toBeUndefined()
    expect(blocked('GET', '/v1/auth/client_credentials')).toBe('auth')
  })
})
