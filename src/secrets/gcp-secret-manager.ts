// Reads from Google Secret Manager over its REST interface. The only file that knows its SDK, which is
// loaded at the first read.

import type { SecretManagerServiceClient } from '@google-cloud/secret-manager'

import type { Clock } from '../base/clock.ts'
import { cloudFault, cloudLibrary } from './cloud.ts'
import { crc32c } from './gcp-checksum.ts'
import { GcpLoginFailure } from './gcp-failure.ts'
import { gcpTransport } from './gcp-transport.ts'
import { VendorFailure } from './vendor-http.ts'

/** See `secretManagerReader`. */
export interface SecretManagerOptions {
  /** `projects/…/secrets/…/versions/…`. */
  readonly name: string
  /** Origin; undefined for the public one. */
  readonly endpoint: string | undefined
  /** Milliseconds of each exchange. */
  readonly timeout: number
  /** For errors. */
  readonly reference: string
}

/**
 * Reads one version of a secret, and checks it against the checksum that comes with it; `undefined`
 * when there is an answer without a value. Built without I/O; rejects with what the SDK throws.
 */
export function secretManagerReader(options: SecretManagerOptions, clock: Clock) {
  const { name, endpoint, timeout, reference } = options
  let client: SecretManagerServiceClient | undefined

  return async function read(): Promise<Uint8Array | undefined> {
    const library = await cloudLibrary(
      '@google-cloud/secret-manager',
      reference,
      () => import('@google-cloud/secret-manager'),
    )
    client ??= new library.SecretManagerServiceClient({
      // REST: without it every read would go over gRPC, past our transport.
      fallback: true,
      ...(endpoint === undefined ? {} : target(endpoint)),
      clientOptions: { transporterOptions: { adapter: gcpTransport(timeout, clock) } },
    })
    await loggedIn(client)
    const [{ payload }] = await client.accessSecretVersion({ name }, { timeout, retry: null })
    if (payload?.data === undefined || payload.data === null) return undefined
    const { data, dataCrc32c } = payload
    const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : data
    if (dataCrc32c != null && Number(String(dataCrc32c)) !== crc32c(bytes)) {
      throw cloudFault(reference, [
        'came damaged (its checksum differs)',
        'wait, it is tried again',
      ])
    }
    return bytes
  }
}

/** Gets a token first (the SDK keeps it), so that a failure of that is told apart. */
async function loggedIn(client: SecretManagerServiceClient): Promise<void> {
  try {
    await client.auth.getRequestHeaders()
  } catch (error) {
    if (error instanceof Error && error.cause instanceof VendorFailure) throw error.cause
    throw new GcpLoginFailure()
  }
}

function target(endpoint: string) {
  const { protocol, hostname, port } = new URL(endpoint)
  return {
    apiEndpoint: hostname,
    protocol: protocol.slice(0, -1),
    port: Number(port) || (protocol === 'http:' ? 80 : 443),
  }
}
