// What the journey of a request sees of credentials: something to obtain, attach, and reject.
// Nothing outside this folder ever holds a secret or a token.

import type { EchoFilter } from './echo.ts'

/** One usable value of a credential: an API key, or one access token. Immutable. */
export interface Attachment {
  /**
   * Appends exactly one header (name, value) to a flat raw header list, and is called last, so that
   * nothing a client sent can remove or double it.
   */
  attach(headers: string[]): void
  /** Finds this value in replies that show what they were asked with. */
  readonly echo: EchoFilter
}

/** How a credential stands, for `/readyz`, the status page and the log. Holds no secret. */
export interface CredentialStatus {
  /** False when a request that came now would get a 503. */
  readonly usable: boolean
  /** One sentence for an operator: what is wrong, or what is in use. */
  readonly detail: string
  /** Sentences about what fails while the value still serves. */
  readonly warnings: readonly string[]
  /** Which of two configured secrets serves. */
  readonly serving: 'current' | 'previous'
  /**
   * True when OpusDNS answered 401 to a request with the key, to one token after the other, or to a token
   * while no other can be had.
   */
  readonly refused: boolean
  /** Tells two values apart; absent while there is none. */
  readonly fingerprint?: string
  /** Milliseconds until the value expires; absent when unknown or never. */
  readonly expiresIn?: number
}

/** A named way to authenticate to OpusDNS. Built without I/O; `start` begins work, `stop` ends it. */
export interface Credential {
  /** Metric label and log field; from the configuration, never from a request. */
  readonly name: string
  readonly kind: 'api_key' | 'oauth'
  /**
   * The value to use now. Synchronous while a good one is held (the hot path allocates nothing);
   * otherwise a promise that settles within 5 s and rejects with a Fault of source `token`.
   */
  obtain(): Attachment | Promise<Attachment>
  /**
   * Says that the upstream answered 401 to exactly this attachment. Resolves within 5 s with a
   * different one that is worth one replay, or `undefined` when there is none (then the upstream's
   * own 401 goes back). Never rejects. A late 401 of an old value does not harm the present one.
   * `by` says what met the 401; default a request.
   */
  reject(rejected: Attachment, by?: 'request' | 'trial'): Promise<Attachment | undefined>
  status(): CredentialStatus
  /** Begins reading secrets and, for OAuth, mints the first token. Failures show in `status`. */
  start(): void
  /** Ends timers and watchers. */
  stop(): void
}
