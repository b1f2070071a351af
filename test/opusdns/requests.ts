// What arrived, for tests to look at. Bounded, so that a benchmark does not fill the memory.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { NO_BYTES, type Intake } from './intake.ts'

/** One request as it came over the wire. Filled in while it is served. */
export interface RecordedRequest {
  readonly method: string
  /** The request target, byte for byte. */
  readonly target: string
  readonly rawHeaders: readonly string[]
  /** Wall clock at arrival, milliseconds. */
  readonly at: number
  /** The first MiB of the body at most; empty until the body was read. */
  body: Buffer
  /** Of the whole body. */
  bytes: number
  sha256: string
  /** Of the reply; undefined until its head was sent. */
  status: number | undefined
  /** `aborted`: the connection ended before the reply did, whoever ended it. */
  outcome: 'open' | 'answered' | 'aborted'
}

/** The log. `list` is the live array that `Simulator.requests` shows. */
export interface RequestLog {
  readonly list: RecordedRequest[]
  /** Begins a record; it follows `response` by itself. */
  open(request: IncomingMessage, response: ServerResponse, at: number): RecordedRequest
  /** Puts a body into its record, unless 64 MiB of bodies are kept already. */
  fill(record: RecordedRequest, intake: Intake): void
  clear(): void
}

const KEPT_BODY = 1024 * 1024
const KEPT_BODIES = 64 * 1024 * 1024

/** A log of the newest `most` requests or a little more (0: none at all). */
export function requestLog(most: number): RequestLog {
  const list: RecordedRequest[] = []
  let kept = 0

  return {
    list,
    open(request, response, at) {
      const record: RecordedRequest = {
        method: request.method ?? '',
        target: request.url ?? '',
        rawHeaders: request.rawHeaders,
        at,
        body: NO_BYTES.kept,
        bytes: 0,
        sha256: NO_BYTES.sha256,
        status: undefined,
        outcome: 'open',
      }
      response.once('close', () => {
        record.outcome = response.writableFinished ? 'answered' : 'aborted'
        if (response.headersSent) record.status = response.statusCode
      })
      if (most > 0) list.push(record)
      if (list.length > most * 1.1) {
        for (const old of list.splice(0, list.length - most)) kept -= old.body.length
      }
      return record
    },
    fill(record, intake) {
      const body = intake.kept.subarray(0, KEPT_BODY)
      record.bytes = intake.bytes
      record.sha256 = intake.sha256
      if (kept + body.length > KEPT_BODIES) return
      // A copy where the kept part is large, so that the rest of it can go.
      record.body = body.length < intake.kept.length ? Buffer.from(body) : body
      kept += body.length
    },
    clear() {
      list.length = 0
      kept = 0
    },
  }
}
