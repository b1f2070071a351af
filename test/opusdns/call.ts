// What a handler of the simulator sees of a request: everything is read already.

import type { Caller } from './callers.ts'
import { invalid, type Reply } from './problems.ts'

/** One authenticated request whose body has been taken in. */
export interface Call {
  readonly method: string
  /** Percent-decoded, without the query. */
  readonly path: string
  /** The values of `{…}` in the route, in order. */
  readonly params: readonly string[]
  readonly query: URLSearchParams
  /** The Content-Type without parameters, lower case; '' when absent. */
  readonly contentType: string
  /** The kept part of the body (all of it for every JSON route). */
  readonly body: Buffer
  /** Of the whole body, also of what was not kept. */
  readonly bytes: number
  readonly sha256: string
  readonly caller: Caller
}

/** Answers one operation. */
export type Handler = (call: Call) => Reply

/** A parsed JSON object, or the 422 that says why there is none. */
export function objectOf(body: Buffer): { value: Record<string, unknown> } | { refusal: Reply } {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    const input = body.toString('utf8').slice(0, 1000)
    return {
      refusal: invalid([
        { type: 'json_invalid', loc: ['body', 0], msg: 'JSON decode error', input },
      ]),
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const msg = 'Input should be a valid dictionary'
    return {
      refusal: invalid([{ type: 'model_attributes_type', loc: ['body'], msg, input: value }]),
    }
  }
  return { value: value as Record<string, unknown> }
}

/** The first route parameter, or ''. */
export function reference(call: Call): string {
  return call.params[0] ?? ''
}
