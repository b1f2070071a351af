// Who a connection says that its peer is, without a word in the request: by client certificate, by the
// socket that it came through, by the peer's network, or by being on this machine.

import type { Clock } from '../base/clock.ts'
import { VIA } from './caller.ts'
import type { Caller, PeerSocket } from './caller.ts'
import { certificateNames } from './certificate-names.ts'
import { isLoopback, networkLookup } from './networks.ts'
import type { ConsumerSettings } from './options.ts'

/** What is known of one connection. */
export interface Surroundings {
  /**
   * Whom a certificate names that the listener verified: a consumer, nobody that is configured, or two
   * of them; `undefined` without one.
   */
  readonly certified: Caller | 'nobody' | 'several' | 'expired' | undefined
  /** By socket, network or as anonymous. */
  readonly nearby: Caller | undefined
}

interface Remembered extends Surroundings {
  /** End of the certificate, milliseconds since 1970. */
  readonly until: number
}

/**
 * Builds the function that looks at a connection. It looks once at each, for neither peer nor certificate
 * can change (there is no renegotiation), but a certificate ends on its day in the middle of one.
 */
export function surroundings(
  consumers: readonly (readonly [string, ConsumerSettings])[],
  clock: Clock,
): (socket: PeerSocket) => Surroundings {
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
      networks.map((network) => [network, consumer] as const),
    ),
  )
  const anonymous = consumers.find(([, settings]) => settings.anonymous)?.[0]

  function nearby(socket: PeerSocket): Caller | undefined {
    const via = socket[VIA]
    if (via === undefined) return undefined
    if (via.socketPath !== undefined) {
      const consumer = sockets.get(via.socketPath)
      if (consumer !== undefined) return { consumer, by: 'socket' }
    } else {
      // Gone when the peer is; then nobody waits for an answer.
      const peer = socket.remoteAddress
      if (peer === undefined) return undefined
      const consumer = networkOf(peer)
      if (consumer !== undefined) return { consumer, by: 'network' }
      // A listener for others may stand behind something on this machine that passes strangers on.
      if (!via.local || !isLoopback(peer)) return undefined
    }
    return anonymous === undefined ? undefined : { consumer: anonymous, by: 'anonymous' }
  }

  function certified(socket: PeerSocket): Pick<Remembered, 'certified' | 'until'> {
    const none = { certified: undefined, until: Infinity }
    // Where no consumer has a name of a certificate, one is asked for other reasons.
    if (certificates.size === 0 || socket.authorized !== true) return none
    // Node.js calls a resumed TLS 1.3 session authorized, with a certificate or without.
    const certificate = socket.getPeerX509Certificate?.()
    if (certificate === undefined) return none
    const until = certificate.validToDate.getTime()
    const named = new Set(
      certificateNames(certificate).flatMap((name) => certificates.get(name) ?? []),
    )
    const [consumer] = named
    if (consumer === undefined) return { certified: 'nobody', until }
    return named.size > 1
      ? { certified: 'several', until }
      : { certified: { consumer, by: 'mtls' }, until }
  }

  return function look(socket) {
    let found = remembered.get(socket)
    if (found === undefined) {
      found = { ...certified(socket), nearby: nearby(socket) }
      remembered.set(socket, found)
    }
    if (found.certified === undefined || clock.wall() < found.until) return found
    return { certified: 'expired', nearby: found.nearby }
  }
}
