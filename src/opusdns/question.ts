// One small question to the API and its whole answer: a token, an introspection.

import type { Clock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { Dispatcher } from './client-library.ts'
import { upstreamFault } from './upstream-faults.ts'

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

/** Asks `question` through `pool`. Rejects with a Fault of source `upstream`; follows no redirect. */
export function ask(
  question: Question,
  pool: Pick<Dispatcher, 'dispatch'>,
  clock: Clock,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    let status = 0
    let headers: Record<string, string> = {}
    let connection: Dispatcher.DispatchController | undefined
    let over = false

    function settle(): boolean {
      const first = !over
      over = true
      cancel()
      return first
    }
    function fail(error: unknown): void {
      if (!settle()) return
      reject(upstreamFault(error))
      connection?.abort(new Error('given up'))
    }
    const cancel = clock.after(question.deadline, () => {
      fail(new Fault('upstream_timeout', { detail: 'OpusDNS did not answer in time.' }))
    })
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        connection = controller
        if (over) controller.abort(new Error('given up'))
      },
      onResponseStart(_controller, code, fields) {
        status = code
        headers = firstValues(fields)
      },
      onResponseData(_controller, piece) {
        size += piece.length
        pieces.push(piece)
        if (size > question.maxBytes) {
          fail(new Fault('upstream_protocol', { detail: 'The answer is larger than expected.' }))
        }
      },
      onResponseEnd() {
        if (settle()) resolve({ status, headers, body: Buffer.concat(pieces, size) })
      },
      onResponseError(_controller, error) {
        fail(error)
      },
    }
    try {
      pool.dispatch(
        {
          method: question.method,
          path: question.path,
          headers: [...question.headers],
          body: question.body ?? null,
        },
        handler,
      )
    } catch (error) {
      fail(error)
    }
  })
}

function firstValues(fields: Record<string, string | string[] | undefined>) {
  const first = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(fields)) {
    const text = Array.isArray(value) ? value[0] : value
    if (text !== undefined) first[name] = text
  }
  return first
}
