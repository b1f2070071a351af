// Tokens that this proxy hands out itself, for clients that insist on an OAuth login. They open
// nothing but this process; the home of lru-cache.

import { createHash, randomBytes } from 'node:crypto'

import { LRUCache } from 'lru-cache'

import type { Clock } from '../base/clock.ts'

/** Beginning of every token issued here; tells them from placeholders that clients send. */
export const TOKEN_PREFIX = 'opxt_'

/** See `issuedTokens`. */
export interface IssuedTokensOptions {
  /** Life of a token in milliseconds. */
  readonly life: number
  /** Tokens remembered at most of those without a key; the least recently used one goes first. */
  readonly max: number
  /** The same for those that one consumer has by its keys. Default 1000, or `max` if that is less. */
  readonly maxByKey?: number
}

/** The key with which a token ends. */
export interface TokenKey {
  readonly id: string
  readonly sha256: string
  /** Milliseconds since 1970; `undefined` never. */
  readonly expiresAt: number | undefined
}

/** Who holds a token. */
export interface TokenHolder {
  readonly consumer: string
  /**
   * The consumer key that it was issued for. Whoever takes the token must see that the key is still good;
   * none means that the connection said who the consumer is, and must say so again.
   */
  readonly key?: TokenKey | undefined
}

/** What a token says about who holds it. */
export type TokenBearer = TokenHolder | 'unknown' | 'not_ours'

/** Locally issued tokens. Only digests are kept, so that memory holds nothing to steal. */
export interface IssuedTokens {
  /** Issues an opaque token that lives no longer than its key. `expiresIn` is seconds, at least 1. */
  issue(holder: TokenHolder): { readonly token: string; readonly expiresIn: number }
  /**
   * Who holds `token`: `not_ours` for anything without our prefix, `unknown` for one that expired,
   * was pushed out, or was issued before a restart.
   */
  bearerOf(token: string): TokenBearer
}

/**
 * Builds an empty set of tokens. Consumers do not push out each other's, and those that came without a
 * key push out none that came with one.
 */
export function issuedTokens(options: IssuedTokensOptions, clock: Clock): IssuedTokens {
  type Pool = LRUCache<string, TokenHolder>
  const pools = new Map<string, Pool>()
  const poolOf = new Map<string, Pool>()
  const digest = (token: string) => createHash('sha256').update(token).digest('base64url')

  function poolFor({ consumer, key }: TokenHolder): Pool {
    const name = `${key === undefined ? 'open' : 'key'} ${consumer}`
    let pool = pools.get(name)
    if (pool === undefined) {
      pool = new LRUCache({
        max: key === undefined ? options.max : (options.maxByKey ?? Math.min(1000, options.max)),
        ttl: options.life,
        ttlResolution: 0,
        perf: { now: () => clock.now() },
        dispose: (_holder, token) => void poolOf.delete(token),
      })
      pools.set(name, pool)
    }
    return pool
  }

  return {
    issue(holder) {
      const { consumer, key } = holder
      const left = key?.expiresAt === undefined ? Infinity : key.expiresAt - clock.wall()
      const ttl = Math.max(1000, Math.min(options.life, left))
      const token = TOKEN_PREFIX + randomBytes(24).toString('base64url')
      const name = digest(token)
      const pool = poolFor(holder)
      pool.set(name, { consumer, key }, { ttl })
      poolOf.set(name, pool)
      return { token, expiresIn: Math.floor(ttl / 1000) }
    },
    bearerOf(token) {
      if (!token.startsWith(TOKEN_PREFIX)) return 'not_ours'
      const name = digest(token)
      return poolOf.get(name)?.get(name) ?? 'unknown'
    },
  }
}
