// What the simulated organisation has at first: credentials (worth nothing anywhere), domains, zones.

import type { ApiKey } from './callers.ts'
import type { Client } from './tokens.ts'

/** The API key that is good when none is given. */
export const SEED_KEY: ApiKey = {
  key: 'opk_01k9demq00000000000000dem0_NotARealSecretOnlyASimulated01_s1mu1a',
  role: 'admin',
}

/** The OAuth client that is good when none is given. */
export const SEED_CLIENT: Client = {
  id: 'organization_01k9demq00000000000000zzzz',
  secret: 'NotARealSecretOnlyASimulated01',
}

/** Registered at first; each has a zone. */
export const SEED_DOMAINS = ['example.com', 'example.net', 'example.org'] as const

/** Zones without a domain of ours. */
export const SEED_ZONES = [...SEED_DOMAINS, 'customer.example'] as const

/** Creation time of everything that is there at first. */
export const SEED_TIME = '2026-01-01T00:00:00Z'
