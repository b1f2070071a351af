// One access token and its times. "Due" (time to fetch the next) and "expired" (never send it
// again) are two questions; both are asked in monotonic time, which no clock correction moves.

import type { Secret } from '../base/secret.ts'
import type { Attachment } from './credential.ts'
import { echoFilter } from './echo.ts'

const HARD_STOP = 30_000
const LEAD = 2_000

/** See `accessToken`. */
export interface AccessTokenOptions {
  /** Milliseconds from `since` to the expiry. Above 0. */
  readonly life: number
  /**
   * Monotonic moment from which `life` counts: when the token was asked for, not when it came, so
   * that a slow reply cannot make a token look younger than it is.
   */
  readonly since: number
  /** True when the endpoint did not say how long the token lives. */
  readonly assumed: boolean
}

/** One access token. Immutable; attaching it is the only way in which it leaves. */
export interface AccessToken extends Attachment {
  readonly secret: Secret
  /** Monotonic milliseconds: when to fetch the next, when to stop sending it, when it is dead. */
  readonly dueAt: number
  readonly stopAt: number
  readonly expiresAt: number
  readonly assumed: boolean
  /** True from the moment when the next token should be fetched. */
  due(now: number): boolean
  /** True from the hard stop on, `min(30 s, life / 4)` before the real expiry. Never send it then. */
  expired(now: number): boolean
}

/**
 * Builds a token. It is due at 75 % of its life minus up to 10 % of it, at random, so that replicas
 * do not refresh together. `random` yields numbers in [0, 1).
 */
export function accessToken(
  options: AccessTokenOptions,
  secret: Secret,
  random: () => number,
): AccessToken {
  const { life, since } = options
  const usable = life - Math.min(HARD_STOP, life / 4)
  // Below two minutes the hard stop stands at 75 % as well. The jitter then keeps away from it, so
  // that there is time to fetch the next token while this one still serves.
  const latest = Math.min(life * 0.75, usable - Math.min(LEAD, life * 0.075))
  const dueAt = since + latest - random() * (latest - life * 0.65)
  const stopAt = since + usable
  return {
    secret,
    echo: echoFilter([secret]),
    dueAt,
    stopAt,
    expiresAt: since + life,
    assumed: options.assumed,
    due: (now) => now >= dueAt,
    expired: (now) => now >= stopAt,
    attach(headers) {
      headers.push('Authorization', `Bearer ${secret.reveal()}`)
    },
  }
}

/** True when `attachment` was built by `accessToken`. */
export function isAccessToken(attachment: Attachment): attachment is AccessToken {
  return 'dueAt' in attachment
}
