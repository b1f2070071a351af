// Answers a list with what the consumer may see of it. OpusDNS pages over everything, so the list is
// read whole, page by page, and paged anew; elements keep their bytes. Never a part that looks whole.

import { Fault } from '../base/fault.ts'
import { arraySpans, readJson } from '../base/json-text.ts'
import type { EchoFilter } from '../credentials/echo.ts'
import { canonicalName } from '../opusdns/name.ts'
import type { Receiver } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { read } from './forward.ts'
import type { ForwardDeps } from './forward.ts'
import { listQuery } from './list-query.ts'
import type { ListQuery } from './list-query.ts'
import { withoutCodings } from './masked-reply.ts'
import { refuse } from './refusal.ts'
import { ReplyWriter } from './reply-writer.ts'
import { secretMask } from './secret-mask.ts'

/** See `answerList`. */
export interface ListOptions {
  /** The member that names each element. */
  readonly member: string
  /** Whether the consumer may see what has this canonical name. */
  readonly sees: (name: string) => boolean
  /** True to mask transfer codes and the like. */
  readonly masks: boolean
}

const MOST_PAGES = 200
const MOST_BYTES = 64 * 1024 * 1024
/** A list that changes while it is read is read again this often. */
const TRIES = 3

/** What one page says. */
interface Page {
  readonly elements: readonly (readonly [name: string, text: string])[]
  readonly total: number
  readonly isLast: boolean
}

/** Answers `exchange`, a GET of a list, with the elements that `sees` lets through. */
export function answerList(
  exchange: Exchange,
  fields: readonly string[],
  way: ForwardDeps,
  options: ListOptions,
): void {
  const query = listQuery(exchange.query)
  const plain = withoutCodings(fields)
  let seen = new Map<string, string>()
  let bytes = 0
  let total = -1
  let tries = 1

  function ask(page: number): void {
    read(exchange, plain, way, {
      target: exchange.path + query.of(page),
      receive(status, head, echo, flow, failed): Receiver {
        // What OpusDNS refuses is its own answer; in the middle of a list, nobody could tell.
        if (status !== 200 && page === 1 && tries === 1) {
          return new ReplyWriter(exchange, status, head, echo, flow, failed)
        }
        if (status !== 200) throw incomplete()
        if (head.encoding !== undefined) throw notReadable('It is in a coding.')
        return collector((body) => take(page, body, echo), failed)
      },
    })
  }

  function collector(done: (body: Buffer) => void, failed: (fault: Fault) => void): Receiver {
    const pieces: Buffer[] = []
    let over = false
    return {
      begun: false,
      data(piece) {
        if (over) return
        bytes += piece.length
        pieces.push(piece)
        if (bytes <= MOST_BYTES) return
        over = true
        failed(tooLarge())
      },
      end() {
        if (over || exchange.settled) return
        try {
          done(Buffer.concat(pieces))
        } catch (error) {
          refuse(exchange, error)
        }
      },
      flush() {},
      abandon() {
        over = true
      },
    }
  }

  function take(page: number, body: Buffer, echo: EchoFilter): void {
    const shown = options.masks ? secretMask()(body) : body
    const { elements, total: now, isLast } = pageOf(echo.redact(shown), options.member)
    if (page > 1 && now !== total) {
      again()
      return
    }
    total = now
    for (const [name, text] of elements) {
      if (!seen.has(name) && options.sees(name)) seen.set(name, text)
    }
    if (isLast) answer(exchange, [...seen.values()], query)
    else if (page === MOST_PAGES) throw tooLarge()
    else ask(page + 1)
  }

  /** Something came or went, so that elements may have moved past the pages. */
  function again(): void {
    tries += 1
    if (tries > TRIES) throw incomplete()
    seen = new Map()
    total = -1
    ask(1)
  }

  ask(1)
}

/** Reads one page. Throws a Fault for what two readers could understand differently. */
function pageOf(body: Buffer, member: string): Page {
  let value: unknown
  try {
    value = readJson(body)
  } catch (error) {
    throw notReadable('It is no JSON that all readers understand alike.', error)
  }
  const text = body.toString('utf8')
  const spans = arraySpans(text, 'results')
  const { results, pagination } = value as {
    readonly results?: readonly Record<string, unknown>[]
    readonly pagination?: Record<string, unknown>
  }
  const total = pagination?.['total_items']
  const more = pagination?.['has_next_page']
  if (spans === undefined || typeof total !== 'number' || typeof more !== 'boolean') {
    throw notReadable('It is no list with pagination.')
  }
  const elements = spans.elements.flatMap(({ start, end }, at) => {
    const name = results?.[at]?.[member]
    const canonical = typeof name === 'string' ? canonicalName(name) : undefined
    return canonical === undefined ? [] : [[canonical, text.slice(start, end)] as const]
  })
  return { elements, total, isLast: !more }
}

function answer(exchange: Exchange, elements: readonly string[], query: ListQuery): void {
  const { page, pageSize } = query
  const pages = Math.ceil(elements.length / pageSize)
  const pagination = {
    total_pages: pages,
    total_items: elements.length,
    current_page: page,
    page_size: pageSize,
    has_next_page: page < pages,
    has_previous_page: page > 1,
  }
  const shown = elements.slice((page - 1) * pageSize, page * pageSize)
  const body = Buffer.from(
    `{"results":[${shown.join(',')}],"pagination":${JSON.stringify(pagination)}}`,
  )
  const fields = ['Content-Type', 'application/json', 'Content-Length', String(body.length)]
  fields.push('Cache-Control', 'no-store', 'X-Request-Id', exchange.id)
  if (exchange.upstreamId !== undefined) fields.push('X-Server-Request-Id', exchange.upstreamId)
  exchange.source = 'upstream'
  exchange.response.writeHead(200, fields)
  exchange.response.end(body)
}

function tooLarge(): Fault {
  return new Fault('list_too_large', {
    detail:
      `Only a part of this list is for this consumer, and the whole is too large to be read ` +
      `(${MOST_PAGES} pages of 1000, or ${MOST_BYTES / 1024 / 1024} MiB). Narrow it with search.`,
  })
}

function incomplete(): Fault {
  return new Fault('list_incomplete', {
    detail: 'The list changed, or OpusDNS failed, while it was read. Nothing of it is shown.',
    retryAfter: 1,
  })
}

function notReadable(why: string, cause?: unknown): Fault {
  return new Fault('reply_not_readable', {
    detail: `The list of OpusDNS cannot be filtered. ${why}`,
    cause,
  })
}
