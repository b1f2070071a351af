// A value that must never be seen. Every way in which JavaScript prints, serialises or
// joins a value shows `[secret]`; the only way to the text is `reveal()`, and
// test/repository/reveal-sites.test.ts lists every place that calls it.

import { createHash } from 'node:crypto'
import { inspect } from 'node:util'

const HIDDEN = '[secret]'

/**
 * A secret text (an API key, a client secret, an access token).
 *
 * Promises that `String(secret)`, template literals, `JSON.stringify`, `util.inspect`, pino and
 * `structuredClone` never show the text. Immutable; may be shared freely.
 */
export class Secret {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  /** Wraps `text` as it is. The caller trims and validates first (see `secretFromBytes`). */
  static of(text: string): Secret {
    return new Secret(text)
  }

  /** The text itself. Use it in one expression and keep no copy. */
  reveal(): string {
    return this.#text
  }

  /** True when both hold the same text. Not constant-time: never use it to check a caller's key. */
  equals(other: Secret): boolean {
    return this.#text === other.#text
  }

  /**
   * Twelve hex digits of SHA-256, to tell two secrets apart in logs and status pages. Safe to show
   * only because keys and tokens are long and random; never call it on a human's password.
   */
  get fingerprint(): string {
    return createHash('sha256').update(this.#text).digest('hex').slice(0, 12)
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [Symbol.toPrimitive](): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}
