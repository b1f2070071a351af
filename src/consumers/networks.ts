// Networks that peers come from. What counts is the address of the connection itself; a header is a
// claim that anybody can make.

import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** A network, in the one way in which it is written. */
export interface Network {
  readonly family: 'ipv4' | 'ipv6'
  /** Canonical; all bits behind the prefix are 0. */
  readonly address: string
  /** Length in bits. */
  readonly prefix: number
}

/** The value for `address`, `undefined` if it lies in none. */
export type NetworkLookup<T> = (address: string) => T | undefined

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** Parses `10.1.0.0/16`, `2001:db8::/32`, or one address; a text says what is wrong with it. */
export function parseNetwork(text: string): Network | string {
  const [address = '', ...lengths] = text.split('/')
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  if (lengths.length > 1 || address.includes('%') || (family === 'ipv6' && !isIPv6(address))) {
    return 'is no network; write 10.1.0.0/16, 2001:db8::/32 or one address'
  }
  const bits = family === 'ipv4' ? 32 : 128
  const [digits = String(bits)] = lengths
  const prefix = Number(digits)
  if (!/^\d{1,3}$/.test(digits) || prefix > bits)
    return `has no prefix length; write 0 to ${bits} behind the slash`
  const number = numberOf(address, family)
  if (family === 'ipv6' && number >> 32n === 0xffffn) {
    return 'is an IPv4 network inside of IPv6; write it as IPv4, such as 10.1.0.0/16'
  }
  const host = BigInt(bits - prefix)
  const base = textOf((number >> host) << host, family)
  if (numberOf(base, family) !== number) {
    return `has bits behind its prefix; write ${base}/${prefix}`
  }
  return { family, address: base, prefix }
}

/**
 * Whether it holds more than the networks of any one organization do: less of a prefix than 10.0.0.0/8
 * (RFC 1918) and fc00::/7 (RFC 4193) have.
 */
export function isWorldwide({ family, prefix }: Network): boolean {
  return prefix < (family === 'ipv4' ? 8 : 7)
}

/** `10.1.0.0/16`. */
export function networkText({ address, prefix }: Network): string {
  return `${address}/${prefix}`
}

/**
 * Builds the look-up of the value of a peer's network. Of several that hold an address, the one with the
 * longest prefix decides. An IPv4 peer of an IPv6 socket (`::ffff:10.0.0.1`) lies in IPv4 networks.
 */
export function networkLookup<T>(entries: readonly (readonly [Network, T])[]): NetworkLookup<T> {
  const lists = entries
    .map(([network, value]) => ({ network, value, list: blockList(network) }))
    .toSorted((one, other) => other.network.prefix - one.network.prefix)

  return function lookup(address) {
    if (lists.length === 0) return undefined
    const plain = plainAddress(address)
    const family = isIPv4(plain) ? 'ipv4' : 'ipv6'
    if (family === 'ipv6' && !isIPv6(plain)) return undefined
    return lists.find(({ network, list }) => network.family === family && list.check(plain, family))
      ?.value
  }
}

/** Whether `address` lies in one of `networks`. */
export function networkMembership(networks: readonly Network[]): (address: string) => boolean {
  const lookup = networkLookup(networks.map((network) => [network, true]))
  return (address) => lookup(address) === true
}

/** `address` in the one way in which it is written; it must be one. */
export function canonicalAddress(address: string): string {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6'
  return textOf(numberOf(address, family), family)
}

/** Whether `address` is one of this machine's loopback addresses. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address)
  return plain === '::1' || (isIPv4(plain) && plain.startsWith('127.'))
}

/** Without the zone of a link-local address, and IPv4 as such. */
function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address.replace(/%.*$/, '')
}

function blockList({ address, prefix, family }: Network): BlockList {
  const list = new BlockList()
  list.addSubnet(address, prefix, family)
  return list
}

function numberOf(address: string, family: Network['family']): bigint {
  const hex =
    family === 'ipv4'
      ? address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
      : groupsOf(address)
  return BigInt(`0x${hex.join('')}`)
}

/** The eight groups of an IPv6 address, four digits each. */
function groupsOf(address: string): string[] {
  // The URL parser writes the short form, without dots.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail = ''] = short.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail)]
  const missing = Math.max(0, 8 - before.length - after.length)
  return [...before, ...Array.from({ length: missing }, () => '0'), ...after].map((group) =>
    group.padStart(4, '0'),
  )
}

function textOf(number: bigint, family: Network['family']): string {
  const hex = number.toString(16).padStart(family === 'ipv4' ? 8 : 32, '0')
  if (family === 'ipv4') {
    return (hex.match(/../g) ?? []).map((part) => Number.parseInt(part, 16)).join('.')
  }
  const groups = (hex.match(/..../g) ?? []).join(':')
  return new URL(`http://[${groups}]`).hostname.slice(1, -1)
}
