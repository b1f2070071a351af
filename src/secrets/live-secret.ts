// One secret that is kept fresh: the last good value stays in use while its source fails, and the
// source is asked again until it answers. The value never appears in an event or a status.

import { backoff } from '../base/backoff.ts'
import type { Cancel, Clock } from '../base/clock.ts'
import { errorCode, Fault } from '../base/fault.ts'
import type { Secret } from '../base/secret.ts'
import { singleFlight } from '../base/single-flight.ts'
import type { SecretSource, SourceKind } from './source.ts'

const RETRY = { first: 500, max: 30_000 } as const

interface EventPlace {
  /** Kind of the source; a metric label. */
  readonly source: SourceKind
  /** The reference as the user wrote it; names a place, never holds a value. */
  readonly reference: string
}

/**
 * What happened to a secret, for the log and the metric `secret_reloads_total{source,result}`
 * (`result` is the `kind`). Holds no value.
 *
 * - `loaded`: the first good value.
 * - `changed`: another value than before.
 * - `failed`: a read failed; `keptLastGood` tells whether an older value stays in use.
 * - `recovered`: a read succeeded after failures, whether or not the value changed meanwhile.
 */
export type SecretEvent =
  | (EventPlace & {
      readonly kind: 'loaded' | 'changed' | 'recovered'
      /** How the secret is kept and should not be; see `SecretSource.caveat`. */
      readonly caveat: string | undefined
    })
  | (EventPlace & {
      readonly kind: 'failed'
      readonly detail: string
      readonly keptLastGood: boolean
    })

/** See `liveSecret`. */
export interface LiveSecretDependencies {
  readonly clock: Clock
  /** Numbers in [0, 1), for the jitter of retries. Default `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Called for every event, synchronously; must not throw. */
  readonly observe: (event: SecretEvent) => void
  /** A good value that is known already; in use until the first read. */
  readonly known?: Secret | undefined
}

/** The last good value of one secret, kept fresh. */
export interface LiveSecret {
  /** The reference as the user wrote it. */
  readonly reference: string
  /** The last good value, or `undefined` before the first. */
  current(): Secret | undefined
  /**
   * The last good value; before there is one, the outcome of the read under way (shared by all who
   * ask), which may reject with a Fault `secret_unavailable`. Begins no read while a retry waits
   * out its back-off: then it rejects at once with the last failure.
   */
  ready(): Promise<Secret>
  /**
   * Reads anew now (single flight, no back-off). Never rejects: resolves with the value held
   * afterwards, which is the last good one if the read failed, or `undefined` if there is none.
   */
  refresh(): Promise<Secret | undefined>
  /** Calls `listener` after the value changed (not for the first). Returns the function that ends it. */
  onChange(listener: (value: Secret) => void): () => void
  /**
   * `ok` is false while the latest read failed; `detail` is one sentence for an operator, `caveat` one
   * about how the secret is kept (see `SecretSource.caveat`).
   */
  status(): { ok: boolean; detail: string; caveat?: string }
  /** Begins to read and to watch; again it does nothing. */
  start(): void
  /** Ends timers and watchers; the last good value stays. */
  stop(): void
}

/** Keeps the value of `source` fresh. Built without I/O. */
export function liveSecret(source: SecretSource, deps: LiveSecretDependencies): LiveSecret {
  const { reference } = source
  const place: EventPlace = { source: source.kind, reference }
  const listeners = new Set<(value: Secret) => void>()
  const waits = backoff(RETRY, deps.random)
  let value = deps.known
  let loaded = false
  let failure: Fault | undefined
  let running = false
  let stopped = false
  let endWatch: (() => void) | undefined
  let cancelRetry: Cancel | undefined
  // A change noticed during a read may be newer than what that read returns.
  let reading = false
  let readAgain = false

  function accept(fresh: Secret): void {
    const before = value
    const recovered = failure !== undefined
    // The same object while the value is the same: others tell values apart by it.
    value = before?.equals(fresh) === true ? before : fresh
    failure = undefined
    waits.reset()
    const caveat = source.caveat?.()
    if (recovered) deps.observe({ ...place, kind: 'recovered', caveat })
    if (!loaded) deps.observe({ ...place, kind: 'loaded', caveat })
    if (before !== undefined && !before.equals(fresh)) {
      if (loaded) deps.observe({ ...place, kind: 'changed', caveat })
      for (const listener of listeners) listener(fresh)
    }
    loaded = true
  }

  function refuse(error: unknown): void {
    failure = unavailable(error, reference)
    // A read that was broken off is nobody's trouble.
    if (stopped) return
    const keptLastGood = value !== undefined
    deps.observe({ ...place, kind: 'failed', detail: failure.message, keptLastGood })
    if (running) cancelRetry = deps.clock.after(waits.next(), () => void read())
  }

  async function readOnce(): Promise<void> {
    readAgain = false
    cancelRetry?.()
    cancelRetry = undefined
    let fresh: Secret
    try {
      fresh = await source.read()
    } catch (error) {
      refuse(error)
      return
    }
    accept(fresh)
  }

  const read = singleFlight(async (): Promise<Secret | undefined> => {
    reading = true
    try {
      await readOnce()
      // oxlint-disable-next-line no-await-in-loop -- the second read must follow the first
      while (readAgain && running) await readOnce()
    } finally {
      reading = false
    }
    return value
  })

  return {
    reference,
    current: () => value,
    async ready() {
      if (value !== undefined) return value
      if (cancelRetry === undefined) await read()
      if (value !== undefined) return value
      throw failure ?? unavailable(undefined, reference)
    },
    refresh() {
      return read()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    status() {
      if (failure === undefined) {
        if (value === undefined) return { ok: false, detail: `${reference} has not been read yet.` }
        const caveat = source.caveat?.()
        const detail = `${reference} is loaded.`
        return caveat === undefined ? { ok: true, detail } : { ok: true, detail, caveat }
      }
      const kept = value === undefined ? '' : ' The last good value stays in use.'
      return { ok: false, detail: failure.message + kept }
    },
    start() {
      if (running) return
      running = true
      stopped = false
      endWatch = source.watch?.((cause) => {
        // A place that is down is asked by the back-off alone, however short the lifetime.
        if (cause === 'due' && (reading || cancelRetry !== undefined)) return
        if (reading) readAgain = true
        else void read()
      })
      void read()
    },
    stop() {
      running = false
      stopped = true
      endWatch?.()
      endWatch = undefined
      cancelRetry?.()
      cancelRetry = undefined
    },
  }
}

/** The Fault to report. Of anything else only the code is kept: its text may quote what was read. */
function unavailable(error: unknown, reference: string): Fault {
  if (error instanceof Fault) return error
  const code = errorCode(error)
  const detail = `${reference} cannot be read${code === '' ? '' : ` (${code})`}.`
  return new Fault('secret_unavailable', { detail })
}
