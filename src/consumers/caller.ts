// Who asks, and what a request shows of that.

import type { X509Certificate } from 'node:crypto'

/** By what a caller was identified. */
export type IdentifiedBy =
  | 'key'
  | 'token'
  | 'mtls'
  | 'socket'
  | 'network'
  | 'forwarded'
  | 'anonymous'

/** The consumer behind a request. */
export interface Caller {
  readonly consumer: string
  readonly by: IdentifiedBy
  /**
   * Which one of that kind: the id of the key (also of the one that a token came from), the name in the
   * certificate, the path of the socket, or the network; no secret. None of `anonymous`.
   */
  readonly which?: string | undefined
}

/** How `caller` was identified, for the records: `key:k7x2abcd`, `network:10.1.0.0/16`, `anonymous`. */
export function identifiedBy({ by, which }: Caller): string {
  return which === undefined ? by : `${by}:${which}`
}

/** The listener that a connection came through. */
export interface Via {
  /** As configured; port 0 stays 0. */
  readonly address: string
  /** Path of the socket; `undefined` for TCP. */
  readonly socketPath: string | undefined
  /** Whether only this machine can reach it: loopback, or a unix socket. */
  readonly local: boolean
}

/** Where the listener leaves its `Via` on the socket of a connection; over TLS on the inner one. */
export const VIA = Symbol('listener')

/** What a connection says of its peer; a `net.Socket` or `tls.TLSSocket` of a listener of ours. */
export interface PeerSocket {
  readonly remoteAddress?: string | undefined
  /** Over TLS: the peer showed a certificate of a CA that the listener trusts for clients. */
  readonly authorized?: boolean
  getPeerX509Certificate?(): X509Certificate | undefined
  [VIA]?: Via
}

/** What a request shows of its sender. */
export interface Call {
  /** Value of `X-Api-Key`. */
  readonly apiKey: string | undefined
  /** Value of `Authorization`. */
  readonly authorization: string | undefined
  /** Value of `X-Forwarded-For`, all fields joined; a claim that only a trusted hop is believed. */
  readonly forwardedFor: string | undefined
  readonly socket: PeerSocket
}

/** A request for a local token. */
export interface Login extends Call {
  readonly clientId: string
  readonly clientSecret: string
}

/** Who a token is for. */
export interface Admitted extends Caller {
  /** The key that was shown, with which the token ends; none where the connection identifies. */
  readonly key?: AdmittedKey | undefined
}

/** The part of a key that a token remembers. */
export interface AdmittedKey {
  readonly id: string
  readonly sha256: string
  /** Milliseconds since 1970; `undefined` never. */
  readonly expiresAt: number | undefined
}

/** Says who asks. */
export interface Identity {
  /** Names the caller; throws a Fault of status 401 if it cannot be. */
  identify(call: Call): Caller
  /**
   * Whether other callers than the one of a request may stand behind a connection, so that one who is not
   * known must not end it: always where nobody is told apart, and that of a trusted hop.
   */
  isShared(socket: PeerSocket): boolean
  /** Whom a local token would be for; throws a Fault of status 401 as above. */
  admit(login: Login): Admitted
}
