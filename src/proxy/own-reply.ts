// An answer that the proxy made from what it read at OpusDNS.

import type { EchoFilter } from '../credentials/echo.ts'
import type { Exchange } from './exchange.ts'
import { only } from './fields.ts'
import { refuse } from './refusal.ts'
import type { ReplyHead } from './reply-head.ts'
import { ReplyWriter } from './reply-writer.ts'
import type { Flow } from './reply-writer.ts'
import type { SecretMask } from './secret-mask.ts'

/** See `answerWith`. */
export interface OwnReply {
  /** JSON text. */
  readonly body: Buffer
  /** Of the last reply that it was made from. */
  readonly head: ReplyHead
  /** Finds the credential with which that was read. */
  readonly echo: EchoFilter
  /** Further fields, a flat list. */
  readonly more?: readonly string[]
  readonly mask?: SecretMask | undefined
}

/** Fields of the last reply that are true of the answer. */
const KEPT: ReadonlySet<string> = new Set(['date', 'via', 'x-request-id', 'x-server-request-id'])
/** Nobody waits at the other end: the body is there. */
const NO_FLOW: Flow = { pause: () => undefined, resume: () => undefined }

/** Answers `exchange` with 200, and marks the answer as one that is not to be stored. */
export function answerWith(
  exchange: Exchange,
  { body, head, echo, more = [], mask }: OwnReply,
): void {
  const fields = ['Content-Type', 'application/json', 'Content-Length', String(body.length)]
  fields.push(
    'Cache-Control',
    'no-store',
    ...more,
    ...(exchange.quota ?? []),
    ...only(head.fields, KEPT),
  )
  const failed = (fault: unknown) => refuse(exchange, fault)
  const writer = new ReplyWriter(exchange, 200, { ...head, fields }, echo, NO_FLOW, failed, mask)
  writer.data(body)
  writer.end()
}
