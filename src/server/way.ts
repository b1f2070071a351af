// A way to OpusDNS: one credential, and the connections to the host that it is good for.

import { isDeepStrictEqual } from 'node:util'

import type { Secret } from '../base/secret.ts'
import type { NamedCredential } from '../config/consumers.ts'
import type { Settings } from '../config/settings.ts'
import type { CredentialSettings } from '../credentials/options.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import type { UpstreamSettings } from '../opusdns/upstream-options.ts'
import { buildCredential } from './credential.ts'
import type { BuiltCredential, CredentialDeps, KnownValues } from './credential.ts'
import { buildUpstream } from './upstream.ts'
import { usage } from './usage.ts'
import type { Usage } from './usage.ts'

/** Name of the main credential, in logs, metrics and readiness. */
export const MAIN = 'default'

/** See the top of the file. */
export interface Way {
  readonly name: string
  readonly upstream: Upstream
  /** Services that use the upstream, each until its last request is over. */
  readonly users: Usage
  readonly built: BuiltCredential
  /** What it was built from; another way of the same is built the same. */
  readonly from: WayInput
}

/** Values that were read already, by the name of the way. */
export type KnownSecrets = ReadonlyMap<string, KnownValues>

/** See `buildWays`. */
export interface WayHistory {
  readonly before: ReadonlyMap<string, Way> | undefined
  readonly known: KnownSecrets | undefined
}

type WayDeps = Omit<CredentialDeps, 'upstream' | 'captured' | 'vendors' | 'known'>

/** All that a way depends on. */
interface WayInput {
  readonly upstream: UpstreamSettings
  readonly headerSize: number
  readonly shared: boolean
  readonly credential: CredentialSettings
  readonly secrets: Settings['secrets']
  readonly captured: ReadonlyMap<string, Secret>
}

/**
 * Builds all ways of a configuration, the main one first. What is configured as in `before` is taken
 * over. Reads the CA file; rejects with a Fault `config_invalid`.
 */
export async function buildWays(
  settings: Settings,
  captured: ReadonlyMap<string, Secret>,
  deps: WayDeps,
  { before, known }: WayHistory,
): Promise<ReadonlyMap<string, Way>> {
  const ways = new Map<string, Way>()
  for (const [name, { base, credential }] of wantedWays(settings)) {
    const from: WayInput = {
      upstream: { ...settings.upstream, base: base ?? settings.upstream.base },
      headerSize: settings.limits.headerSize,
      shared: (settings.consumers?.size ?? 1) > 1,
      credential,
      secrets: settings.secrets,
      captured,
    }
    // oxlint-disable-next-line no-await-in-loop -- few, and the first fault should be told alone
    ways.set(name, await buildWay(name, from, deps, before?.get(name), known?.get(name) ?? []))
  }
  return ways
}

/** The credentials of a configuration by name, the main one first. */
export function wantedWays(
  settings: Pick<Settings, 'credential' | 'credentials'>,
): ReadonlyMap<string, NamedCredential> {
  return new Map([
    [MAIN, { base: undefined, credential: settings.credential }],
    ...settings.credentials,
  ])
}

async function buildWay(
  name: string,
  from: WayInput,
  deps: WayDeps,
  before: Way | undefined,
  known: KnownValues,
): Promise<Way> {
  const sameHost =
    before !== undefined &&
    before.from.headerSize === from.headerSize &&
    before.from.shared === from.shared &&
    isDeepStrictEqual(before.from.upstream, from.upstream)
  const upstream = sameHost ? before.upstream : await buildUpstream(from, deps.clock)
  const sameCredential =
    sameHost &&
    isDeepStrictEqual(before.from.credential, from.credential) &&
    isDeepStrictEqual(before.from.secrets, from.secrets) &&
    sameValues(before.from.captured, from.captured)
  const built = sameCredential
    ? before.built
    : buildCredential(
        { name, settings: from.credential },
        { ...deps, upstream, captured: from.captured, vendors: from.secrets, known },
      )
  const users = sameHost ? before.users : usage()
  return { name, upstream, users, built, from }
}

function sameValues(one: ReadonlyMap<string, Secret>, other: ReadonlyMap<string, Secret>): boolean {
  return (
    one.size === other.size &&
    [...one].every(([name, value]) => other.get(name)?.equals(value) === true)
  )
}
