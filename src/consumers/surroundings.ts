// Who a request's surroundings say that it is, without a word of its own: by client certificate, by the
// socket that it came through, by the network that it came from, or by being on this machine.

import type { Clock } from '../base/clock.ts'
import { VIA } from './caller.ts'
import type { Call, Caller, IdentifiedBy, PeerSocket } from './caller.ts'
import { certificateNames } from './certificate-names.ts'
import { forwardedAddress } from './forwarded-address.ts'
import { isLoopback, networkLookup, networkMembership, networkText } from './networks.ts'
import type { ConsumerSettings, TrustedHops } from './options.ts'

/** See `surroundings`. */
export interface SurroundingsOptions {
  readonly consumers: readonly (readonly [string, ConsumerSettings])[]
  readonly trustedHops: TrustedHops
}

/** What is known of one connection. */
export interface Surroundings {
  /**
   * Whom a certificate names that the listener verified: a consumer, nobody that is configured, or two
   * of them; `undefined` without one.
   */
  readonly certified: Caller | 'nobody' | 'several' | 'expired' | undefined
  /** By socket, network or as anonymous. */
  readonly nearby: Caller | undefined
  /** The peer is a trusted hop, so that each request says for itself where it came from. */
  readonly hop: boolean
}

interface Remembered extends Surroundings {
  /** End of the certificate, milliseconds since 1970. */
  readonly until: number
}

/**
 * Builds the function that looks at a request's connection. It looks once at each, for neither peer nor
 * certificate can change (there is no renegotiation), but a certificate ends on its day in the middle of
 * one, and each request through a trusted hop comes from somewhere else.
 */
export function surroundings(
  { consumers, trustedHops }: SurroundingsOptions,
  clock: Clock,
): (call: Pick<Call, 'socket' | 'forwardedFor'>) => Surroundings {
  const remembered = new WeakMap<PeerSocket, Remembered>()
  const certificates = new Map(
    consumers.flatMap(([consumer, { mtls }]) => mtls.map((name) => [name, consumer] as const)),
  )
  const sockets = new Map(
    consumers.flatMap(([consumer, { sockets: paths }]) =>
      paths.map((path) => [path, consumer] as const),
    ),
  )
  const networkOf = networkLookup(
    consumers.flatMap(([consumer, { networks }]) =>
      networks.map((network) => [network, { consumer, which: networkText(network) }] as const),
    ),
  )
  const isHop = networkMembership(trustedHops)
  const anonymous = consumers.find(([, settings]) => settings.anonymous)?.[0]

  function byNetwork(address: string | undefined, by: IdentifiedBy): Caller | undefined {
    const found = address === undefined ? undefined : networkOf(address)
    return found && { ...found, by }
  }

  /** By the connection alone; nobody where the peer is a hop, which asks for others. */
  function nearby(socket: PeerSocket): Pick<Remembered, 'nearby' | 'hop'> {
    const via = socket[VIA]
    const nobody = { nearby: undefined, hop: false }
    if (via === undefined) return nobody
    if (via.socketPath !== undefined) {
      const consumer = sockets.get(via.socketPath)
      if (consumer !== undefined) {
        return { ...nobody, nearby: { consumer, by: 'socket', which: via.socketPath } }
      }
    } else {
      // Gone when the peer is; then nobody waits for an answer.
      const peer = socket.remoteAddress
      if (peer === undefined) return nobody
      if (isHop(peer)) return { nearby: undefined, hop: true }
      const caller = byNetwork(peer, 'network')
      if (caller !== undefined) return { ...nobody, nearby: caller }
      // A listener for others may stand behind something on this machine that passes strangers on.
      if (!via.local || !isLoopback(peer)) return nobody
    }
    return anonymous === undefined
      ? nobody
      : { ...nobody, nearby: { consumer: anonymous, by: 'anonymous' } }
  }

  function certified(socket: PeerSocket): Pick<Remembered, 'certified' | 'until'> {
    const none = { certified: undefined, until: Infinity }
    // Where no consumer has a name of a certificate, one is asked for other reasons.
    if (certificates.size === 0 || socket.authorized !== true) return none
    // Node.js calls a resumed TLS 1.3 session authorized, with a certificate or without.
    const certificate = socket.getPeerX509Certificate?.()
    if (certificate === undefined) return none
    const until = certificate.validToDate.getTime()
    const named = new Map(
      certificateNames(certificate).flatMap((which) => {
        const consumer = certificates.get(which)
        return consumer === undefined ? [] : [[consumer, which] as const]
      }),
    )
    const [first] = named
    if (first === undefined) return { certified: 'nobody', until }
    if (named.size > 1) return { certified: 'several', until }
    const [consumer, which] = first
    return { certified: { consumer, by: 'mtls', which }, until }
  }

  return function look({ socket, forwardedFor }) {
    let found = remembered.get(socket)
    if (found === undefined) {
      found = { ...certified(socket), ...nearby(socket) }
      remembered.set(socket, found)
    }
    const late = found.certified !== undefined && clock.wall() >= found.until
    if (!late && !found.hop) return found
    const { hop, nearby: peer } = found
    return {
      certified: late ? 'expired' : found.certified,
      // Who shows a key need not be looked for.
      get nearby() {
        return hop ? byNetwork(forwardedAddress(forwardedFor, isHop), 'forwarded') : peer
      },
      hop,
    }
  }
}
