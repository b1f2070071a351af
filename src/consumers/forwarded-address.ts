// Where a request came from that a trusted hop passed on (a load balancer, an ingress), by what the hop
// wrote into `X-Forwarded-For`. What stands in that field on the left of a trusted hop's own entry was
// written by whoever asked the hop, and proves nothing: so it is read from the right.

import { isIPv4, isIPv6 } from 'node:net'

/** Some load balancers write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const WITH_PORT = /^(?:(?<v4>\d+\.\d+\.\d+\.\d+):\d{1,5}|\[(?<v6>[0-9a-fA-F:.]+)\](?::\d{1,5})?)$/

/**
 * The address that the nearest of the trusted hops saw: the last one in `forwardedFor` that is itself none
 * of them. `undefined` where there is none, or where an entry on the way there is no address: then nobody
 * can say who asked.
 */
export function forwardedAddress(
  forwardedFor: string | undefined,
  isHop: (address: string) => boolean,
): string | undefined {
  if (forwardedFor === undefined) return undefined
  let end = forwardedFor.length
  while (end >= 0) {
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1)
    const address = addressIn(forwardedFor.slice(comma + 1, end).trim())
    if (address === undefined) return undefined
    if (!isHop(address)) return address
    end = comma
  }
  return undefined
}

function addressIn(entry: string): string | undefined {
  const { v4, v6 } = WITH_PORT.exec(entry)?.groups ?? {}
  const address = v4 ?? v6 ?? entry
  return isIPv4(address) || isIPv6(address) ? address : undefined
}
