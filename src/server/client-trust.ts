// Whether a client is let into a TLS listener: what the handshake asks for, and what is looked at once
// more behind it. What a certificate says is read in src/consumers.

import { constants } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

import type { Endpoint } from '../config/endpoint.ts'
import type { CertificatePair } from './certificate-pair.ts'

/** What a TLS server of `node:https` takes of `pair`. With `ca`, the system's CAs are not asked. */
export function secureContext({ cert, key, clientCa }: CertificatePair) {
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION
  const trust = clientCa === undefined ? {} : { ca: clientCa }
  return { cert, key, ...trust, secureOptions, minVersion: 'TLSv1.2' } as const
}

/** Settings of a TLS server that stay: whether it asks for a certificate, and refuses without. */
export function clientTrust({ tls }: Endpoint) {
  return {
    requestCert: tls?.client !== undefined,
    rejectUnauthorized: tls?.client?.required === true,
  }
}

/**
 * Why a client may not come in, after a handshake that went well: Node.js lets a certificate that is not
 * trusted pass where one is optional, and calls a resumed TLS 1.3 session authorized without one.
 */
export function distrusted(socket: TLSSocket, { tls }: Endpoint): string | undefined {
  if (tls?.client === undefined) return undefined
  if (socket.getPeerX509Certificate() === undefined) {
    return tls.client.required ? 'NO_CLIENT_CERTIFICATE' : undefined
  }
  if (socket.authorized) return undefined
  // Typed as an error, but it is the code of one.
  return String(socket.authorizationError)
}
