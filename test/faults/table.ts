// Every fault, in the order in which it is run and told.

import type { Fault } from './fault.ts'
import { CLIENTS } from './clients.ts'
import { CLIENT_BYTES } from './client-bytes.ts'
import { PROCESS } from './process.ts'
import { PROCESS_SECRETS } from './process-secrets.ts'
import { TOKEN_ENDPOINT } from './token-endpoint.ts'
import { UPSTREAM_BODIES } from './upstream-bodies.ts'
import { UPSTREAM_CONNECTIONS } from './upstream-connections.ts'
import { UPSTREAM_HEADS } from './upstream-heads.ts'
import { UPSTREAM_TLS } from './upstream-tls.ts'

/** The table. */
export const FAULTS: readonly Fault[] = [
  ...UPSTREAM_CONNECTIONS,
  ...UPSTREAM_HEADS,
  ...UPSTREAM_BODIES,
  ...UPSTREAM_TLS,
  ...TOKEN_ENDPOINT,
  ...CLIENTS,
  ...CLIENT_BYTES,
  ...PROCESS,
  ...PROCESS_SECRETS,
]
