// The way to the upstream, below TLS: its addresses, and whether each accepts a connection. Nothing is
// sent.

import { lookup } from 'node:dns/promises'
import { connect, isIP, isIPv6 } from 'node:net'

import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/fault.ts'
import { examined, skipped } from './finding.ts'
import type { Finding } from './finding.ts'

const DNS_DEADLINE = 3_000
const TCP_DEADLINE = 3_000

/** Where the upstream is; `host` without brackets. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly secure: boolean
}

/** Resolves a name to all its addresses, in the system's order; rejects with an error with a `code`. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** The system's own resolver, as the proxy uses it. */
export async function systemResolve(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => address)
}

/** The target of an origin such as `https://api.opusdns.com`. */
export function targetOf(origin: string): Target {
  const { protocol, hostname, port } = new URL(origin)
  const secure = protocol === 'https:'
  const usual = secure ? 443 : 80
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? usual : Number(port),
    secure,
  }
}

/** Addresses of a target, as found or connected to, and the finding about them. */
export interface Reached {
  readonly finding: Finding
  /** Empty after a failure. */
  readonly addresses: readonly string[]
}

/** Resolves the name of the upstream. */
export async function examineDns(
  { host }: Target,
  clock: Clock,
  resolve: Resolve,
): Promise<Reached> {
  const task = {
    check: 'dns',
    side: 'remote',
    did: `resolved ${host}`,
    deadline: DNS_DEADLINE,
  } as const
  if (isIP(host) !== 0) {
    const finding = skipped(task, 'the upstream is given as an address, so there is no name')
    return { finding, addresses: [host] }
  }
  let addresses: readonly string[] = []
  const finding = await examined(task, clock, async () => {
    try {
      addresses = await resolve(host)
    } catch (error) {
      return {
        outcome: 'fail',
        saw: `no address (${errorCode(error) || 'error'})`,
        remedy: `Check the spelling of upstream.base and OPUSDNS_API_BASE, then the machine's DNS: getent hosts ${host}`,
      }
    }
    return { outcome: 'ok', saw: addresses.join(', ') }
  })
  return { finding, addresses: finding.outcome === 'fail' ? [] : addresses }
}

/** Connects to each of `addresses`, all at once; yields those that accepted. */
export async function examineTcp(
  { port }: Target,
  addresses: readonly string[],
  clock: Clock,
): Promise<Reached> {
  const open: string[] = []
  const shown = addresses.map((address) => at(address, port)).join(', ')
  const finding = await examined(
    // Each connection has the deadline; the check itself ends a moment later.
    { check: 'tcp', side: 'remote', did: `connected to ${shown}`, deadline: TCP_DEADLINE + 500 },
    clock,
    async () => {
      const results = await Promise.all(
        addresses.map(async (address) => {
          const begun = clock.now()
          const code = await connectTo(address, port, clock)
          if (code === undefined) open.push(address)
          const ms = Math.round(clock.now() - begun)
          return { address, code, text: `${at(address, port)} ${code ?? 'accepts'} (${ms} ms)` }
        }),
      )
      const saw = results.map(({ text }) => text).join(', ')
      if (open.length === 0) {
        return {
          outcome: 'fail',
          saw,
          remedy: `Let this machine connect to port ${port}: firewall, security group, NetworkPolicy, and the port of upstream.base.`,
        }
      }
      // Machines without IPv6 see this always; the proxy takes the other family at once.
      const bad = results.filter(
        ({ address, code }) => code !== undefined && !(isIPv6(address) && WITHOUT_V6.has(code)),
      )
      if (bad.length === 0) return { outcome: 'ok', saw }
      return {
        outcome: 'warn',
        saw,
        remedy:
          'The proxy uses the others, but new connections may take longer; find out why these fail.',
      }
    },
  )
  const left = finding.outcome === 'fail' ? [] : addresses.filter((one) => open.includes(one))
  return { finding, addresses: left }
}

const WITHOUT_V6 = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EHOSTUNREACH', 'EAFNOSUPPORT'])

/** `undefined` when it accepted, else the code of the error. */
function connectTo(host: string, port: number, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (code: string | undefined) => {
      cancel()
      socket.destroy()
      resolve(code)
    }
    const cancel = clock.after(TCP_DEADLINE, () => end('ETIMEDOUT'))
    socket.once('connect', () => end(undefined))
    socket.once('error', (error) => end(errorCode(error) || 'error'))
  })
}

function at(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}
