// The one place that opens connections to OpusDNS, and the home of undici. The origin is fixed when
// the upstream is built: no request can name another host (INTERMEDIARY 6; CVE class SSRF).

import type { Dispatcher } from 'undici'

/** See `Upstream.ask`. */
export interface Question {
  readonly method: 'GET' | 'POST'
  /** Origin-form path, beginning with `/v1/`. */
  readonly path: string
  /** Flat list: name, value, name, value. */
  readonly headers: readonly string[]
  readonly body?: string
  /** Milliseconds for the whole exchange, connecting included. */
  readonly deadline: number
  /** Bytes of body that are accepted; a longer one rejects. */
  readonly maxBytes: number
}

/** A whole reply, read into memory. */
export interface Answer {
  readonly status: number
  /** Lower-case names; of a repeated field the first value. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The OpusDNS API at one fixed origin. */
export interface Upstream {
  /** Scheme, host and port, without a trailing slash. */
  readonly origin: string
  /** What goes into `Host`. */
  readonly host: string
  /** Streams one request; the hot path. Own connection pool. */
  dispatch(options: Omit<Dispatcher.DispatchOptions, 'origin'>, handler: Dispatcher.DispatchHandler): void
  /**
   * Asks one small question (a token, an introspection) on connections of its own, so that a full
   * pool cannot keep a token away. Follows no redirect. Rejects with a Fault of source `upstream`.
   */
  ask(question: Question): Promise<Answer>
  /** Closes idle connections and waits for the requests in flight. */
  close(): Promise<void>
}
