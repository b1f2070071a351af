// The operations of the OpusDNS API (public specification of 2026-08-22, and the newer ones that its
// published clients show), one a line: METHOD TEMPLATE [billable] [bulk]. Data for review and renewal;
// src/opusdns/operations.ts reads it. `billable` marks what costs money, or may: a lost answer to
// one of these is never reported in a way that makes a client buy again. `bulk` marks bodies of many MB.

/** See the header. Sorted by template, then method. */
export const OPERATION_TABLE = `
GET /v1/ai-concierge/contexts/{context_id}
GET /v1/ai-concierge/conversations
POST /v1/ai-concierge/conversations
DELETE /v1/ai-concierge/conversations/{conversation_id}
GET /v1/ai-concierge/conversations/{conversation_id}
PATCH /v1/ai-concierge/conversations/{conversation_id}
GET /v1/ai-concierge/conversations/{conversation_id}/contexts
POST /v1/ai-concierge/conversations/{conversation_id}/contexts
GET /v1/ai-concierge/conversations/{conversation_id}/messages
POST /v1/ai-concierge/conversations/{conversation_id}/messages billable
GET /v1/ai-concierge/conversations/{conversation_id}/messages/{message_id}
GET /v1/ai-concierge/memory/facts
POST /v1/ai-concierge/memory/facts
DELETE /v1/ai-concierge/memory/facts/{fact_id}
PATCH /v1/ai-concierge/memory/facts/{fact_id}
GET /v1/archive/email-forward-logs/aliases/{email_forward_alias_id}
GET /v1/archive/email-forward-logs/{email_forward_id}
GET /v1/archive/object-logs
GET /v1/archive/object-logs/{object_id}
GET /v1/archive/request-history
GET /v1/auth/client_credentials/introspect
POST /v1/auth/signup
POST /v1/auth/token
GET /v1/availability
GET /v1/availability/stream
POST /v1/availability/stream
GET /v1/contacts
POST /v1/contacts
GET /v1/contacts/attribute-sets
POST /v1/contacts/attribute-sets
DELETE /v1/contacts/attribute-sets/{contact_attribute_set_id}
GET /v1/contacts/attribute-sets/{contact_attribute_set_id}
PATCH /v1/contacts/attribute-sets/{contact_attribute_set_id}
GET /v1/contacts/verification
PUT /v1/contacts/verification
GET /v1/contacts/verify
DELETE /v1/contacts/{contact_id}
GET /v1/contacts/{contact_id}
PATCH /v1/contacts/{contact_id}/link/{contact_attribute_set_id}
DELETE /v1/contacts/{contact_id}/verification
GET /v1/contacts/{contact_id}/verification
POST /v1/contacts/{contact_id}/verification
PUT /v1/contacts/{contact_id}/verification
GET /v1/contacts/{contact_id}/verifications
POST /v1/contacts/{contact_id}/verifications/attest
GET /v1/dns
POST /v1/dns billable
GET /v1/dns/domain-forwards
GET /v1/dns/email-forwards
GET /v1/dns/summary
DELETE /v1/dns/{zone_name}
GET /v1/dns/{zone_name}
POST /v1/dns/{zone_name}/dnssec/disable
POST /v1/dns/{zone_name}/dnssec/enable
GET /v1/dns/{zone_name}/domain-forwards
GET /v1/dns/{zone_name}/email-forwards
PATCH /v1/dns/{zone_name}/records
PATCH /v1/dns/{zone_name}/rrsets
PUT /v1/dns/{zone_name}/rrsets
PATCH /v1/dns/{zone_name}/vanity-set
GET /v1/domain-forwards
PATCH /v1/domain-forwards
POST /v1/domain-forwards billable
GET /v1/domain-forwards/metrics
GET /v1/domain-forwards/metrics/browser
GET /v1/domain-forwards/metrics/geo
GET /v1/domain-forwards/metrics/platform
GET /v1/domain-forwards/metrics/referrer
GET /v1/domain-forwards/metrics/status-code
GET /v1/domain-forwards/metrics/time-series
GET /v1/domain-forwards/metrics/user-agent
GET /v1/domain-forwards/metrics/visits-by-key
DELETE /v1/domain-forwards/{hostname}
GET /v1/domain-forwards/{hostname}
POST /v1/domain-forwards/{hostname} billable
PATCH /v1/domain-forwards/{hostname}/disable
PATCH /v1/domain-forwards/{hostname}/enable
DELETE /v1/domain-forwards/{hostname}/{protocol}
GET /v1/domain-forwards/{hostname}/{protocol}
PUT /v1/domain-forwards/{hostname}/{protocol}
GET /v1/domain-search/suggest
GET /v1/domains
POST /v1/domains billable
GET /v1/domains/check
POST /v1/domains/claims-notices
GET /v1/domains/statistics
GET /v1/domains/summary
POST /v1/domains/tld-specific/at/{domain_reference}/withdraw
POST /v1/domains/tld-specific/be/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/cymru/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/cz/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/de/{domain_reference}/transit billable
POST /v1/domains/tld-specific/dk/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/eu/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/lt/{domain_reference}/auth_code/request
GET /v1/domains/tld-specific/no/applicant-declaration
PUT /v1/domains/tld-specific/no/applicant-declaration
POST /v1/domains/tld-specific/no/{domain_reference}/applicant-declaration
POST /v1/domains/tld-specific/no/{domain_reference}/resend-declaration-email
POST /v1/domains/tld-specific/nu/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/se/{domain_reference}/auth_code/request
POST /v1/domains/tld-specific/wales/{domain_reference}/auth_code/request
POST /v1/domains/transfer billable
DELETE /v1/domains/{domain_reference}
GET /v1/domains/{domain_reference}
PATCH /v1/domains/{domain_reference} billable
DELETE /v1/domains/{domain_reference}/dnssec
GET /v1/domains/{domain_reference}/dnssec
PUT /v1/domains/{domain_reference}/dnssec
POST /v1/domains/{domain_reference}/dnssec/disable
POST /v1/domains/{domain_reference}/dnssec/enable
POST /v1/domains/{domain_reference}/renew billable
POST /v1/domains/{domain_reference}/restore billable
DELETE /v1/domains/{domain_reference}/transfer
POST /v1/domains/{domain_reference}/transfer/outbound
GET /v1/email-forwards
POST /v1/email-forwards billable
DELETE /v1/email-forwards/{email_forward_id}
GET /v1/email-forwards/{email_forward_id}
POST /v1/email-forwards/{email_forward_id}/aliases
DELETE /v1/email-forwards/{email_forward_id}/aliases/{alias_id}
PUT /v1/email-forwards/{email_forward_id}/aliases/{alias_id}
PATCH /v1/email-forwards/{email_forward_id}/disable
PATCH /v1/email-forwards/{email_forward_id}/enable
GET /v1/email-forwards/{email_forward_id}/metrics
GET /v1/events
GET /v1/events/{event_id}
PATCH /v1/events/{event_id}
POST /v1/hosts
DELETE /v1/hosts/{host_reference}
GET /v1/hosts/{host_reference}
PUT /v1/hosts/{host_reference}
DELETE /v1/job/{job_id}
GET /v1/job/{job_id}
POST /v1/job/{job_id}/pause
POST /v1/job/{job_id}/resume billable
POST /v1/job/{job_id}/retry billable
GET /v1/jobs
POST /v1/jobs billable bulk
DELETE /v1/jobs/{batch_id}
GET /v1/jobs/{batch_id}
GET /v1/jobs/{batch_id}/jobs
POST /v1/jobs/{batch_id}/pause
POST /v1/jobs/{batch_id}/resume billable
POST /v1/jobs/{batch_id}/retry billable
GET /v1/organizations
POST /v1/organizations billable
GET /v1/organizations/attributes
PATCH /v1/organizations/attributes
GET /v1/organizations/ip-restrictions
POST /v1/organizations/ip-restrictions
DELETE /v1/organizations/ip-restrictions/{ip_restriction_id}
GET /v1/organizations/ip-restrictions/{ip_restriction_id}
PATCH /v1/organizations/ip-restrictions/{ip_restriction_id}
GET /v1/organizations/product-waitlist
POST /v1/organizations/product-waitlist/{product}/apply
GET /v1/organizations/role-permissions
GET /v1/organizations/roles
POST /v1/organizations/roles
DELETE /v1/organizations/roles/{label}
GET /v1/organizations/roles/{label}
PATCH /v1/organizations/roles/{label}
GET /v1/organizations/users
DELETE /v1/organizations/{organization_id}
GET /v1/organizations/{organization_id}
PATCH /v1/organizations/{organization_id}
GET /v1/organizations/{organization_id}/attributes
PATCH /v1/organizations/{organization_id}/attributes
GET /v1/organizations/{organization_id}/billing/invoices
GET /v1/organizations/{organization_id}/billing/receipts
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
GET /v1/reports
POST /v1/reports
GET /v1/reports/{report_id}
GET /v1/reports/{report_id}/download
GET /v1/tags
POST /v1/tags
POST /v1/tags/objects
DELETE /v1/tags/{tag_id}
GET /v1/tags/{tag_id}
PATCH /v1/tags/{tag_id}
POST /v1/tags/{tag_id}/objects
GET /v1/tlds/
GET /v1/tlds/portfolio
GET /v1/tlds/{tld}
POST /v1/users
GET /v1/users/me
DELETE /v1/users/{user_id}
GET /v1/users/{user_id}
PATCH /v1/users/{user_id}
GET /v1/users/{user_id}/permissions
GET /v1/users/{user_id}/role
PUT /v1/users/{user_id}/role
GET /v1/vanity-nameserver-sets
POST /v1/vanity-nameserver-sets billable
POST /v1/vanity-nameserver-sets/check
DELETE /v1/vanity-nameserver-sets/default
DELETE /v1/vanity-nameserver-sets/{set_id}
GET /v1/vanity-nameserver-sets/{set_id}
PATCH /v1/vanity-nameserver-sets/{set_id} billable
PATCH /v1/vanity-nameserver-sets/{set_id}/default
POST /v1/vanity-nameserver-sets/{set_id}/restore billable
POST /v1/vanity-nameserver-sets/{set_id}/retry billable
GET /v1/vanity-nameserver-sets/{set_id}/zones
GET /v1/whitelabel-branding
PATCH /v1/whitelabel-branding billable
POST /v1/whitelabel-branding billable
GET /v1/whitelabel-branding/assets
POST /v1/whitelabel-branding/assets
DELETE /v1/whitelabel-branding/assets/{asset_id}
GET /v1/whitelabel-branding/document
POST /v1/whitelabel-branding/document
PUT /v1/whitelabel-branding/document
POST /v1/whitelabel-branding/email/preview
GET /v1/whitelabel-branding/email/templates
POST /v1/whitelabel-branding/recheck
POST /v1/whitelabel-branding/restore billable
POST /v1/whitelabel-branding/tier billable
`
