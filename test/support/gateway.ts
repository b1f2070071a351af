// A proxy in the test's process with consumers that each have a key, in front of any upstream.

import { newConsumerKey } from '../../src/consumers/consumer-key.ts'
import { localProxy } from './local-proxy.ts'
import type { LocalProxy } from './local-proxy.ts'

/** See `gateway`. */
export interface GatewayOptions {
  /** Origin of the upstream. */
  readonly base: string
  /** YAML flow text of the options of each consumer, but for its keys: `grants: [read]`. */
  readonly consumers: Readonly<Record<string, string>>
  /** More of the configuration file. */
  readonly config?: string
}

/** A gateway that serves. */
export interface Gateway extends LocalProxy {
  /** The consumer key of each consumer. */
  readonly keys: Readonly<Record<string, string>>
}

/** Starts a gateway; it must be stopped. */
export async function gateway({ base, consumers, config = '' }: GatewayOptions): Promise<Gateway> {
  const keys: Record<string, string> = {}
  const lines = Object.entries(consumers).map(([name, options]) => {
    const { id, key, sha256 } = newConsumerKey()
    keys[name] = key.reveal()
    return `  ${name}: { keys: [{ id: ${id}, sha256: ${sha256} }], ${options} }`
  })
  const proxy = await localProxy({ base, config: `consumers:\n${lines.join('\n')}\n${config}` })
  return { ...proxy, keys }
}
