// Which names a caller may address this proxy by. A web page can make a browser send requests to
// 127.0.0.1 under the page's own name (DNS rebinding); the name in `Host` gives that away.

import type { Socket } from 'node:net'

/** See `hostGuard`. */
export interface HostGuardOptions {
  /** Names and addresses that are accepted besides the loopback ones, without a port. */
  readonly hosts: readonly string[]
  /**
   * Whether any valid name is: for where nobody is let in who shows nothing, so that a page in a browser,
   * which has nothing to show, gains nothing by a name. Default false.
   */
  readonly any?: boolean
}

/** Says whether `host` (the value of the field) names us, for a request on `socket`. */
export type HostGuard = (host: string, socket: Socket) => boolean

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
const AUTHORITY = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/
const MEMORY = 256
// A name of 253 characters, and a port.
const MEMORABLE = 259

/**
 * Accepts loopback names, `options.hosts`, and the address that the caller connected to; on a unix
 * socket, which no browser can reach, any valid name; and so anywhere if `options.any`. The port is free (ports get mapped), but must
 * be a port.
 */
export function hostGuard(options: HostGuardOptions): HostGuard {
  const names = new Set([...LOOPBACK, ...options.hosts.map((host) => host.toLowerCase())])
  // Values that were accepted for their name; spares the hot path a regular expression.
  const accepted = new Set<string>()

  return function guard(host, socket) {
    if (accepted.has(host)) return true
    const match = AUTHORITY.exec(host)
    if (match === null || Number(match[2] ?? 1) > 65_535 || match[2] === '0') return false
    const name = (match[1] ?? '').toLowerCase()
    if (options.any === true || names.has(name)) {
      if (accepted.size < MEMORY && host.length <= MEMORABLE) accepted.add(host)
      return true
    }
    const local = socket.localAddress
    if (local === undefined) return true
    if (local.includes(':') && name === `[${local}]`) return true
    return name === local || name === local.replace(/^::ffff:/, '')
  }
}
