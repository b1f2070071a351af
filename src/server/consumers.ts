// Builds the consumers that the journey knows: each with its policy and its way to OpusDNS.

import type { Clock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'
import { ANONYMOUS } from '../consumers/identity.ts'
import type { Metrics } from '../observe/metrics.ts'
import { blockPolicy } from '../policy/block-list.ts'
import { policy } from '../policy/policy.ts'
import type { Consumer } from '../proxy/consumer.ts'
import { keptLimit } from './limits.ts'
import type { Ledger } from '../store/ledger.ts'
import { MAIN } from './way.ts'
import type { Way } from './way.ts'

/** See `buildConsumers`. */
export interface ConsumerDeps {
  readonly clock: Clock
  readonly metrics: Metrics
  /** There when somebody has a budget. */
  readonly ledger: Ledger | undefined
  /** Those before a reload; who has the same limit keeps what is left of it. */
  readonly before: ReadonlyMap<string, Consumer> | undefined
  /** Our name in `Via`. */
  readonly pseudonym: string
}

/** All consumers by name; without any in the settings, the one that everybody is. */
export function buildConsumers(
  settings: Settings,
  ways: ReadonlyMap<string, Way>,
  { clock, metrics, ledger, before, pseudonym }: ConsumerDeps,
): ReadonlyMap<string, Consumer> {
  function wayOf(credential: string, organization: string | undefined): Consumer['way'] {
    const way = ways.get(credential)
    if (way === undefined) throw new Error('a consumer names no credential')
    return {
      upstream: way.upstream,
      credential: way.built.credential,
      organization,
      metrics,
      clock,
      pseudonym,
      queueTimeout: settings.upstream.queueTimeout,
    }
  }
  if (settings.consumers === undefined) {
    const anonymous: Consumer = {
      name: ANONYMOUS,
      policy: blockPolicy(settings.policy.allow),
      mode: 'enforce',
      dryRun: false,
      budget: 'unlimited',
      unpriced: settings.unpriced,
      limit: undefined,
      way: wayOf(MAIN, undefined),
    }
    return new Map([[ANONYMOUS, anonymous]])
  }
  return new Map(
    [...settings.consumers].map(([name, one]) => {
      const { grants, mode, dryRun, budget, limits, credential, organization } = one
      const consumer: Consumer = {
        name,
        policy: policy(grants),
        mode,
        dryRun,
        // Without a ledger nothing is bought.
        budget: budget && ledger && { ...budget, ledger },
        unpriced: settings.unpriced,
        limit: keptLimit(limits, before?.get(name)?.limit, clock),
        way: wayOf(credential ?? MAIN, organization),
      }
      return [name, consumer]
    }),
  )
}
