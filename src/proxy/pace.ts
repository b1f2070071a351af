// One request before the limit toward OpusDNS: whether it may go now, why it waited in vain, and what its
// answer teaches the limit.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import { retryAfter } from '../base/retry-after.ts'
import { hasCooldown } from '../opusdns/cooldown.ts'
import type { Upstream } from '../opusdns/upstream.ts'
import type { Exchange } from './exchange.ts'
import { valueOf } from './fields.ts'
import type { ReplyHead } from './reply-head.ts'

/** See `Pace`. */
export interface PaceDeps {
  readonly upstream: Pick<Upstream, 'limit'>
  readonly clock: Clock
  readonly organization?: string | undefined
  /** Milliseconds that a request may wait. */
  readonly queueTimeout: number
}

/** See the top of the file. A class, for one is made for each request on the hot path. */
export class Pace {
  readonly #deps: PaceDeps
  readonly #exchange: Exchange
  readonly #target: string
  /** Of the limit, when the request was sent. */
  #round = 0

  /** `asked` is the method and path that OpusDNS is asked, not always those of the client. */
  constructor(exchange: Exchange, deps: PaceDeps, asked: string) {
    this.#deps = deps
    this.#exchange = exchange
    this.#target = `${deps.organization ?? ''} ${asked}`
  }

  /** Why the request had better not be sent, nor wait; `undefined` when it may. */
  refusal(): Fault | undefined {
    const { upstream, queueTimeout } = this.#deps
    const held = upstream.limit.refusalOf(this.#target, queueTimeout)
    return held > 0 ? tooManyFor(held) : undefined
  }

  /** Why its time in the queue was over before its turn came. */
  overdue(): Fault {
    const held = this.#deps.upstream.limit.heldFor()
    return held > 0 ? tooManyFor(held) : busy()
  }

  /** To be called when the request is sent. */
  sent(): void {
    this.#round = this.#deps.upstream.limit.round
  }

  /** To be called with each answer of OpusDNS. */
  answered(status: number, { fields }: ReplyHead): void {
    const { clock, upstream } = this.#deps
    const refused = status === 429 || status === 503
    if (refused && hasCooldown(this.#exchange.operation)) return
    upstream.limit.answered({
      status,
      wait: refused ? retryAfter(valueOf(fields, 'retry-after'), clock.wall()) : undefined,
      target: this.#target,
      round: this.#round,
    })
  }
}

function busy(): Fault {
  return new Fault('upstream_busy', {
    detail: 'No connection to OpusDNS became free in time. Nothing was sent.',
    retryAfter: 1,
    limit: 'queue_timeout',
  })
}

/** OpusDNS wants no such request for so many milliseconds. */
function tooManyFor(ms: number): Fault {
  return new Fault('upstream_rate_limited', {
    detail:
      'OpusDNS asked for fewer requests, and this one cannot wait that long. Nothing was sent.',
    retryAfter: Math.max(1, Math.ceil(ms / 1000)),
    limit: 'upstream',
  })
}
