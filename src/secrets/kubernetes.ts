// A secret from the Kubernetes API: one key of one Secret. A watch tells of a change at once; the
// lifetime is the net below it.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import { kubernetesApi } from './kubernetes-api.ts'
import type { KubernetesApiDependencies } from './kubernetes-api.ts'
import type { KubernetesSettings } from './kubernetes-options.ts'
import { kubernetesWatch } from './kubernetes-watch.ts'
import { every } from './lifetime.ts'
import { referenceText } from './reference-options.ts'
import type { ReferenceOf } from './reference-options.ts'
import type { SecretSource } from './source.ts'
import { secretFromBytes } from './value.ts'
import { askVendor, VendorFailure } from './vendor-http.ts'
import type { VendorReply } from './vendor-http.ts'

/** See `kubernetesSource`. */
export interface KubernetesDependencies extends KubernetesApiDependencies {
  readonly clock: Clock
  /** Numbers in [0, 1), for the jitter of a broken watch. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

interface Answer {
  readonly metadata?: { readonly resourceVersion?: unknown }
  readonly data?: Readonly<Record<string, unknown>> | null
}

/** The secret that a reference names. Built without I/O. */
export function kubernetesSource(
  options: ReferenceOf<'k8s'>,
  settings: KubernetesSettings,
  deps: KubernetesDependencies,
): SecretSource {
  const { clock } = deps
  const { name, key } = options
  const reference = referenceText(options)
  const request = kubernetesApi({ reference, namespace: options.namespace }, settings, deps)
  const stream = kubernetesWatch({ name, timeout: options.timeout }, { ...deps, request })
  const fault = (what: string, remedy: string) =>
    new Fault('secret_unavailable', { detail: `${reference} ${what}: ${remedy}.` })

  async function get(): Promise<VendorReply> {
    const { secrets, headers, ca } = await request()
    const url = `${secrets}/${name}`
    const accept = 'application/json'
    try {
      return await askVendor(
        {
          url,
          method: 'GET',
          headers: { ...headers, accept },
          ca,
          timeout: options.timeout,
        },
        clock,
      )
    } catch (error) {
      const code = error instanceof VendorFailure ? error.code : 'FAILED'
      throw fault(`cannot be had from the API server (${code})`, REMEDIES[code] ?? UNREACHABLE)
    }
  }

  function secretIn(answer: Answer): Secret {
    const { data } = answer
    const value = data && Object.hasOwn(data, key) ? data[key] : undefined
    if (typeof value !== 'string') {
      throw fault(`has no key ${key}`, 'check the name behind # against the keys of the Secret')
    }
    return secretFromBytes(Buffer.from(value, 'base64'), reference, options.extract)
  }

  return {
    kind: 'k8s',
    reference,
    caveat: () => stream.caveat(reference),
    async read() {
      const { status, body } = await get()
      if (status !== 200) throw fault(`was answered ${status} by the API server`, remedyOf(status))
      const answer = parsed(body)
      if (answer === undefined) throw fault('was answered with no Secret', UNREACHABLE)
      // A watch begins at what was read, also when that is of no use: it may be mended.
      const version = answer.metadata?.resourceVersion
      stream.follow(typeof version === 'string' ? version : undefined)
      return secretIn(answer)
    },
    watch(changed) {
      const ends = [every(clock, options.lifetime, changed), stream.start(changed)]
      return () => {
        for (const end of ends) end()
      }
    },
  }

  function remedyOf(status: number): string {
    if (status === 401) return 'check the token of the service account, which may have expired'
    if (status === 403) return `let the service account get secrets with the name ${name} (RBAC)`
    if (status === 404) return 'create the Secret, or check its name and namespace'
    return 'look at the API server; it is asked again'
  }
}

const UNREACHABLE =
  'check that secrets.kubernetes.address is the API server, and the network policy'

const REMEDIES: Readonly<Record<string, string | undefined>> = {
  TIMEOUT: 'look at the API server and the network policy, or give the reference a longer timeout',
  REPLY_TOO_LARGE: 'keep the key in a Secret of its own',
}

/** The Secret, or `undefined` for anything else. A parser's error would quote it, and is dropped. */
function parsed(body: Buffer): Answer | undefined {
  try {
    const tree = JSON.parse(body.toString('utf8')) as { kind?: unknown } | null
    return tree?.kind === 'Secret' ? (tree as Answer) : undefined
  } catch {
    return undefined
  }
}
