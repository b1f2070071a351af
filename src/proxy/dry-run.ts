// Answers a write to a zone with the difference that it would make, and writes nothing: the one thing
// that goes upstream is a GET of the zone. What has no dry run and would change something is refused.

import { Fault } from '../base/fault.ts'
import { readJson } from '../base/json-text.ts'
import { operationNamed } from '../opusdns/operation-named.ts'
import type { Operation } from '../opusdns/operations.ts'
import { zoneDifference } from '../opusdns/zone-difference.ts'
import type { ZoneRrset } from '../opusdns/zone-draft.ts'
import { rrsetsShown } from '../opusdns/zone-shown.ts'
import { hasDryRun, zoneWrite } from '../opusdns/zone-write.ts'
import type { ZoneWrite } from '../opusdns/zone-write.ts'
import type { Decision, Undecided } from '../policy/decision.ts'
import type { BodyForm } from '../policy/judged.ts'
import type { Policy } from '../policy/policy.ts'
import type { Consumer } from './consumer.ts'
import type { Exchange } from './exchange.ts'
import { noRoom } from './held-bytes.ts'
import type { HeldBytes } from './held-bytes.ts'
import { read } from './forward.ts'
import type { ForwardDeps } from './forward.ts'
import { maskable } from './masked-reply.ts'
import { answerWith } from './own-reply.ts'
import { readingPlaces } from './reading-place.ts'
import type { Place } from './reading-place.ts'
import { ReplyWriter } from './reply-writer.ts'
import type { RequestHead } from './request-head.ts'
import type { Verdict } from './verdict.ts'
import { fieldsOfReading, wholeReplies } from './whole-reply.ts'

/** Bytes of a zone as OpusDNS shows it. */
const MOST_BYTES = 16 * 1024 * 1024

const READ_ZONE = operationNamed('GET /v1/dns/{zone_name}')

/** Whether the request of `exchange` is a dry run: it was asked for, and the request is no reading. */
export function isDryRun(exchange: Exchange, head: RequestHead, consumer: Consumer): boolean {
  return (head.dryRun || consumer.dryRun) && changes(exchange.operation)
}

/** Whether a request for the operation may change something, so that a dry run is none of it itself. */
export function changes({ classes }: Operation): boolean {
  return !classes.includes('read')
}

/** The request line of what is tried out. */
interface Tried {
  readonly operation: Operation
  /** Canonical. */
  readonly path: string
}

/**
 * What a dry run is about, and the decision on the reading of the zone, for the answer tells what is in
 * it. Throws a Fault: `dry_run_unsupported` for an operation that has none, and what is wrong with the
 * body. Pure, so that `explain` asks it too.
 */
export function tried(
  policy: Pick<Policy, 'decide'>,
  { operation, path }: Tried,
  { contentType, contentEncoding }: BodyForm,
  body: Buffer | undefined,
): { readonly write: ZoneWrite; readonly reading: Decision | Undecided } {
  if (body === undefined || !hasDryRun(operation)) throw unsupported()
  const write = zoneWrite(operation, path, body, contentType, contentEncoding)
  return { write, reading: policy.decide('GET', targetOf(write), READ_ZONE) }
}

/** Why a dry run is refused to one who may not read the zone, from what `missing` says. */
export function unreadableZone(missing: string): string {
  return `A dry run reads the zone. ${missing}`
}

/** As `tried`; throws `not_granted` or `not_visible` too, when the consumer may not read the zone. */
export function dryRunOf(
  exchange: Exchange,
  head: RequestHead,
  consumer: Consumer,
  body: Buffer | undefined,
  note: Verdict,
): ZoneWrite {
  const { write, reading } = tried(consumer.policy, exchange, head, body)
  if (reading.kind === 'denied') {
    const acts = [...(exchange.noted?.decision.acts ?? []), ...reading.acts]
    note(exchange, consumer, { ...reading, acts, missing: unreadableZone(reading.missing) })
  }
  return write
}

/** Answers `exchange` with what `write` would change. `fields` are the client's, without a credential. */
export type DryRunReply = (
  exchange: Exchange,
  fields: readonly string[],
  write: ZoneWrite,
  way: ForwardDeps,
) => void

/** Builds the answerer: one for all consumers, for it bounds what is read at once. */
export function dryRunReply(room: HeldBytes): DryRunReply {
  const places = readingPlaces()

  return function answer(exchange, fields, write, way) {
    places.take(exchange, (leave) => {
      ask(exchange, fieldsOfReading(fields), write, way, { room, leave })
    })
  }
}

function ask(
  exchange: Exchange,
  fields: readonly string[],
  write: ZoneWrite,
  way: ForwardDeps,
  { room, leave }: Place,
): void {
  const takeWhole = wholeReplies(exchange, { room, most: MOST_BYTES, tooLarge: unreadable })
  read(exchange, fields, way, {
    target: targetOf(write),
    receive(status, head, echo, flow, failed) {
      const absent = status === 404 && write.kind === 'create'
      // That there is no such zone, OpusDNS says best.
      if (status !== 200 && !absent) {
        if (status < 300) throw unreadable()
        leave()
        return new ReplyWriter(exchange, status, head, echo, flow, failed)
      }
      maskable(status, head, 'GET')
      return takeWhole(echo, failed, (zone) => {
        const difference = zoneDifference(write, absent ? undefined : zoneIn(zone))
        const body = Buffer.from(JSON.stringify({ dry_run: true, ...difference }))
        // The zone is let go; the answer stays for as long as the client takes to read it.
        if (!room.hold(exchange, body.length - zone.length)) throw noRoom()
        leave()
        answerWith(exchange, { body, head, echo, more: ['Preference-Applied', 'dry-run'] })
        exchange.source = 'proxy'
      })
    },
  })
}

function zoneIn(body: Buffer): readonly ZoneRrset[] {
  let value: unknown
  try {
    value = readJson(body)
  } catch {
    throw unreadable()
  }
  const rrsets = rrsetsShown(value)
  if (rrsets === undefined) throw unreadable()
  return rrsets
}

/** Canonical, so that it is a path segment as it is; but for the asterisk, which needs no coding. */
function targetOf({ zone }: ZoneWrite): string {
  return `/v1/dns/${zone}`
}

function unsupported(): Fault {
  return new Fault('dry_run_unsupported', {
    detail:
      'This operation would change something and has no dry run, so nothing was forwarded. There is ' +
      'one for records and zones: PATCH records, PATCH rrsets, PUT rrsets, POST /v1/dns, DELETE zone.',
  })
}

function unreadable(): Fault {
  return new Fault('reply_not_readable', {
    detail: 'OpusDNS answered with something that is no zone, so that nothing can be compared.',
  })
}
