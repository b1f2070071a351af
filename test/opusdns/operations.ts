// The operations of the API as of 2026-08-22 (150 paths, 214 operations), and one path of the simulator's
// own. Facts only: a method list and a path a line, `!` before those that take no credential.

/** One path of the API. */
export interface PathOperations {
  readonly path: string
  readonly methods: readonly string[]
  /** True when the operations take no credential. */
  readonly open: boolean
}

const TABLE = `
POST,PUT /v1/simulator/upload
GET /v1/ai-concierge/contexts/{context_id}
GET,POST /v1/ai-concierge/conversations
DELETE,GET,PATCH /v1/ai-concierge/conversations/{conversation_id}
GET,POST /v1/ai-concierge/conversations/{conversation_id}/contexts
GET,POST /v1/ai-concierge/conversations/{conversation_id}/messages
GET /v1/ai-concierge/conversations/{conversation_id}/messages/{message_id}
GET,POST /v1/ai-concierge/memory/facts
DELETE,PATCH /v1/ai-concierge/memory/facts/{fact_id}
GET /v1/archive/email-forward-logs/aliases/{email_forward_alias_id}
GET /v1/archive/email-forward-logs/{email_forward_id}
GET /v1/archive/object-logs
GET /v1/archive/object-logs/{object_id}
GET /v1/archive/request-history
GET /v1/auth/client_credentials/introspect
!POST /v1/auth/token
GET /v1/availability
GET,POST /v1/availability/stream
GET,POST /v1/contacts
GET,POST /v1/contacts/attribute-sets
DELETE,GET,PATCH /v1/contacts/attribute-sets/{contact_attribute_set_id}
!GET,PUT /v1/contacts/verification
!GET /v1/contacts/verify
DELETE,GET /v1/contacts/{contact_id}
PATCH /v1/contacts/{contact_id}/link/{contact_attribute_set_id}
DELETE,GET,POST,PUT /v1/contacts/{contact_id}/verification
GET /v1/contacts/{contact_id}/verifications
POST /v1/contacts/{contact_id}/verifications/attest
GET,POST /v1/dns
GET /v1/dns/domain-forwards
GET /v1/dns/email-forwards
GET /v1/dns/summary
DELETE,GET /v1/dns/{zone_name}
POST /v1/dns/{zone_name}/dnssec/disable
POST /v1/dns/{zone_name}/dnssec/enable
GET /v1/dns/{zone_name}/domain-forwards
GET /v1/dns/{zone_name}/email-forwards
PATCH /v1/dns/{zone_name}/records
PATCH,PUT /v1/dns/{zone_name}/rrsets
PATCH /v1/dns/{zone_name}/vanity-set
GET,PATCH,POST /v1/domain-forwards
GET /v1/domain-forwards/metrics
GET /v1/domain-forwards/metrics/browser
GET /v1/domain-forwards/metrics/geo
GET /v1/domain-forwards/metrics/platform
GET /v1/domain-forwards/metrics/referrer
GET /v1/domain-forwards/metrics/status-code
GET /v1/domain-forwards/metrics/time-series
GET /v1/domain-forwards/metrics/user-agent
GET /v1/domain-forwards/metrics/visits-by-key
DELETE,GET,POST /v1/domain-forwards/{hostname}
PATCH /v1/domain-forwards/{hostname}/disable
PATCH /v1/domain-forwards/{hostname}/enable
DELETE,GET,PUT /v1/domain-forwards/{hostname}/{protocol}
GET /v1/domain-search/suggest
GET,POST /v1/domains
GET /v1/domains/check
POST /v1/domains/claims-notices
GET /v1/domains/summary
POST /v1/domains/tld-specific/at/{domain_reference}/withdraw
POST /v1/domains/tld-specific/be/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/cymru/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/cz/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/de/{domain_reference}/transit
POST /v1/domains/tld-specific/eu/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/lt/{domain_reference}/auth_code/request
!GET,PUT /v1/domains/tld-specific/no/applicant-declaration
POST /v1/domains/tld-specific/no/{domain_reference}/applicant-declaration
POST /v1/domains/tld-specific/no/{domain_reference}/resend-declaration-email
POST /v1/domains/tld-specific/se/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/wales/{domain_reference}/auth_code/request
POST /v1/domains/transfer
DELETE,GET,PATCH /v1/domains/{domain_reference}
DELETE,GET,PUT /v1/domains/{domain_reference}/dnssec
POST /v1/domains/{domain_reference}/dnssec/disable
POST /v1/domains/{domain_reference}/dnssec/enable
POST /v1/domains/{domain_reference}/renew
POST /v1/domains/{domain_reference}/restore
DELETE /v1/domains/{domain_reference}/transfer
POST /v1/domains/{domain_reference}/transfer/outbound
GET,POST /v1/email-forwards
DELETE,GET /v1/email-forwards/{email_forward_id}
POST /v1/email-forwards/{email_forward_id}/aliases
DELETE,PUT /v1/email-forwards/{email_forward_id}/aliases/{alias_id}
PATCH /v1/email-forwards/{email_forward_id}/disable
PATCH /v1/email-forwards/{email_forward_id}/enable
GET /v1/email-forwards/{email_forward_id}/metrics
GET /v1/events
GET,PATCH /v1/events/{event_id}
POST /v1/hosts
DELETE,GET,PUT /v1/hosts/{host_reference}
DELETE,GET /v1/job/{job_id}
POST /v1/job/{job_id}/pause
POST /v1/job/{job_id}/resume
POST /v1/job/{job_id}/retry
GET,POST /v1/jobs
DELETE,GET /v1/jobs/{batch_id}
GET /v1/jobs/{batch_id}/jobs
POST /v1/jobs/{batch_id}/pause
POST /v1/jobs/{batch_id}/resume
POST /v1/jobs/{batch_id}/retry
GET,POST /v1/organizations
GET,PATCH /v1/organizations/attributes
GET,POST /v1/organizations/ip-restrictions
DELETE,GET,PATCH /v1/organizations/ip-restrictions/{ip_restriction_id}
GET /v1/organizations/role-permissions
GET,POST /v1/organizations/roles
DELETE,GET,PATCH /v1/organizations/roles/{label}
GET /v1/organizations/users
DELETE,GET,PATCH /v1/organizations/{organization_id}
GET,PATCH /v1/organizations/{organization_id}/attributes
GET /v1/organizations/{organization_id}/billing/invoices
GET /v1/organizations/{organization_id}/pricing/product-type/{product_type}
GET /v1/organizations/{organization_id}/transactions
GET /v1/organizations/{organization_id}/transactions/{transaction_id}
GET /v1/organizations/{organization_id}/usage/{product}
GET /v1/organizations/{organization_id}/usage/{product}/summary
GET /v1/parking
GET /v1/parking/metrics
POST /v1/parking/signup
GET /v1/parking/signup/status
GET /v1/parking/{parking_reference}/metrics
GET,POST /v1/reports
GET /v1/reports/{report_id}
GET /v1/reports/{report_id}/download
GET,POST /v1/tags
POST /v1/tags/objects
DELETE,GET,PATCH /v1/tags/{tag_id}
POST /v1/tags/{tag_id}/objects
GET /v1/tlds/
GET /v1/tlds/portfolio
GET /v1/tlds/{tld}
POST /v1/users
GET /v1/users/me
DELETE,GET,PATCH /v1/users/{user_id}
GET /v1/users/{user_id}/permissions
GET,PUT /v1/users/{user_id}/role
GET,POST /v1/vanity-nameserver-sets
POST /v1/vanity-nameserver-sets/check
DELETE /v1/vanity-nameserver-sets/default
DELETE,GET,PATCH /v1/vanity-nameserver-sets/{set_id}
PATCH /v1/vanity-nameserver-sets/{set_id}/default
POST /v1/vanity-nameserver-sets/{set_id}/restore
POST /v1/vanity-nameserver-sets/{set_id}/retry
GET /v1/vanity-nameserver-sets/{set_id}/zones
GET,PATCH,POST /v1/whitelabel-branding
POST /v1/whitelabel-branding/email/preview
GET /v1/whitelabel-branding/email/templates
POST /v1/whitelabel-branding/recheck
POST /v1/whitelabel-branding/restore
POST /v1/whitelabel-branding/tier
`

/** Every path, more literal ones first, so that `/v1/dns/summary` is no zone. */
export const OPERATIONS: readonly PathOperations[] = TABLE.trim()
  .split('\n')
  .map((line) => {
    const [methods = '', path = ''] = line.replace('!', '').split(' ')
    return { path, methods: methods.split(','), open: line.startsWith('!') }
  })
  .toSorted((a, b) => placeholders(a.path) - placeholders(b.path))

function placeholders(path: string): number {
  return path.split('{').length
}
