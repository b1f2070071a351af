// Everything that the simulated organisation owns, as handlers by `METHOD path`.

import { availabilityHandlers } from './availability.ts'
import { introspection } from './callers.ts'
import type { Call, Handler } from './call.ts'
import { domainDesk } from './domains.ts'
import { jobHandlers } from './jobs.ts'
import { page } from './pages.ts'
import { NO_CONTENT, json, type Reply } from './problems.ts'
import { reportHandlers } from './reports.ts'
import { SEED_DOMAINS, SEED_TIME, SEED_ZONES } from './seed.ts'
import { zoneDesk } from './zones.ts'

/** See `organisation`. */
export interface OrganisationOptions {
  readonly id: string
  /** Wall clock, milliseconds. */
  readonly now: () => number
  /** Milliseconds between availability events. */
  readonly eventDelay: number
}

/** A fresh organisation with the seed data; answers a call by the key of its operation. */
export function organisation(options: OrganisationOptions): (key: string, call: Call) => Reply {
  const { now } = options
  const zones = zoneDesk(SEED_ZONES, SEED_TIME, now)
  const domains = domainDesk({
    names: SEED_DOMAINS,
    created: SEED_TIME,
    ownerId: options.id,
    now,
    createZone: (name) => zones.create(name),
  })
  const introspect = introspection(options.id, SEED_TIME)
  const handlers = new Map<string, Handler>(
    Object.entries({
      ...zones.handlers,
      ...domains.handlers,
      ...availabilityHandlers({ taken: domains.taken, eventDelay: options.eventDelay }),
      ...reportHandlers(),
      ...jobHandlers(now),
      'GET /v1/auth/client_credentials/introspect': (call: Call) =>
        introspect(call.caller, new Date(now()).toISOString()),
      'GET /v1/tlds/': () =>
        json(200, { tlds: ['com', 'net', 'org'].map((tld) => ({ tld, type: 'gTLD' })) }),
      'GET /v1/tlds/portfolio': () => json(200, [{ tld: 'com', type: 'gTLD' }]),
      'GET /v1/users/me': () => json(200, { user_id: 'simulated', username: 'simulated' }),
      'POST /v1/simulator/upload': upload,
      'PUT /v1/simulator/upload': upload,
    }),
  )
  return function answer(key, call) {
    return (handlers.get(key) ?? generic)(call)
  }
}

function upload(call: Call): Reply {
  return json(200, { bytes: call.bytes, sha256: call.sha256 })
}

/** What an operation says that is not simulated: an empty page, or nothing. */
function generic(call: Call): Reply {
  return call.method === 'GET' ? page([], call.query) : NO_CONTENT
}
