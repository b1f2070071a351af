// Asks OpusDNS for the name of what a request names by its id, before anything is decided about it. A
// reading of its own: the request itself is sent by nobody meanwhile.

import { Fault } from '../base/fault.ts'
import { readJson } from '../base/json-text.ts'
import { isRecord } from '../base/record.ts'
import { canonicalName } from '../opusdns/name.ts'
import type { NameReading } from '../opusdns/named-by-id.ts'
import type { Found } from '../policy/decision.ts'
import { after } from './after.ts'
import type { Exchange } from './exchange.ts'
import { read } from './forward.ts'
import type { ForwardDeps } from './forward.ts'
import type { HeldBytes } from './held-bytes.ts'
import { maskable } from './masked-reply.ts'
import { refuse } from './refusal.ts'
import { rest } from './rest.ts'
import { ReplyWriter } from './reply-writer.ts'
import { fieldsOfReading, wholeReplies } from './whole-reply.ts'

/** Bytes of one domain or forward. */
const MOST_BYTES = 1024 * 1024

/** Who asks, and with what. */
export interface LookUpDeps {
  readonly way: ForwardDeps
  readonly room: HeldBytes
  /** Whether the request goes on (in report mode) when no name can be had. */
  readonly lenient: boolean
}

/**
 * Calls `done` with what was found; what it throws is answered. An error of OpusDNS other than 404 is
 * passed on to the client. `fields` are the client's, without a credential.
 */
export function lookUp(
  exchange: Exchange,
  fields: readonly string[],
  reading: NameReading,
  { way, room, lenient }: LookUpDeps,
  done: (found: Found) => void,
): void {
  const takeWhole = wholeReplies(exchange, { room, most: MOST_BYTES, tooLarge: unreadable })

  function goOn(found: Found): void {
    rest(exchange)
    // What was read is not what was asked for: nothing of that was sent yet.
    exchange.begunAnew()
    done(found)
  }
  function lost(): void {
    try {
      goOn(NOTHING)
    } catch (error) {
      refuse(exchange, error)
    }
  }
  function ask(): void {
    read(exchange, fieldsOfReading(fields), way, {
      target: reading.path,
      lost: lenient ? lost : undefined,
      receive(status, head, echo, flow, failed) {
        if (status !== 200 && status !== 404 && !lenient) {
          if (status < 300) throw unreadable()
          return new ReplyWriter(exchange, status, head, echo, flow, failed)
        }
        if (!lenient) maskable(status, head, 'GET')
        return takeWhole(echo, failed, (body) => {
          const found = status === 200 ? foundIn(body, reading) : NOTHING
          if (found === undefined && !lenient) throw unreadable()
          room.hold(exchange, -body.length)
          goOn(found ?? NOTHING)
        })
      },
    })
  }

  after(exchange, way.credential.obtain(), ask)
}

const NOTHING: Found = { name: undefined }

/** `undefined` for a reply that has no name. A forward without the alias is not what was asked about. */
function foundIn(body: Buffer, { member, alias }: NameReading): Found | undefined {
  let value: unknown
  try {
    value = readJson(body)
  } catch {
    return undefined
  }
  const text = isRecord(value) ? value[member] : undefined
  const name = typeof text === 'string' ? canonicalName(text) : undefined
  if (!isRecord(value) || name === undefined) return undefined
  return alias === undefined || hasAlias(value['aliases'], alias) ? { name } : NOTHING
}

function hasAlias(aliases: unknown, id: string): boolean {
  return (
    Array.isArray(aliases) &&
    aliases.some((one: unknown) => isRecord(one) && one['email_forward_alias_id'] === id)
  )
}

function unreadable(): Fault {
  return new Fault('reply_not_readable', {
    detail: 'OpusDNS answered with something that has no name, so that no grant can be asked.',
  })
}
