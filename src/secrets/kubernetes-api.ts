// The way to one Secret at the Kubernetes API: where, as whom, and whom to trust. All of it is looked
// up anew for each request, for Kubernetes rotates tokens and authorities under a running pod.

import { join } from 'node:path'

import { errorCode, Fault } from '../base/fault.ts'
import type { KubernetesSettings } from './kubernetes-options.ts'
import type { SecretReference } from './reference-options.ts'
import { readSmallFile } from './small-file.ts'
import type { SecretSource } from './source.ts'

/** See `kubernetesApi`. */
export interface KubernetesApiDependencies {
  /** Names the API server of the cluster: `KUBERNETES_SERVICE_HOST` and `_PORT`. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The source of a secret that is needed to log in. */
  readonly secret: (reference: SecretReference) => SecretSource
}

/** One request to the API, but for its query. */
export interface KubernetesRequest {
  /** Of the collection of Secrets of the namespace; a Secret's own is below it. */
  readonly secrets: string
  readonly headers: Readonly<Record<string, string>>
  /** Certificates in PEM. */
  readonly ca: string | undefined
}

/**
 * What a request for Secrets of `namespace` (`undefined` for the pod's own) needs. The function that
 * is returned rejects with a Fault `secret_unavailable` that names `reference`.
 */
export function kubernetesApi(
  place: { readonly reference: string; readonly namespace: string | undefined },
  settings: KubernetesSettings,
  deps: KubernetesApiDependencies,
): () => Promise<KubernetesRequest> {
  const { reference } = place
  const at = (name: string) => join(settings.serviceAccount, name)
  const token = deps.secret(settings.token ?? { kind: 'file', path: at('token') })

  function origin(): string {
    if (settings.address !== undefined) return settings.address.replace(/\/+$/, '')
    const host = deps.environment['KUBERNETES_SERVICE_HOST'] ?? ''
    const port = deps.environment['KUBERNETES_SERVICE_PORT'] ?? '443'
    if (host !== '') return `https://${host.includes(':') ? `[${host}]` : host}:${port}`
    throw unavailable(
      'has no API server, for this is no pod',
      'write secrets.kubernetes.address, and token and ca beside it',
    )
  }

  async function namespace(): Promise<string> {
    if (place.namespace !== undefined) return place.namespace
    const remedy = 'write the namespace into the reference, k8s:namespace/name#key'
    const found = (await text(at('namespace'), remedy)).trim()
    if (/^[a-z0-9-]+$/.test(found)) return found
    throw unavailable('has no namespace, for the file of the service account names none', remedy)
  }

  async function ca(): Promise<string | undefined> {
    if (settings.ca !== undefined) return text(settings.ca, 'check secrets.kubernetes.ca')
    try {
      return await readSmallFile(at('ca.crt'))
    } catch (error) {
      // Outside a cluster the usual authorities may do.
      if (settings.address !== undefined && errorCode(error) === 'ENOENT') return undefined
      throw unreadable(at('ca.crt'), error, 'mount the service account, or name the file by ca')
    }
  }

  async function text(path: string, remedy: string): Promise<string> {
    try {
      return await readSmallFile(path)
    } catch (error) {
      throw unreadable(path, error, remedy)
    }
  }

  const unavailable = (what: string, remedy: string) =>
    new Fault('secret_unavailable', { detail: `${reference} ${what}: ${remedy}.` })
  const unreadable = (path: string, error: unknown, remedy: string) =>
    unavailable(`needs ${path}, which cannot be read (${errorCode(error)})`, remedy)

  return async function request() {
    const base = origin()
    const [space, authority, bearer] = await Promise.all([namespace(), ca(), login()])
    return {
      secrets: `${base}/api/v1/namespaces/${space}/secrets`,
      headers: { authorization: `Bearer ${bearer.reveal()}` },
      ca: authority,
    }
  }

  async function login() {
    try {
      return await token.read()
    } catch {
      throw unavailable(
        `needs ${token.reference}, which cannot be read`,
        'mount the service account (automountServiceAccountToken), or name a token',
      )
    }
  }
}
