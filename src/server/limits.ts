// The limits of the process and of consumers across a reload, and those toward OpusDNS as numbers.

import { isDeepStrictEqual } from 'node:util'

import type { Clock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'
import type { UpstreamLimitSample } from '../observe/upstream-gauges.ts'
import type { AdmissionOptions } from '../proxy/admission.ts'
import { consumerLimit } from '../proxy/consumer-limit.ts'
import type { ConsumerLimit } from '../proxy/consumer-limit.ts'
import type { ConsumerLimitSettings } from '../proxy/consumer-limit-options.ts'
import type { HeldBytesOptions } from '../proxy/held-bytes.ts'
import type { Way } from './way.ts'

/** What bounds all requests of the process together. */
export function sharedBounds({
  limits,
  consumers,
}: Pick<Settings, 'limits' | 'consumers'>): AdmissionOptions & HeldBytesOptions {
  const told = consumers?.size
  // Those who have yet to say who they are (a login, a body before that) are one more to share with.
  const parties = told === undefined ? 1 : told + 1
  return { ...limits, consumers: told ?? 1, parties }
}

/** The limit of a consumer: the one `before`, with what is left of it, where nothing changed. */
export function keptLimit(
  settings: ConsumerLimitSettings | undefined,
  before: ConsumerLimit | undefined,
  clock: Clock,
): ConsumerLimit | undefined {
  if (settings === undefined) return undefined
  if (before !== undefined && isDeepStrictEqual(before.from, settings)) return before
  return consumerLimit(settings, clock)
}

/** The limits toward OpusDNS by name of the credential, for the metrics. */
export function upstreamLimits(ways: Iterable<Way>): ReadonlyMap<string, UpstreamLimitSample> {
  const samples = new Map<string, UpstreamLimitSample>()
  for (const { name, upstream } of ways) {
    const { limit, waiting } = upstream
    samples.set(name, { places: limit.places, waiting, held: limit.heldFor() / 1000 })
  }
  return samples
}
