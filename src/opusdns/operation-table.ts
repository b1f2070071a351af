// The operations of the OpusDNS API (public specification of 2026-08-22, and newer ones that its
// published clients show): METHOD TEMPLATE TAG PERMISSIONS CLASSES, one a line. Data for review and
// renewal: `npm run catalogue` compares it with a specification, src/opusdns/operations.ts reads it.
// Tag and permissions are the specification's; those of newer operations, and all classes, are
// judgement. How the classes were given:
//
// read         four POSTs only ask: availability stream, nameserver check, claims notices, e-mail
//              preview. GET /v1/contacts/verify uses up the token in its query: a write.
// destructive  every DELETE; every PUT that replaces a whole; every body that may remove (records,
//              rrsets, forwards, tags); what cuts a domain off or gives it away (DNSSEC, withdraw,
//              transit, outbound transfer, hosts); the acknowledgement of an event, which is for
//              all who poll; IP restrictions, the first of which locks everybody else out; jobs.
// billable     also by consequence: zones and forwards are products, a renewal mode or registrant
//              that changes is charged, an organisation has its own bill, a message is metered, a
//              job that is resumed or retried may buy. A lost answer to one of these is never
//              reported in a way that makes a client buy again.
// credential   all of /v1/auth, transfer codes on request, the archive of requests and objects; the
//              verification of a contact that is begun, whose answer holds the token with which
//              anybody ends it, without a key. Of the reports only the download: they hold what
//              other reads show too, but in a ZIP, where no transfer code could be masked.
// identity     every write below /v1/users and /v1/organizations, as in the default block list.
// bulk         bodies of many MB; its other classes are the worst that its commands may do.

/** See the header. Sorted by template, then method. Lists are joined by commas; `-` is none. */
export const OPERATION_TABLE = `
GET /v1/ai-concierge/contexts/{context_id} ai_concierge ai_concierge:manage read
GET /v1/ai-concierge/conversations ai_concierge ai_concierge:manage read
POST /v1/ai-concierge/conversations ai_concierge ai_concierge:manage write
DELETE /v1/ai-concierge/conversations/{conversation_id} ai_concierge ai_concierge:manage write,destructive
GET /v1/ai-concierge/conversations/{conversation_id} ai_concierge ai_concierge:manage read
PATCH /v1/ai-concierge/conversations/{conversation_id} ai_concierge ai_concierge:manage write
GET /v1/ai-concierge/conversations/{conversation_id}/contexts ai_concierge ai_concierge:manage read
POST /v1/ai-concierge/conversations/{conversation_id}/contexts ai_concierge ai_concierge:manage write
GET /v1/ai-concierge/conversations/{conversation_id}/messages ai_concierge ai_concierge:manage read
POST /v1/ai-concierge/conversations/{conversation_id}/messages ai_concierge ai_concierge:manage write,billable
GET /v1/ai-concierge/conversations/{conversation_id}/messages/{message_id} ai_concierge ai_concierge:manage read
GET /v1/ai-concierge/memory/facts ai_concierge ai_concierge:manage read
POST /v1/ai-concierge/memory/facts ai_concierge ai_concierge:manage write
DELETE /v1/ai-concierge/memory/facts/{fact_id} ai_concierge ai_concierge:manage write,destructive
PATCH /v1/ai-concierge/memory/facts/{fact_id} ai_concierge ai_concierge:manage write
GET /v1/archive/email-forward-logs/aliases/{email_forward_alias_id} archive email_forwards:read read
GET /v1/archive/email-forward-logs/{email_forward_id} archive email_forwards:read read
GET /v1/archive/object-logs archive organization:read read,credential
GET /v1/archive/object-logs/{object_id} archive organization:read read,credential
GET /v1/archive/request-history archive organization:read read,credential
GET /v1/auth/client_credentials/introspect authentication - read,credential
POST /v1/auth/signup authentication - write,credential,identity
POST /v1/auth/token authentication - write,credential
GET /v1/availability availability - read
GET /v1/availability/stream availability - read
POST /v1/availability/stream availability - read
GET /v1/contacts contact contacts:read read
POST /v1/contacts contact contacts:manage write
GET /v1/contacts/attribute-sets contact contacts:read read
POST /v1/contacts/attribute-sets contact contacts:manage write
DELETE /v1/contacts/attribute-sets/{contact_attribute_set_id} contact contacts:manage write,destructive
GET /v1/contacts/attribute-sets/{contact_attribute_set_id} contact contacts:read read
PATCH /v1/contacts/attribute-sets/{contact_attribute_set_id} contact contacts:manage write
GET /v1/contacts/verification contact - read
PUT /v1/contacts/verification contact - write
GET /v1/contacts/verify contact - write
DELETE /v1/contacts/{contact_id} contact contacts:delete write,destructive
GET /v1/contacts/{contact_id} contact contacts:read read
PATCH /v1/contacts/{contact_id}/link/{contact_attribute_set_id} contact contacts:manage write
DELETE /v1/contacts/{contact_id}/verification contact contacts:manage write,destructive
GET /v1/contacts/{contact_id}/verification contact contacts:manage read
POST /v1/contacts/{contact_id}/verification contact contacts:manage write,credential
PUT /v1/contacts/{contact_id}/verification contact contacts:manage write
GET /v1/contacts/{contact_id}/verifications contact contacts:read read
POST /v1/contacts/{contact_id}/verifications/attest contact contacts:manage write
GET /v1/dns dns dns:read read
POST /v1/dns dns dns:manage write,billable
GET /v1/dns/domain-forwards dns dns:read read
GET /v1/dns/email-forwards dns dns:read read
GET /v1/dns/summary dns dns:read read
DELETE /v1/dns/{zone_name} dns dns:delete write,destructive
GET /v1/dns/{zone_name} dns dns:read read
POST /v1/dns/{zone_name}/dnssec/disable dns dns:manage write,destructive
POST /v1/dns/{zone_name}/dnssec/enable dns dns:manage write,destructive
GET /v1/dns/{zone_name}/domain-forwards dns dns:read read
GET /v1/dns/{zone_name}/email-forwards dns dns:read read
PATCH /v1/dns/{zone_name}/records dns dns:manage write,destructive
PATCH /v1/dns/{zone_name}/rrsets dns dns:manage write,destructive
PUT /v1/dns/{zone_name}/rrsets dns dns:manage write,destructive
PATCH /v1/dns/{zone_name}/vanity-set dns dns:manage,vanity_ns:manage write,destructive
GET /v1/domain-forwards domain_forward domain_forwards:read read
PATCH /v1/domain-forwards domain_forward domain_forwards:manage write,destructive
POST /v1/domain-forwards domain_forward domain_forwards:manage write,billable
GET /v1/domain-forwards/metrics domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/browser domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/geo domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/platform domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/referrer domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/status-code domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/time-series domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/user-agent domain_forward domain_forwards:read read
GET /v1/domain-forwards/metrics/visits-by-key domain_forward domain_forwards:read read
DELETE /v1/domain-forwards/{hostname} domain_forward domain_forwards:delete write,destructive
GET /v1/domain-forwards/{hostname} domain_forward domain_forwards:read read
POST /v1/domain-forwards/{hostname} domain_forward domain_forwards:manage write,billable
PATCH /v1/domain-forwards/{hostname}/disable domain_forward domain_forwards:manage write
PATCH /v1/domain-forwards/{hostname}/enable domain_forward domain_forwards:manage write
DELETE /v1/domain-forwards/{hostname}/{protocol} domain_forward domain_forwards:delete write,destructive
GET /v1/domain-forwards/{hostname}/{protocol} domain_forward domain_forwards:read read
PUT /v1/domain-forwards/{hostname}/{protocol} domain_forward domain_forwards:manage write,destructive
GET /v1/domain-search/suggest domain_search - read
GET /v1/domains domain domains:read read
POST /v1/domains domain domains:manage write,billable
GET /v1/domains/check domain domains:read read
POST /v1/domains/claims-notices domain domains:manage read
GET /v1/domains/statistics domain domains:read read
GET /v1/domains/summary domain domains:read read
POST /v1/domains/tld-specific/at/{domain_reference}/withdraw domain domains:manage write,destructive
POST /v1/domains/tld-specific/be/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/tld-specific/cymru/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/tld-specific/cz/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/tld-specific/de/{domain_reference}/transit domain domains:manage write,destructive,billable
POST /v1/domains/tld-specific/dk/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/tld-specific/eu/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/tld-specific/lt/{domain_reference}/auth_code/request domain domains:manage write,credential
GET /v1/domains/tld-specific/no/applicant-declaration domain - read
PUT /v1/domains/tld-specific/no/applicant-declaration domain - write
POST /v1/domains/tld-specific/no/{domain_reference}/applicant-declaration domain domains:manage write
POST /v1/domains/tld-specific/no/{domain_reference}/resend-declaration-email domain domains:manage write
POST /v1/domains/tld-specific/nu/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/tld-specific/se/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/tld-specific/wales/{domain_reference}/auth_code/request domain domains:manage write,credential
POST /v1/domains/transfer domain domains:manage write,billable
DELETE /v1/domains/{domain_reference} domain domains:delete write,destructive
GET /v1/domains/{domain_reference} domain domains:read read
PATCH /v1/domains/{domain_reference} domain domains:manage write,destructive,billable
DELETE /v1/domains/{domain_reference}/dnssec domain domains:manage write,destructive
GET /v1/domains/{domain_reference}/dnssec domain domains:read read
PUT /v1/domains/{domain_reference}/dnssec domain domains:manage write,destructive
POST /v1/domains/{domain_reference}/dnssec/disable domain domains:manage write,destructive
POST /v1/domains/{domain_reference}/dnssec/enable domain domains:manage write,destructive
POST /v1/domains/{domain_reference}/renew domain domains:manage write,billable
POST /v1/domains/{domain_reference}/restore domain domains:manage write,billable
DELETE /v1/domains/{domain_reference}/transfer domain domains:manage write,destructive
POST /v1/domains/{domain_reference}/transfer/outbound domain domains:manage write,destructive
GET /v1/email-forwards email_forward email_forwards:read read
POST /v1/email-forwards email_forward dns:manage,email_forwards:manage write,billable
DELETE /v1/email-forwards/{email_forward_id} email_forward email_forwards:delete write,destructive
GET /v1/email-forwards/{email_forward_id} email_forward email_forwards:read read
POST /v1/email-forwards/{email_forward_id}/aliases email_forward email_forwards:manage write
DELETE /v1/email-forwards/{email_forward_id}/aliases/{alias_id} email_forward email_forwards:manage write,destructive
PUT /v1/email-forwards/{email_forward_id}/aliases/{alias_id} email_forward email_forwards:manage write,destructive
PATCH /v1/email-forwards/{email_forward_id}/disable email_forward email_forwards:manage write
PATCH /v1/email-forwards/{email_forward_id}/enable email_forward email_forwards:manage write
GET /v1/email-forwards/{email_forward_id}/metrics email_forward email_forwards:read read
GET /v1/events event events:read read
GET /v1/events/{event_id} event events:read read
PATCH /v1/events/{event_id} event events:manage write,destructive
POST /v1/hosts host domains:manage,hosts:manage write
DELETE /v1/hosts/{host_reference} host hosts:delete write,destructive
GET /v1/hosts/{host_reference} host hosts:read read
PUT /v1/hosts/{host_reference} host hosts:manage write,destructive
DELETE /v1/job/{job_id} jobs jobs:manage write,destructive
GET /v1/job/{job_id} jobs jobs:read read
POST /v1/job/{job_id}/pause jobs jobs:manage write
POST /v1/job/{job_id}/resume jobs jobs:manage write,destructive,billable
POST /v1/job/{job_id}/retry jobs jobs:manage write,destructive,billable
GET /v1/jobs jobs jobs:read read
POST /v1/jobs jobs contacts:manage,dns:manage,domains:manage,jobs:manage,parking:manage,vanity_ns:manage write,destructive,billable,bulk
DELETE /v1/jobs/{batch_id} jobs jobs:manage write,destructive
GET /v1/jobs/{batch_id} jobs jobs:read read
GET /v1/jobs/{batch_id}/jobs jobs jobs:read read
POST /v1/jobs/{batch_id}/pause jobs jobs:manage write
POST /v1/jobs/{batch_id}/resume jobs jobs:manage write,destructive,billable
POST /v1/jobs/{batch_id}/retry jobs jobs:manage write,destructive,billable
GET /v1/organizations organization organization:read read
POST /v1/organizations organization - write,billable,identity
GET /v1/organizations/attributes organization organization:read read
PATCH /v1/organizations/attributes organization - write,identity
GET /v1/organizations/ip-restrictions organization organization:read read
POST /v1/organizations/ip-restrictions organization - write,destructive,identity
DELETE /v1/organizations/ip-restrictions/{ip_restriction_id} organization - write,destructive,identity
GET /v1/organizations/ip-restrictions/{ip_restriction_id} organization organization:read read
PATCH /v1/organizations/ip-restrictions/{ip_restriction_id} organization - write,destructive,identity
GET /v1/organizations/product-waitlist organization organization:read read
POST /v1/organizations/product-waitlist/{product}/apply organization organization:read write,identity
GET /v1/organizations/role-permissions organization organization:read read
GET /v1/organizations/roles organization organization:read read
POST /v1/organizations/roles organization - write,identity
DELETE /v1/organizations/roles/{label} organization - write,destructive,identity
GET /v1/organizations/roles/{label} organization organization:read read
PATCH /v1/organizations/roles/{label} organization - write,identity
GET /v1/organizations/users organization organization:read read
DELETE /v1/organizations/{organization_id} organization - write,destructive,identity
GET /v1/organizations/{organization_id} organization organization:read read
PATCH /v1/organizations/{organization_id} organization - write,identity
GET /v1/organizations/{organization_id}/attributes organization organization:read read
PATCH /v1/organizations/{organization_id}/attributes organization - write,identity
GET /v1/organizations/{organization_id}/billing/invoices organization billing:manage read
GET /v1/organizations/{organization_id}/billing/receipts organization billing:manage read
GET /v1/organizations/{organization_id}/pricing/product-type/{product_type} organization organization:read read
GET /v1/organizations/{organization_id}/transactions organization organization:read read
GET /v1/organizations/{organization_id}/transactions/{transaction_id} organization organization:read read
GET /v1/organizations/{organization_id}/usage/{product} organization organization:read read
GET /v1/organizations/{organization_id}/usage/{product}/summary organization organization:read read
GET /v1/parking parking parking:read read
GET /v1/parking/metrics parking parking:read read
POST /v1/parking/signup parking parking:manage write
GET /v1/parking/signup/status parking parking:read read
GET /v1/parking/{parking_reference}/metrics parking parking:read read
GET /v1/reports report organization:read read
POST /v1/reports report organization:read write
GET /v1/reports/{report_id} report organization:read read
GET /v1/reports/{report_id}/download report organization:read read,credential
GET /v1/tags tag tags:read read
POST /v1/tags tag tags:manage write
POST /v1/tags/objects tag tags:manage write,destructive
DELETE /v1/tags/{tag_id} tag tags:delete write,destructive
GET /v1/tags/{tag_id} tag tags:read read
PATCH /v1/tags/{tag_id} tag tags:manage write
POST /v1/tags/{tag_id}/objects tag tags:manage write,destructive
GET /v1/tlds/ tld organization:read read
GET /v1/tlds/portfolio tld organization:read read
GET /v1/tlds/{tld} tld organization:read read
POST /v1/users user users:manage write,identity
GET /v1/users/me user users:read read
DELETE /v1/users/{user_id} user users:delete write,destructive,identity
GET /v1/users/{user_id} user users:read read
PATCH /v1/users/{user_id} user users:manage write,identity
GET /v1/users/{user_id}/permissions user users:read read
GET /v1/users/{user_id}/role user users:read read
PUT /v1/users/{user_id}/role user - write,identity
GET /v1/vanity-nameserver-sets nameserver vanity_ns:read read
POST /v1/vanity-nameserver-sets nameserver vanity_ns:manage write,billable
POST /v1/vanity-nameserver-sets/check nameserver vanity_ns:read read
DELETE /v1/vanity-nameserver-sets/default nameserver vanity_ns:manage write,destructive
DELETE /v1/vanity-nameserver-sets/{set_id} nameserver vanity_ns:manage write,destructive
GET /v1/vanity-nameserver-sets/{set_id} nameserver vanity_ns:read read
PATCH /v1/vanity-nameserver-sets/{set_id} nameserver vanity_ns:manage write,billable
PATCH /v1/vanity-nameserver-sets/{set_id}/default nameserver vanity_ns:manage write
POST /v1/vanity-nameserver-sets/{set_id}/restore nameserver vanity_ns:manage write,billable
POST /v1/vanity-nameserver-sets/{set_id}/retry nameserver vanity_ns:manage write,billable
GET /v1/vanity-nameserver-sets/{set_id}/zones nameserver vanity_ns:read read
GET /v1/whitelabel-branding whitelabel whitelabel_branding:read read
PATCH /v1/whitelabel-branding whitelabel whitelabel_branding:manage write,billable
POST /v1/whitelabel-branding whitelabel whitelabel_branding:manage write,billable
GET /v1/whitelabel-branding/assets whitelabel whitelabel_branding:read read
POST /v1/whitelabel-branding/assets whitelabel whitelabel_branding:manage write
DELETE /v1/whitelabel-branding/assets/{asset_id} whitelabel whitelabel_branding:manage write,destructive
GET /v1/whitelabel-branding/document whitelabel whitelabel_branding:read read
POST /v1/whitelabel-branding/document whitelabel whitelabel_branding:manage write
PUT /v1/whitelabel-branding/document whitelabel whitelabel_branding:manage write,destructive
POST /v1/whitelabel-branding/email/preview whitelabel whitelabel_branding:manage read
GET /v1/whitelabel-branding/email/templates whitelabel whitelabel_branding:read read
POST /v1/whitelabel-branding/recheck whitelabel whitelabel_branding:manage write
POST /v1/whitelabel-branding/restore whitelabel whitelabel_branding:manage write,billable
POST /v1/whitelabel-branding/tier whitelabel whitelabel_branding:manage write,billable
`

/** Withdrawn from the specification in October 2025, and perhaps still answered. */
export const WITHDRAWN_TABLE = `
GET /v1/auth/client_credentials authentication - read,credential
POST /v1/auth/client_credentials authentication - write,credential
DELETE /v1/auth/client_credentials/{api_key_id} authentication - write,destructive,credential
POST /v1/auth/internal_client_credentials authentication - write,credential
`
