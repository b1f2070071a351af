// Where a listener listens, from the text that users write.

import { isIPv4, isIPv6 } from 'node:net'

/** One listening address. `host` is without brackets; `port` 0 lets the system choose. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** What is wrong with an address, in fixed words. */
export interface AddressDefect {
  readonly fault: string
  readonly remedy: string
}

// `sun_path` of sockaddr_un holds 104 bytes on macOS and 108 on Linux, the end mark included.
const MAX_SOCKET_PATH = 103
const NAME = /^(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/
const EXAMPLES = 'write host:port (127.0.0.1:8080), [::1]:port, or unix:/path'

/** Parses `host:port`, `[v6]:port` or `unix:/path`. */
export function parseAddress(text: string): ListenAddress | AddressDefect {
  if (text.startsWith('unix:')) return parseSocketPath(text.slice('unix:'.length))
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text)
  if (match === null) return { fault: 'is not an address to listen on', remedy: EXAMPLES }
  const [, v6, name, digits] = match
  const port = Number(digits)
  if (port > 65_535) return { fault: 'has a port above 65535', remedy: 'choose a port up to 65535' }
  if (v6 !== undefined) {
    return isIPv6(v6)
      ? { kind: 'tcp', host: canonicalV6(v6), port }
      : { fault: 'has no IPv6 address in its brackets', remedy: EXAMPLES }
  }
  const host = (name ?? '').toLowerCase()
  if (host === '') {
    return {
      fault: 'names no host',
      remedy: 'write 127.0.0.1 before the port, or 0.0.0.0 to be reached from other machines',
    }
  }
  if (isIPv4(host) || (NAME.test(host) && !/(?:^|\.)\d+$/.test(host))) {
    return { kind: 'tcp', host, port }
  }
  return { fault: 'has neither a host name nor an IP address before its port', remedy: EXAMPLES }
}

function parseSocketPath(path: string): ListenAddress | AddressDefect {
  if (!path.startsWith('/') || path.endsWith('/') || path.includes('\0')) {
    return { fault: 'is not the absolute path of a socket', remedy: 'write unix:/path/to/socket' }
  }
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    return { fault: 'is too long for a socket path', remedy: 'choose a path of at most 103 bytes' }
  }
  return { kind: 'unix', path }
}

/** Whether only this machine can reach it: a unix socket, or a loopback name or address. */
export function isLocal(address: ListenAddress): boolean {
  if (address.kind === 'unix') return true
  return address.host === 'localhost' || address.host === '::1' || isLoopbackV4(address.host)
}

/** Whether both cannot be open at once. */
export function collide(one: ListenAddress, other: ListenAddress): boolean {
  if (one.kind === 'unix' || other.kind === 'unix') {
    return one.kind === 'unix' && other.kind === 'unix' && one.path === other.path
  }
  if (one.port !== other.port || one.port === 0) return false
  const [a, b] = [bound(one.host), bound(other.host)]
  if (a === b || a === '::' || b === '::') return true
  return (a === '0.0.0.0' && !b.includes(':')) || (b === '0.0.0.0' && !a.includes(':'))
}

/** How an address is shown. */
export function addressText(address: ListenAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `${host}:${address.port}`
}

/** The one short form, so that addresses can be compared; one with a zone (`%eth0`) stays as it is. */
function canonicalV6(host: string): string {
  const url = `http://[${host}]`
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : host.toLowerCase()
}

function isLoopbackV4(host: string): boolean {
  return isIPv4(host) && host.startsWith('127.')
}

function bound(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host
}
