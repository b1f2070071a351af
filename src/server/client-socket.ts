// What a listener remembers of one connection of a client.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { VIA, Via } from '../consumers/caller.ts'

/** Requests that are being answered, or wait for that. */
export const OPEN = Symbol('open exchanges')

/** Set once what comes cannot be read as requests any more. */
export const BROKEN = Symbol('unreadable from here on')

/** The latest request, whose body may still come. */
export const LATEST = Symbol('latest request')

/** Requests that wait for those before them, and their responses. */
export const WAITING = Symbol('pipelined requests')

/** Set once the CAs that the client's certificate was judged by are no longer those of the listener. */
export const OUTDATED = Symbol('judged by former CAs')

/** A connection of a client; over TLS it is the inner one. */
export interface ClientSocket extends Socket {
  [VIA]?: Via
  [OUTDATED]?: boolean
  [OPEN]?: number
  [BROKEN]?: boolean
  [LATEST]?: IncomingMessage | undefined
  [WAITING]?: (readonly [IncomingMessage, ServerResponse])[]
  /** Of a TLS connection: the TCP or unix one below. Not documented, but Node's own timers use it. */
  readonly _parent?: Socket | null
}

/** How many exchanges are open on `socket`. */
export function openExchanges(socket: ClientSocket): number {
  return socket[OPEN] ?? 0
}

/** Ends a connection so that the client sees that it broke. (A unix socket knows no reset.) */
export function breakConnection(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy()
  else socket.resetAndDestroy()
}

/**
 * Gives a TLS connection the reset that Node refuses it. Without one, a reply cut short would end like
 * a reply that ends with the connection, for many clients take a missing close_notify for an end.
 */
export function teachReset(socket: ClientSocket): void {
  const below = socket._parent
  if (below == null) return
  socket.resetAndDestroy = () => {
    if (below.remoteAddress === undefined) below.destroy()
    else below.resetAndDestroy()
    return socket
  }
}
