// The API key credential: one long-lived key, or two during a rotation. It has no life cycle of its
// own; what it adds to a secret is what to do when OpusDNS answers 401 to it.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import { singleFlight } from '../base/single-flight.ts'
import type { LiveSecret } from '../secrets/live-secret.ts'
import type { Attachment, Credential } from './credential.ts'
import { servingWarnings } from './events.ts'
import { echoFilter } from './echo.ts'
import type { ObserveCredential, ProbeOutcome, Side } from './events.ts'
import { CALLER_WAIT, within } from './patience.ts'

const SPACING = 5_000
/** After this long the other key is worth a try again: a 401 may have had another reason. */
const FORGET = 60_000
/** The same where no trial has borne the 401 out. */
const FORGET_DOUBT = 5_000

/** See `apiKey`. */
export interface ApiKeyOptions {
  /** Metric label and log field. */
  readonly name: string
}

/** See `apiKey`. */
export interface ApiKeyDependencies {
  /** Started and stopped with the credential. Values are visible ASCII; the LiveSecret sees to it. */
  readonly current: LiveSecret
  /** The other key of a rotation; serves when OpusDNS answers 401 to the first. */
  readonly previous?: LiveSecret | undefined
  readonly clock: Clock
  readonly observe: ObserveCredential
}

/**
 * A credential that learns from trials. A 401 to a request alone has the other key tried for that request:
 * any caller may know a path that answers 401 to every key. Only what a trial bears out changes the key
 * that serves, and the status.
 */
export interface ApiKeyCredential extends Credential {
  /**
   * Says what a trial of `attachment` has shown. `accepted` takes back what a 401 has said, `rejected` (a
   * 401) bears it out, and `unknown` leaves it standing.
   */
  tried(attachment: Attachment, outcome: ProbeOutcome): void
}

interface KeyAttachment extends Attachment {
  readonly key: Secret
}

type Witness = 'request' | 'trial'

interface Refusal {
  readonly key: Secret
  /** Monotonic milliseconds. */
  readonly at: number
  /** What met it. Only a trial proves anything. */
  readonly by: ReadonlySet<Witness>
}

/** Builds the credential; reads nothing until `start`, or the first `obtain`. */
export function apiKey(options: ApiKeyOptions, deps: ApiKeyDependencies): ApiKeyCredential {
  const { name } = options
  const { clock, observe } = deps
  const live: Partial<Record<Side, LiveSecret>> = { current: deps.current }
  if (deps.previous !== undefined) live.previous = deps.previous
  let serving: Side = 'current'
  const held: Partial<Record<Side, KeyAttachment>> = {}
  // The keys that OpusDNS answered 401 to: at most one for each side.
  const refused: Partial<Record<Side, Refusal>> = {}
  let readAgainAt = Number.NEGATIVE_INFINITY
  let flying = false
  let endWatch: (() => void) | undefined

  const other = (): Side => (serving === 'current' ? 'previous' : 'current')
  const refusalOf = (key: Secret) =>
    [refused.current, refused.previous].find((refusal) => refusal?.key.equals(key) === true)

  function at(side: Side): KeyAttachment | undefined {
    const key = live[side]?.current()
    if (key === undefined) return undefined
    const before = held[side]
    if (before?.key === key) return before
    return (held[side] = keyAttachment(key))
  }
  const present = () => at(serving)

  function serve(side: Side): void {
    if (serving === side) return
    serving = side
    observe({ kind: 'switched', credential: name, serving })
  }

  function refuse(key: Secret, by: Witness): void {
    const side = [serving, other()].find((one) => live[one]?.current()?.equals(key) === true)
    const before = refusalOf(key)
    if (side === undefined || before?.by.has(by) === true) return
    refused[side] = { key, at: clock.now(), by: new Set([...(before?.by ?? []), by]) }
    if (before === undefined) {
      observe({ kind: 'rejected', credential: name, fingerprint: key.fingerprint })
    }
  }

  // The key to use instead of a refused one; it serves from now on when the refusal is proven.
  function better(): KeyAttachment | undefined {
    const past = refused[other()]
    const memory = past?.by.has('trial') === true ? FORGET : FORGET_DOUBT
    if (past !== undefined && clock.now() - past.at >= memory) delete refused[other()]
    for (const side of [serving, other()]) {
      const one = at(side)
      if (one === undefined || refusalOf(one.key) !== undefined) continue
      const now = present()
      if (now === undefined || refusalOf(now.key)?.by.has('trial') === true) serve(side)
      return one
    }
    return undefined
  }

  const readAgain = singleFlight(async () => {
    readAgainAt = clock.now() + SPACING
    flying = true
    await Promise.all([live.current?.refresh(), live.previous?.refresh()])
    flying = false
  })

  async function wait(): Promise<Attachment> {
    let cause: unknown
    try {
      await within(clock, CALLER_WAIT, deps.current.ready())
    } catch (error) {
      cause = error
    }
    const key = present() ?? better()
    if (key !== undefined) return key
    throw new Fault('secret_unavailable', {
      detail: 'The API key of this proxy cannot be read. Its operator must mend it.',
      retryAfter: 1,
      cause,
    })
  }

  return {
    name,
    kind: 'api_key',
    obtain: () => present() ?? wait(),
    async reject(rejected, by = 'request') {
      if (!isKeyAttachment(rejected)) return undefined
      const now = present()
      // A late 401 of an old key: the newer one is worth a replay, and is not harmed.
      if (now !== undefined && !now.key.equals(rejected.key) && refusalOf(now.key) === undefined) {
        return now
      }
      refuse(rejected.key, by)
      if (flying || clock.now() >= readAgainAt) await within(clock, CALLER_WAIT, readAgain())
      return better()
    },
    tried(attachment, outcome) {
      if (!isKeyAttachment(attachment) || outcome === 'unreachable') return
      const { key } = attachment
      if (outcome === 'accepted') {
        for (const side of ['current', 'previous'] as const) {
          if (refused[side]?.key.equals(key) === true) delete refused[side]
        }
        return
      }
      // A trial that says nothing does not speak for a key that requests speak against.
      if (outcome === 'unknown' && refusalOf(key) === undefined) return
      refuse(key, 'trial')
      if (present()?.key.equals(key) === true) better()
    },
    status() {
      const attachment = present()
      if (attachment === undefined) {
        const detail = live[serving]?.status().detail ?? ''
        return {
          usable: false,
          detail,
          warnings: servingWarnings(serving),
          serving,
          refused: false,
        }
      }
      const { fingerprint } = attachment.key
      const refusal = refusalOf(attachment.key)
      const bad = refusal?.by.has('trial') === true
      const detail = bad ? 'OpusDNS answered 401 to the key.' : 'The API key is loaded.'
      const doubts = refusal === undefined || bad ? [] : [DOUBT]
      const warnings = [...servingWarnings(serving), ...doubts]
      return {
        usable: !bad,
        detail,
        warnings,
        serving,
        refused: refusal?.by.has('request') === true,
        fingerprint,
      }
    },
    start() {
      if (endWatch !== undefined) return
      // A new current key is what the operator wants to see in use.
      endWatch = deps.current.onChange(() => serve('current'))
      deps.current.start()
      deps.previous?.start()
    },
    stop() {
      endWatch?.()
      endWatch = undefined
      deps.current.stop()
      deps.previous?.stop()
    },
  }
}

const DOUBT = 'OpusDNS answered 401 to a request with the key, which is being tried.'

function keyAttachment(key: Secret): KeyAttachment {
  return {
    key,
    echo: echoFilter([key]),
    attach(headers) {
      headers.push('X-Api-Key', key.reveal())
    },
  }
}

function isKeyAttachment(attachment: Attachment): attachment is KeyAttachment {
  return 'key' in attachment
}
