// Which names in Host are ours under a configuration.

import type { Settings } from '../config/settings.ts'
import type { ConsumerSettings } from '../consumers/options.ts'
import type { HostGuardOptions } from '../proxy/host-guard.ts'

/** Options of the guard of clients' listeners. */
export function acceptedHosts({
  hosts,
  listen,
  consumers,
}: Pick<Settings, 'hosts' | 'listen' | 'consumers'>): HostGuardOptions {
  // Host names (not wildcards) that the configuration itself listens on.
  const own = listen.flatMap((endpoint) =>
    endpoint.kind === 'tcp' && !/^[\d.:]+$/.test(endpoint.host) ? [endpoint.host] : [],
  )
  const shown = consumers !== undefined && [...consumers.values()].every(mustShowSomething)
  return { hosts: [...hosts, ...own], any: hosts.length === 0 && shown }
}

/**
 * Whether nobody is this consumer by where a request comes from alone: a web page can make a browser in
 * that place send one, under a name of its own.
 */
function mustShowSomething({ networks, sockets, anonymous }: ConsumerSettings): boolean {
  return networks.length === 0 && sockets.length === 0 && !anonymous
}
