// Bounds the connections of one listener. One too many gets its first request refused in a way that
// its client understands; only a flood is dropped without a word. Where callers are identified, strangers
// keep nobody out: the oldest connection on which nobody was identified gives way.

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { isIdentified } from '../proxy/identification.ts'
import { lingeringClose } from '../proxy/linger.ts'
import type { ClientSocket } from './client-socket.ts'
import type { ListenerObserver } from './listener-events.ts'
import { rawRefusal } from './raw-refusal.ts'

/** See `connectionLimit`. */
export interface ConnectionBoundsOptions {
  /** Served at the same time. */
  readonly connections: number
  /** Beyond that, in a handshake or to be refused. */
  readonly surplus: number
}

/** See `connectionLimit`. */
export interface ConnectionLimitDeps {
  readonly clock: Clock
  readonly observe: ListenerObserver
  /** Whether callers are identified now; asked while the listener is full. */
  readonly identifies: () => boolean
}

/** See `connectionLimit`. */
export interface ConnectionLimit {
  /** Counts a connection that is ready for requests. */
  admit(socket: ClientSocket): void
  /**
   * Keeps those in a handshake (the oldest first) from taking all that there is besides `connections`: they may
   * have the places that nobody is served at, and half of the surplus.
   */
  thin(handshakes: ReadonlySet<Socket>): void
  /** Answers the request if its connection is one too many; false if it is to be served. */
  refused(request: IncomingMessage): boolean
}

/** How long a connection that is one too many may take to ask. */
const PATIENCE = 1000

const SURPLUS = Symbol('one connection too many')

interface SurplusSocket extends ClientSocket {
  [SURPLUS]?: 'waiting' | 'answered'
}

/** Builds the bound of one listener. */
export function connectionLimit(
  { connections, surplus }: ConnectionBoundsOptions,
  { clock, observe, identifies }: ConnectionLimitDeps,
): ConnectionLimit {
  const served = new Set<Socket>()
  /** Of `served`, the oldest first; those that were identified since are taken out when they are met. */
  const strangers = new Set<Socket>()

  function left(this: Socket): void {
    served.delete(this)
    strangers.delete(this)
  }

  /** Ends the oldest connection on which nobody was identified, if there is one. */
  function giveWay(): void {
    for (const socket of strangers) {
      strangers.delete(socket)
      if (isIdentified(socket)) continue
      observe.limitHit('connections')
      served.delete(socket)
      socket.destroy()
      return
    }
  }

  return {
    admit(socket: SurplusSocket) {
      if (served.size >= connections && identifies()) giveWay()
      if (served.size < connections) {
        served.add(socket)
        strangers.add(socket)
        socket.once('close', left)
        return
      }
      observe.limitHit('connections')
      socket[SURPLUS] = 'waiting'
      const cancel = clock.after(PATIENCE, () => {
        if (socket[SURPLUS] === 'waiting') socket.destroy()
      })
      socket.once('close', cancel)
    },
    thin(handshakes) {
      // The other half is for those that are refused, and for those that are closing.
      if (served.size + handshakes.size <= connections + surplus / 2 || !identifies()) return
      observe.limitHit('connections')
      const [oldest] = handshakes
      oldest?.destroy()
    },
    refused(request) {
      const socket = request.socket as SurplusSocket
      const state = socket[SURPLUS]
      if (state === undefined) return false
      if (state === 'answered') return true
      socket[SURPLUS] = 'answered'
      const fault = new Fault('overloaded', {
        detail: 'This listener has as many connections as limits.connections allows.',
        retryAfter: 1,
      })
      observe.unreadable(fault.status, 'connections')
      socket.write(rawRefusal(fault))
      lingeringClose(socket, clock)
      return true
    },
  }
}
