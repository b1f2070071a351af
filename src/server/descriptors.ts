// File descriptors: how many connections they suffice for, and notice when they run out. Node.js tells
// nobody when accepting fails for want of one: libuv drops the connection, or tries again without end.

import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs'

import type { Cancel, Clock } from '../base/clock.ts'
import { errorCode } from '../base/fault.ts'

/** See `descriptorsLeft`; tests give files of their own. */
export interface DescriptorFiles {
  readonly limits: string
  readonly open: string
}

const OWN: DescriptorFiles = { limits: '/proc/self/limits', open: '/proc/self/fd' }

/** How many more files this process may open; `Infinity` where the system does not say. */
export function descriptorsLeft(files: DescriptorFiles = OWN): number {
  try {
    const soft = /^Max open files +(\d+) /m.exec(readFileSync(files.limits, 'latin1'))?.[1]
    return soft === undefined ? Infinity : Number(soft) - readdirSync(files.open).length
  } catch {
    return Infinity
  }
}

/** What the connections of one listener are bounded to. */
export interface ConnectionBounds {
  /** Served at the same time. */
  readonly connections: number
  /** Beyond that, answered 503. */
  readonly surplus: number
}

const SURPLUS = 1024

/** Connections of the operators' listener, at most. */
export const ADMIN_CONNECTIONS = 256

/**
 * The bounds of each of `listeners` listeners for clients that want `connections` each, where `left` descriptors
 * have to do for them, for `upstream` connections to OpusDNS, and for all else.
 */
export function connectionBounds(wanted: {
  readonly connections: number
  readonly listeners: number
  readonly upstream: number
  readonly left: number
}): ConnectionBounds {
  const { connections, listeners, upstream, left } = wanted
  // At most half for what is no client: a proxy that accepts nobody needs no upstream either.
  const kept = Math.min(upstream * 2 + ADMIN_CONNECTIONS * 1.25 + 64, left / 2)
  const each = Math.max(4, Math.floor((left - kept) / listeners))
  const surplus = Math.min(SURPLUS, Math.floor(each / 4))
  return { connections: Math.min(connections, each - surplus), surplus }
}

const LOOK_MS = 1000

/** Calls `exhausted` with the error's code, once a second while no file can be opened. */
export function watchDescriptors(clock: Clock, exhausted: (cause: string) => void): Cancel {
  let cancel: Cancel
  function look(): void {
    cancel = clock.after(LOOK_MS, look)
    try {
      // At once, not by a thread: that could take the descriptor that libuv holds in reserve.
      closeSync(openSync('/dev/null', 'r'))
    } catch (error) {
      const code = errorCode(error)
      if (code === 'EMFILE' || code === 'ENFILE') exhausted(code)
    }
  }
  cancel = clock.after(LOOK_MS, look)
  return () => cancel()
}
