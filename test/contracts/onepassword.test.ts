// A secret of 1Password Connect against the contract: a stub on a real socket.

import { secretSources } from '../../src/secrets/reference.ts'
import { secretsOptions } from '../../src/secrets/vendor-options.ts'
import { CONNECT_TOKEN, startConnectStub } from '../support/onepassword-stub.ts'
import { secretSourceContract } from './secret-source.ts'

secretSourceContract({
  kind: 'op',
  against: "a stub written from the API's documentation",
  failures: ['missing', 'denied', 'garbage', 'error', 'hang', 'unreachable'],
  extracts: ['base64'],
  async start() {
    const stub = await startConnectStub()
    const environment = { OP_CONNECT_HOST: stub.address, OP_CONNECT_TOKEN: CONNECT_TOKEN }
    const vendors = secretsOptions.parse(undefined)
    let silent = false
    return {
      source: ({ clock, timeout, lifetime, extract }) =>
        secretSources({ clock, captured: new Map(), environment, vendors })({
          kind: 'op',
          vault: 'Infra',
          item: 'OpusDNS',
          field: 'credential',
          timeout,
          lifetime,
          ...(extract === undefined ? {} : { extract }),
        }),
      async set(text) {
        if (silent) await stub.listen()
        silent = false
        stub.mood('well')
        stub.set(text)
      },
      async fail(how, canary) {
        if (how === 'unreachable') {
          silent = true
          await stub.silence()
        } else stub.mood(how, canary)
      },
      asked: () => stub.requests.length,
      end: () => (silent ? undefined : stub.silence()),
    }
  },
})
