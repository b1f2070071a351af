// Tokens that this proxy hands out itself, for clients that insist on an OAuth login. They open
// nothing but this process; the home of lru-cache.

import { createHash, randomBytes } from 'node:crypto'

import { LRUCache } from 'lru-cache'

import type { Clock } from '../base/clock.ts'

/** Beginning of every token issued here; tells them from placeholders that clients send. */
const PREFIX = 'opxt_'

/** See `issuedTokens`. */
export interface IssuedTokensOptions {
  /** Life of a token in milliseconds. */
  readonly life: number
  /** Tokens remembered at most; the least recently used one goes first. */
  readonly max: number
}

/** What a token says about who holds it. */
export type TokenBearer = { readonly consumer: string } | 'unknown' | 'not_ours'

/** Locally issued tokens. Only digests are kept, so that memory holds nothing to steal. */
export interface IssuedTokens {
  /** Issues an opaque token to `consumer`. */
  issue(consumer: string): { readonly token: string; readonly expiresIn: number }
  /**
   * Who holds `token`: `not_ours` for anything without our prefix, `unknown` for one that expired,
   * was pushed out, or was issued before a restart.
   */
  bearerOf(token: string): TokenBearer
}

/** Builds an empty set of tokens. */
export function issuedTokens(options: IssuedTokensOptions, clock: Clock): IssuedTokens {
  const consumers = new LRUCache<string, string>({
    max: options.max,
    ttl: options.life,
    ttlResolution: 0,
    perf: { now: () => clock.now() },
  })
  const digest = (token: string) => createHash('sha256').update(token).digest('base64url')

  return {
    issue(consumer) {
      const token = PREFIX + randomBytes(24).toString('base64url')
      consumers.set(digest(token), consumer)
      return { token, expiresIn: Math.floor(options.life / 1000) }
    },
    bearerOf(token) {
      if (!token.startsWith(PREFIX)) return 'not_ours'
      const consumer = consumers.get(digest(token))
      return consumer === undefined ? 'unknown' : { consumer }
    },
  }
}
