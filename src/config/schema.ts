// The whole configuration file: assembles the option schemas that stand beside each feature.

import { adminOptions } from '../admin/options.ts'
import { z } from '../base/schema.ts'
import { credentialOptions } from '../credentials/options.ts'
import { logOptions } from '../observe/options.ts'
import { auditOptions } from '../observe/audit-options.ts'
import { upstreamOptions } from '../opusdns/upstream-options.ts'
import { policyOptions } from '../policy/options.ts'
import { unpricedOption } from '../policy/unpriced-options.ts'
import { hostsOption, limitOptions } from '../proxy/options.ts'
import { secretsOptions } from '../secrets/vendor-options.ts'
import { trustedHopsOption } from '../consumers/options.ts'
import { consumersOption, credentialsOption } from './consumers.ts'
import { ledgerOption } from '../store/ledger-options.ts'
import { insecureAllowAnonymousOption, listenOption, shutdownOptions } from '../server/options.ts'

/** Schema of the file. Its parts are parsed one by one, so that one fault hides no other. */
export const fileSchema = z
  .strictObject({
    listen: listenOption,
    hosts: hostsOption,
    insecure_allow_anonymous: insecureAllowAnonymousOption,
    admin: adminOptions.describe(
      "The operators' listener; it must not share an address with listen.",
    ),
    upstream: upstreamOptions.describe('OpusDNS, and how long it may take.'),
    credential: credentialOptions
      .optional()
      .describe('What the proxy authenticates with: an API key, or OAuth2 client credentials.'),
    credentials: credentialsOption.describe(
      'Further credentials by name, for consumers that name one.',
    ),
    consumers: consumersOption.describe(
      'Who may ask, and what each may do. Without it everyone who reaches a listener is one consumer.',
    ),
    trusted_hops: trustedHopsOption,
    audit: auditOptions.describe('The record of every decision.'),
    ledger: ledgerOption.describe(
      'Where purchases are written down, as file:/path; needed where a consumer has a budget.',
    ),
    unpriced: unpricedOption.describe(
      'Operations that may have a price, for which OpusDNS charges your account nothing: they need no budget and count nothing.',
    ),
    secrets: secretsOptions.describe('Places of secrets that are reached over a network.'),
    policy: policyOptions.describe('What may pass.'),
    limits: limitOptions.describe('Bounds of what a client may ask for.'),
    log: logOptions.describe('What is logged.'),
    shutdown: shutdownOptions.describe('How the process ends.'),
  })
  .meta({ title: 'Configuration of opusdns-auth-proxy' })
