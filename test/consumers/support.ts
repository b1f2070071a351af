// Consumers for tests: a key that is made anew, and connections as a listener hands them over.

import { consumerIdentity } from '../../src/consumers/identity.ts'
import type { Identity, PeerSocket } from '../../src/consumers/caller.ts'
import { VIA } from '../../src/consumers/caller.ts'
import { newConsumerKey } from '../../src/consumers/consumer-key.ts'
import { parseNetwork } from '../../src/consumers/networks.ts'
import type { Network } from '../../src/consumers/networks.ts'
import { identificationShape } from '../../src/consumers/options.ts'
import type { ConsumerSettings } from '../../src/consumers/options.ts'
import { z } from '../../src/base/schema.ts'
import { issuedTokens } from '../../src/store/issued-tokens.ts'
import type { IssuedTokens } from '../../src/store/issued-tokens.ts'
import { manualClock } from '../support/manual-clock.ts'
import type { ManualClock } from '../support/manual-clock.ts'

const schema = z.strictObject(identificationShape)

/** What a user writes about one consumer. */
export type Written = z.input<typeof schema>

/** Settings as the configuration makes them. */
export function consumersOf(
  written: Readonly<Record<string, Written>>,
): [string, ConsumerSettings][] {
  return Object.entries(written).map(([name, one]) => [name, schema.parse(one)])
}

/** A new key: its text, and how it is configured. */
export function testKey(expires?: string) {
  const { id, sha256, key } = newConsumerKey()
  return { id, text: key.reveal(), entry: { id, sha256, ...(expires && { expires }) } }
}

/** See `gateway`. */
export interface Gateway extends Identity {
  readonly tokens: IssuedTokens
  readonly clock: ManualClock
  /** The same tokens under another configuration. */
  reload(written: Readonly<Record<string, Written>>): Identity
}

/** Networks as the configuration makes them. */
export function networksOf(texts: readonly string[]): Network[] {
  return texts.map((text) => {
    const parsed = parseNetwork(text)
    if (typeof parsed === 'string') throw new Error(`${text} ${parsed}`)
    return parsed
  })
}

/** The identity of a proxy with these consumers, and a clock by hand. */
export function gateway(
  written: Readonly<Record<string, Written>>,
  hops: readonly string[] = [],
): Gateway {
  const clock = manualClock()
  const tokens = issuedTokens({ life: 3_600_000, max: 100 }, clock)
  const build = (some: Readonly<Record<string, Written>>) =>
    consumerIdentity(
      { consumers: consumersOf(some), trustedHops: networksOf(hops) },
      { tokens, clock },
    )
  return { ...build(written), tokens, clock, reload: build }
}

/** A connection from `remoteAddress` to a TCP listener. */
export function fromPeer(
  remoteAddress: string,
  { local = false, ...more }: Partial<PeerSocket> & { readonly local?: boolean } = {},
): PeerSocket {
  const via = { address: '0.0.0.0:8080', socketPath: undefined, local }
  return { remoteAddress, [VIA]: via, ...more }
}

/** A connection through the unix socket `path`. */
export function throughSocket(path: string): PeerSocket {
  return { [VIA]: { address: `unix:${path}`, socketPath: path, local: true } }
}

/** A request over `socket` that shows nothing else. */
export const bare = (socket: PeerSocket) => ({
  apiKey: undefined,
  authorization: undefined,
  forwardedFor: undefined,
  socket,
})
