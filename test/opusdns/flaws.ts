// How switches bend a reply before it is delivered, and a connection after it.

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Switches } from './faults.ts'
import { forced, type Reply } from './problems.ts'

/** The reply that switches force, or undefined. */
export function flawed(flaws: Switches): Reply | undefined {
  if (flaws.body !== undefined)
    return { status: flaws.status ?? 200, body: Buffer.from(flaws.body) }
  return flaws.status === undefined ? undefined : forced(flaws.status)
}

/** `reply` with the headers that switches add. */
export function adorned(reply: Reply, flaws: Switches): Reply {
  const extra = Object.entries(flaws.headers ?? {}).flat()
  if (flaws.status !== undefined && flaws.retryAfter !== undefined)
    extra.push('retry-after', String(flaws.retryAfter))
  return extra.length === 0 ? reply : { ...reply, headers: [...(reply.headers ?? []), ...extra] }
}

/** Closes the connection after the reply where a switch says so. */
export function closeLater(socket: Socket, response: ServerResponse, flaws: Switches): void {
  if (flaws.closeIdle === undefined || flaws.closeIdle === false) return
  const wait = flaws.closeIdle === true ? 0 : flaws.closeIdle
  response.once('finish', () => void setTimeout(() => socket.destroySoon(), wait).unref())
}
