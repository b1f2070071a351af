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
import type { ObserveCredential, Side } from './events.ts'
import { CALLER_WAIT, within } from './patience.ts'

const SPACING = 5_000
/** After this long the other key is worth a try again: a 401 may have had another reason. */
const FORGET = 60_000

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

/** A credential that learns from a successful trial that its key is good after all. */
export interface ApiKeyCredential extends Credential {
  /** Says that OpusDNS accepted `attachment`: takes back what a 401 has said about it. */
  confirmed(attachment: Attachment): void
}

interface KeyAttachment extends Attachment {
  readonly key: Secret
}

interface Refusal {
  readonly key: Secret
  /** Monotonic milliseconds. */
  readonly at: number
}

/** Builds the credential; reads nothing until `start`, or the first `obtain`. */
export function apiKey(options: ApiKeyOptions, deps: ApiKeyDependencies): ApiKeyCredential {
  const { name } = options
  const { clock, observe } = deps
  const live: Partial<Record<Side, LiveSecret>> = { current: deps.current }
  if (deps.previous !== undefined) live.previous = deps.previous
  let serving: Side = 'current'
  let held: KeyAttachment | undefined
  // The keys that OpusDNS answered 401 to: at most one for each side.
  const refused: Partial<Record<Side, Refusal>> = {}
  let readAgainAt = Number.NEGATIVE_INFINITY
  let flying = false
  let endWatch: (() => void) | undefined

  const other = (): Side => (serving === 'current' ? 'previous' : 'current')
  const isRefused = (key: Secret) =>
    refused.current?.key.equals(key) === true || refused.previous?.key.equals(key) === true

  function present(): KeyAttachment | undefined {
    const key = live[serving]?.current()
    if (key === undefined) return undefined
    if (held?.key !== key) held = keyAttachment(key)
    return held
  }

  function serve(side: Side): void {
    if (serving === side) return
    serving = side
    observe({ kind: 'switched', credential: name, serving })
  }

  // The key to use instead of a refused one; changes sides only when that helps.
  function better(): KeyAttachment | undefined {
    const since = refused[other()]?.at
    if (since !== undefined && clock.now() - since >= FORGET) delete refused[other()]
    for (const side of [serving, other()]) {
      const key = live[side]?.current()
      if (key !== undefined && !isRefused(key)) {
        serve(side)
        return present()
      }
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
    async reject(rejected) {
      if (!isKeyAttachment(rejected)) return undefined
      const now = present()
      // A late 401 of an old key: the newer one is worth a replay, and is not harmed.
      if (now !== undefined && !now.key.equals(rejected.key) && !isRefused(now.key)) return now
      if (now?.key.equals(rejected.key) === true && !isRefused(rejected.key)) {
        refused[serving] = { key: rejected.key, at: clock.now() }
        observe({ kind: 'rejected', credential: name, fingerprint: rejected.key.fingerprint })
      }
      if (flying || clock.now() >= readAgainAt) await within(clock, CALLER_WAIT, readAgain())
      return better()
    },
    confirmed(accepted) {
      if (!isKeyAttachment(accepted)) return
      for (const side of ['current', 'previous'] as const) {
        if (refused[side]?.key.equals(accepted.key) === true) delete refused[side]
      }
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
      const bad = isRefused(attachment.key)
      const detail = bad ? 'OpusDNS answered 401 to the key.' : 'The API key is loaded.'
      const warnings = servingWarnings(serving)
      return { usable: !bad, detail, warnings, serving, refused: bad, fingerprint }
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
