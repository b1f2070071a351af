// "Who?": names the consumer behind a request, and writes down who it is and how that is known.

import type { Socket } from 'node:net'

import { Fault } from '../base/fault.ts'
import { identifiedBy } from '../consumers/caller.ts'
import type { Caller, Identity } from '../consumers/caller.ts'
import { claimedKeyId } from '../consumers/consumer-key.ts'
import type { Consumer } from './consumer.ts'
import type { Exchange } from './exchange.ts'
import type { RequestHead } from './request-head.ts'

/** See `identification`. */
export interface IdentificationDeps {
  readonly identity: Identity
  /** By name: all that `identity` may name. */
  readonly consumers: ReadonlyMap<string, Consumer>
}

/** Names the consumer of an exchange; throws a Fault of status 401 if it cannot be. */
export type Identification = (exchange: Exchange, head: RequestHead) => Consumer

/** Builds it. */
export function identification({ identity, consumers }: IdentificationDeps): Identification {
  return function identified(exchange, { apiKey, authorization, forwardedFor }) {
    const { socket } = exchange
    const call = { apiKey, authorization, forwardedFor, socket }
    let caller: Caller
    try {
      caller = identity.identify(call)
    } catch (error) {
      turnAway(exchange, identity)
      noteClaim(exchange, error, [apiKey, authorization])
      throw error
    }
    noteCaller(exchange, caller)
    const consumer = consumers.get(caller.consumer)
    if (consumer === undefined) throw new Error('identified as nobody')
    return consumer
  }
}

/** Writes down who asks, and that the connection is no stranger's. */
export function noteCaller(exchange: Exchange, caller: Caller): void {
  exchange.consumer = caller.consumer
  exchange.by = identifiedBy(caller)
  const socket: KnownSocket = exchange.socket
  socket[KNOWN] = true
}

/** Writes down which keys were `sent`, if that is why nobody could be identified. */
export function noteClaim(
  exchange: Exchange,
  error: unknown,
  sent: readonly (string | undefined)[],
): void {
  if (!(error instanceof Fault) || error.code !== 'invalid_consumer_key') return
  const ids = new Set(sent.flatMap((text) => claimedKeyId(text) ?? []))
  exchange.by = [...ids].map((id) => `key:${id}`).join(',')
}

/** Makes the refusal of a stranger the last reply of its connection, for that takes a place of others. */
export function turnAway(exchange: Exchange, identity: Identity): void {
  if (!exchange.settled && !identity.isShared(exchange.socket)) exchange.closeAfterReply()
}

const KNOWN = Symbol('somebody was identified here')

interface KnownSocket extends Socket {
  [KNOWN]?: true
}

/** Whether somebody was identified on the connection. */
export function isIdentified(socket: Socket): boolean {
  return (socket as KnownSocket)[KNOWN] === true
}
