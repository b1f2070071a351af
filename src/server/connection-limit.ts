// Bounds the connections of one listener. One too many gets its first request refused in a way that
// its client understands; only a flood is dropped without a word.

import type { IncomingMessage } from 'node:http'

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { lingeringClose } from '../proxy/linger.ts'
import type { ClientSocket } from './client-socket.ts'
import type { ListenerObserver } from './listener-events.ts'
import { rawRefusal } from './raw-refusal.ts'

/** See `connectionLimit`. */
export interface ConnectionLimit {
  /** Counts a connection that is ready for requests. */
  admit(socket: ClientSocket): void
  /** Answers the request if its connection is one too many; false if it is to be served. */
  refused(request: IncomingMessage): boolean
}

/** How long a connection that is one too many may take to ask. */
const PATIENCE = 1000

const SURPLUS = Symbol('one connection too many')

interface SurplusSocket extends ClientSocket {
  [SURPLUS]?: 'waiting' | 'answered'
}

/** Serves `connections` at the same time. */
export function connectionLimit(
  connections: number,
  clock: Clock,
  observe: ListenerObserver,
): ConnectionLimit {
  let served = 0

  function left(): void {
    served -= 1
  }

  return {
    admit(socket: SurplusSocket) {
      if (served < connections) {
        served += 1
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
