// Answers a list of which the client may see only a part: reads all of it at OpusDNS, page by page,
// keeps what may be seen, and pages that as the client asked for. Never shows a part of what may be
// seen as if it were all.

import { Fault } from '../base/fault.ts'
import { retryAfter } from '../base/retry-after.ts'
import type { EchoFilter } from '../credentials/echo.ts'
import { after } from './after.ts'
import type { Exchange } from './exchange.ts'
import { valueOf } from './fields.ts'
import { read } from './forward.ts'
import type { ForwardDeps } from './forward.ts'
import type { HeldBytes } from './held-bytes.ts'
import { listPage } from './list-page.ts'
import type { ListScope } from './list-page.ts'
import { listQuery } from './list-query.ts'
import type { ListQuery } from './list-query.ts'
import { listWalk } from './list-walk.ts'
import { maskable } from './masked-reply.ts'
import { answerWith } from './own-reply.ts'
import { readingPlaces } from './reading-place.ts'
import { rest } from './rest.ts'
import type { Place } from './reading-place.ts'
import { refuse } from './refusal.ts'
import type { ReplyHead } from './reply-head.ts'
import { ReplyWriter } from './reply-writer.ts'
import { secretMask } from './secret-mask.ts'
import { fieldsOfReading, wholeReplies } from './whole-reply.ts'

/** How often OpusDNS is asked for one list at most. */
const MOST_PAGES = 200
/** Bytes of one list, as OpusDNS shows it. */
const MOST_BYTES = 64 * 1024 * 1024
/** Milliseconds for one list: the clients wait 30 s (opusdns/API.md section 6.10). */
const DEADLINE = 25_000
/** Milliseconds; no client is told to wait longer, whatever OpusDNS says. */
const LONGEST_WAIT = 86_400_000

/** What a filtered list needs to know besides its exchange. */
export interface FilteredList extends ListScope {
  /** Whether transfer codes and the like are masked. */
  readonly masks: boolean
}

/** Answers `exchange` with what `list` shows. `fields` are the client's, without a credential. */
export type ListReply = (
  exchange: Exchange,
  fields: readonly string[],
  list: FilteredList,
  way: ForwardDeps,
) => void

/** Builds the answerer: one for all consumers, for it bounds what is read at once. */
export function listReply(room: HeldBytes): ListReply {
  const places = readingPlaces()

  return function answer(exchange, fields, list, way) {
    const query = listQuery(exchange.query, list)
    if (query === undefined) {
      refuse(exchange, badPage())
      return
    }
    exchange.atEnd(way.clock.after(DEADLINE, () => exchange.onExpired?.(tooSlow())))
    places.take(exchange, (leave) => {
      walk(exchange, fieldsOfReading(fields), { ...list, query }, way, { room, leave })
    })
  }
}

interface AskedList extends FilteredList {
  readonly query: ListQuery
}

function walk(
  exchange: Exchange,
  fields: readonly string[],
  list: AskedList,
  way: ForwardDeps,
  { room, leave }: Place,
): void {
  const collected = listWalk()
  const takeWhole = wholeReplies(exchange, { room, most: MOST_BYTES, tooLarge })
  let pages = 0

  function readOn(): void {
    pages += 1
    const first = pages === 1
    read(exchange, fields, way, {
      target: exchange.path + list.query.of(collected.page),
      receive(status, head, echo, flow, failed) {
        if (first && status >= 300) {
          leave()
          return new ReplyWriter(exchange, status, head, echo, flow, failed)
        }
        if (status !== 200) throw broken(status, head, way.clock.wall())
        maskable(status, head, 'GET')
        return takeWhole(echo, failed, (body) => took(body, head, echo))
      },
    })
  }

  function took(body: Buffer, head: ReplyHead, echo: EchoFilter): void {
    const page = listPage(body, collected.page, list, list.query.wants)
    // What is not shown is let go.
    room.hold(
      exchange,
      page.seen.reduce((sum, [, text]) => sum + text.length, -body.length),
    )
    if (collected.take(page)) {
      leave()
      write(exchange, collected.elements(), list, head, echo)
      return
    }
    if (pages >= MOST_PAGES) throw tooLarge()
    rest(exchange)
    // A long list may outlive a token.
    after(exchange, way.credential.obtain(), readOn)
  }

  readOn()
}

function write(
  exchange: Exchange,
  elements: readonly string[],
  { masks, query: { page, pageSize } }: AskedList,
  head: ReplyHead,
  echo: EchoFilter,
): void {
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
  answerWith(exchange, { body, head, echo, mask: masks ? secretMask() : undefined })
}

function badPage(): Fault {
  return new Fault('bad_request', {
    detail:
      'page and page_size are whole numbers from 1 on, page_size at most 1000; the query is in UTF-8.',
  })
}

function tooLarge(): Fault {
  return new Fault('list_too_large', {
    detail: 'The list is too large to be filtered. Ask for single zones, by name or by path.',
  })
}

function tooSlow(): Fault {
  return new Fault('list_incomplete', {
    detail: 'OpusDNS took too long to show all of the list, which is filtered for you.',
    retryAfter: 1,
  })
}

/** Not the first page: what came before is no answer, nor is this. */
function broken(status: number, { fields }: ReplyHead, wallNow: number): Fault {
  const wait = retryAfter(valueOf(fields, 'retry-after'), wallNow) ?? 0
  return new Fault('list_incomplete', {
    detail: `OpusDNS answered ${status} in the middle of the list, which is filtered for you.`,
    retryAfter: Math.max(1, Math.ceil(Math.min(wait, LONGEST_WAIT) / 1000)),
  })
}
