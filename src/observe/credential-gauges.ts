// Gauges of the credentials in use, read at each scrape.

import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

/** Where they are read. */
export interface CredentialReadings {
  /** Read at each scrape: seconds until the token expires, by credential. */
  readonly tokenExpiry: () => ReadonlyMap<string, number>
  /** Read at each scrape: which of two secrets serves, by credential; those with one have none. */
  readonly serving: () => ReadonlyMap<string, 'current' | 'previous'>
}

/** Registers them. */
export function credentialGauges(
  registry: Registry,
  { tokenExpiry, serving }: CredentialReadings,
): void {
  new Gauge({
    name: 'opusdns_proxy_token_expiry_seconds',
    help: 'Seconds until the token in use expires.',
    labelNames: ['credential'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [credential, seconds] of tokenExpiry()) this.set({ credential }, seconds)
    },
  })
  new Gauge({
    name: 'opusdns_proxy_credential_serving',
    help: '1 for the secret (current or previous) that serves, 0 for the other.',
    labelNames: ['credential', 'secret'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [credential, side] of serving()) {
        for (const secret of ['current', 'previous'] as const) {
          this.set({ credential, secret }, secret === side ? 1 : 0)
        }
      }
    },
  })
}
