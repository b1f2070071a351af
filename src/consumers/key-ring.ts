// All consumer keys that are configured, by id.

import { randomBytes, timingSafeEqual } from 'node:crypto'

import type { Clock } from '../base/clock.ts'
import type { AdmittedKey } from './caller.ts'
import { readConsumerKey } from './consumer-key.ts'
import type { ConsumerSettings } from './options.ts'

/** A key that is configured. */
export interface HeldKey extends AdmittedKey {
  readonly consumer: string
}

/** See `keyRing`. */
export interface KeyRing {
  /** Whose key `text` is; takes the same time whether the id is known or not. */
  verify(text: string): HeldKey | 'mistyped' | 'unknown' | 'expired'
  /** The key that a token came from, if it may still be used. */
  live(key: AdmittedKey): HeldKey | undefined
}

/** Builds the ring. Expiry is judged at each call, by the wall clock. */
export function keyRing(
  consumers: Iterable<readonly [string, ConsumerSettings]>,
  clock: Clock,
): KeyRing {
  const keys = new Map<string, HeldKey & { readonly digest: Buffer }>()
  for (const [consumer, settings] of consumers) {
    for (const key of settings.keys) {
      keys.set(key.id, { ...key, consumer, digest: Buffer.from(key.sha256, 'hex') })
    }
  }
  const nobody = randomBytes(32)
  const expired = (key: HeldKey) => key.expiresAt !== undefined && key.expiresAt <= clock.wall()

  return {
    verify(text) {
      const shown = readConsumerKey(text)
      if (shown === undefined) return 'mistyped'
      const held = keys.get(shown.id)
      const same = timingSafeEqual(shown.digest, held?.digest ?? nobody)
      if (held === undefined || !same) return 'unknown'
      return expired(held) ? 'expired' : held
    },
    live({ id, sha256 }) {
      const held = keys.get(id)
      return held === undefined || held.sha256 !== sha256 || expired(held) ? undefined : held
    },
  }
}
