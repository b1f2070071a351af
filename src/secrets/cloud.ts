// What the sources that use a cloud's official SDK share: the SDK is loaded at the first read, the read
// has a deadline, and whatever goes wrong becomes fixed words. An SDK's error may quote a secret, so
// that neither its text nor the error itself goes any further.

import type { Clock } from '../base/clock.ts'
import { errorCode, Fault } from '../base/fault.ts'
import { VendorFailure } from './vendor-http.ts'

/** What is wrong with a place, and what to do about it; without a colon or a full stop at the end. */
export type Explanation = readonly [what: string, remedy: string]

/** See `cloudRead`. */
export interface CloudReadOptions {
  readonly reference: string
  /** Milliseconds for all of it: loading the SDK, logging in, and the answer. */
  readonly timeout: number
  /** Words for an error of the SDK, by its name or code; `undefined` for one that it does not know. */
  readonly explain: (error: unknown) => Explanation | undefined
}

const OUT_OF_REACH: Explanation = [
  'cannot be reached',
  'check the network and the endpoint, and that the service is up',
]
const TIMED_OUT: Explanation = [
  'did not answer in time',
  'check the network and how the proxy logs in, or give it a longer timeout',
]
const FAILURES: Readonly<Record<string, Explanation>> = {
  TIMEOUT: TIMED_OUT,
  REPLY_TOO_LARGE: ['gave too long an answer', 'check that the endpoint is the right one'],
  PLAIN_HTTP: ['would be asked over plain http', 'give an https endpoint'],
}

/**
 * What `work` finds, or a Fault `secret_unavailable` in fixed words. At the deadline the signal aborts,
 * and what `work` still does is forgotten.
 */
export function cloudRead<T>(
  options: CloudReadOptions,
  clock: Clock,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { reference, timeout } = options
  return new Promise((resolve, reject) => {
    const abort = new AbortController()
    const cancel = clock.after(timeout, () => {
      reject(cloudFault(reference, TIMED_OUT))
      abort.abort()
    })
    const refuse = (error: unknown) => {
      cancel()
      reject(faultOf(error, options))
    }
    work(abort.signal).then((found) => {
      cancel()
      resolve(found)
    }, refuse)
  })
}

/** The SDK that `load` imports; `name` is all that it takes, for npm. A Fault with the command that installs it when it is not there. */
export async function cloudLibrary<T>(
  name: string,
  reference: string,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const what = name.includes(' ') ? `the packages ${name}` : `the package ${name}`
    const missing = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(errorCode(error))
    throw cloudFault(reference, [
      missing ? `needs ${what}` : `needs ${what}, which cannot be loaded`,
      `npm install ${name}`,
    ])
  }
}

/** A Fault `secret_unavailable` about the place. */
export function cloudFault(reference: string, [what, remedy]: Explanation): Fault {
  return new Fault('secret_unavailable', { detail: `${reference} ${what}: ${remedy}.` })
}

/** Words for a failure that only its HTTP status tells. */
export function explainStatus(status: number): Explanation {
  return [
    `was answered with HTTP ${status}`,
    status >= 500
      ? 'wait, it is tried again, and look at the status page of the service'
      : 'check the reference, and the permissions of the identity that the proxy has',
  ]
}

function faultOf(error: unknown, { reference, explain }: CloudReadOptions): Fault {
  if (error instanceof Fault) return error
  const failure = failureBehind(error)
  if (failure !== undefined) {
    return cloudFault(
      reference,
      FAILURES[failure.code] ?? [`${OUT_OF_REACH[0]} (${failure.code})`, OUT_OF_REACH[1]],
    )
  }
  return cloudFault(
    reference,
    explain(error) ?? [
      'gave an answer that is not understood',
      'check that the endpoint is the right one',
    ],
  )
}

/** The failure of the transport that an SDK may have wrapped. */
function failureBehind(error: unknown): VendorFailure | undefined {
  let inner = error
  for (let depth = 0; depth < 5 && inner instanceof Error; depth++) {
    if (inner instanceof VendorFailure) return inner
    inner = inner.cause
  }
  return undefined
}
