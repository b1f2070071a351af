// A secret of the Kubernetes API against the contract: a stub on a real TLS socket.

import { secretSources } from '../../src/secrets/reference.ts'
import { secretsOptions } from '../../src/secrets/vendor-options.ts'
import { startKubernetesStub } from '../support/kubernetes-stub.ts'
import { secretSourceContract } from './secret-source.ts'

secretSourceContract({
  kind: 'k8s',
  against: "a stub written from the API's documentation",
  failures: ['missing', 'denied', 'garbage', 'error', 'hang', 'unreachable'],
  extracts: ['base64'],
  async start() {
    const stub = await startKubernetesStub()
    const vendors = secretsOptions.parse({
      kubernetes: { address: stub.address, service_account: stub.serviceAccount },
    })
    let silent = false
    return {
      source: ({ clock, timeout, lifetime, extract }) =>
        secretSources({ clock, captured: new Map(), environment: {}, vendors })({
          kind: 'k8s',
          name: 'opusdns',
          key: 'api_key',
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
        if (how === 'missing') stub.remove()
        if (how === 'unreachable') {
          silent = true
          await stub.silence()
        } else stub.mood(how === 'missing' ? 'well' : how, canary)
      },
      asked: () => stub.requests.length,
      end: () => stub.close(),
    }
  },
})
