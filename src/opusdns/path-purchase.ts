// What an operation buys as far as its name tells, also where only some accounts pay for it. Every billable
// operation buys something.

import type { Purchase } from './act.ts'
import { operationNamed } from './operation-named.ts'
import type { Operation } from './operations.ts'

const ONE: Purchase = { count: 1, expectedPrice: undefined, years: undefined }
const SOME: Purchase = { ...ONE, count: 'unknown' }
const PERHAPS: Purchase = { ...ONE, perhaps: true }

const PURCHASES: ReadonlyMap<Operation, Purchase> = new Map([
  ...buying(ONE, [
    'POST /v1/domains',
    'POST /v1/domains/transfer',
    'PATCH /v1/domains/{domain_reference}',
    'POST /v1/domains/{domain_reference}/renew',
    'POST /v1/domains/{domain_reference}/restore',
    'POST /v1/domains/tld-specific/de/{domain_reference}/transit',
    'POST /v1/vanity-nameserver-sets',
    'PATCH /v1/vanity-nameserver-sets/{set_id}',
    'POST /v1/vanity-nameserver-sets/{set_id}/restore',
    'POST /v1/vanity-nameserver-sets/{set_id}/retry',
    'PATCH /v1/whitelabel-branding',
    'POST /v1/whitelabel-branding',
    'POST /v1/whitelabel-branding/tier',
    'POST /v1/whitelabel-branding/restore',
  ]),
  // Products of the price list, a message that is metered, a bill of its own.
  ...buying(PERHAPS, [
    'POST /v1/dns',
    'POST /v1/domain-forwards',
    'POST /v1/domain-forwards/{hostname}',
    'POST /v1/email-forwards',
    'POST /v1/organizations',
    'POST /v1/ai-concierge/conversations/{conversation_id}/messages',
  ]),
  // These carry orders, or let earlier ones run.
  ...buying(SOME, [
    'POST /v1/jobs',
    'POST /v1/jobs/{batch_id}/resume',
    'POST /v1/jobs/{batch_id}/retry',
    'POST /v1/job/{job_id}/resume',
    'POST /v1/job/{job_id}/retry',
  ]),
])

/** The purchase that `operation` is, at the most, or `undefined`. */
export function pathPurchase(operation: Operation): Purchase | undefined {
  return PURCHASES.get(operation)
}

function buying(purchase: Purchase, names: readonly string[]): [Operation, Purchase][] {
  return names.map((name) => [operationNamed(name), purchase])
}
