// One page of a list as OpusDNS answered it: its elements byte for byte, and who may see them. What is
// not understood is not shown; a page of which that is not even clear is none.

import { isUtf8 } from 'node:buffer'

import { Fault } from '../base/fault.ts'
import { arraySpans, readJson } from '../base/json-text.ts'
import { isRecord } from '../base/record.ts'
import type { NameMember } from '../opusdns/lists.ts'
import { canonicalName } from '../opusdns/name.ts'

/** See the top of the file. */
export interface ListPage {
  /** What may be seen, in its order: canonical name and text. */
  readonly seen: readonly (readonly [name: string, text: string])[]
  /** How many elements it has, whoever may see them. */
  readonly length: number
  /** Of the whole list. */
  readonly totalItems: number
  readonly hasNext: boolean
}

/** What of a list may be shown. */
export interface ListScope {
  readonly member: NameMember
  /** Whether what has this canonical name may be shown. */
  readonly sees: (name: string) => boolean
}

/** Whether the client asked for what has this canonical name and text. */
export type Wanted = (name: string, text: string) => boolean

/** Reads page `page`. Throws a Fault `reply_not_readable` when it is no such page. */
export function listPage(
  bytes: Buffer,
  page: number,
  { member, sees }: ListScope,
  wants: Wanted,
): ListPage {
  const text = isUtf8(bytes) ? bytes.toString('utf8') : ''
  const values = valuesIn(text)
  const spans = values && arraySpans(text, 'results')
  if (values === undefined || spans?.elements.length !== values.length) throw unreadable()
  // The rest is read strictly: another `results` or `total_items` would make two pages of one.
  const { start, end } = spans
  const rest = strict(`${text.slice(0, start)}[]${text.slice(end)}`)
  const facts = isRecord(rest) ? rest['pagination'] : undefined
  if (!isRecord(facts) || facts['current_page'] !== page) throw unreadable()
  const { total_items: totalItems, has_next_page: hasNext } = facts
  if (typeof totalItems !== 'number' || typeof hasNext !== 'boolean') throw unreadable()

  const seen: [string, string][] = []
  for (const [at, value] of values.entries()) {
    const name = isRecord(value) ? value[member] : undefined
    const canonical = typeof name === 'string' ? canonicalName(name) : undefined
    if (canonical === undefined || !sees(canonical)) continue
    const span = spans.elements[at]
    const element = span && text.slice(span.start, span.end)
    if (element === undefined || !wants(canonical, element)) continue
    // A name that stands there twice may be read as the other one.
    if (strict(element) !== undefined) seen.push([canonical, element])
  }
  return { seen, length: values.length, totalItems, hasNext }
}

function valuesIn(text: string): readonly unknown[] | undefined {
  try {
    const page: unknown = JSON.parse(text)
    const results = isRecord(page) ? page['results'] : undefined
    return Array.isArray(results) ? results : undefined
  } catch {
    return undefined
  }
}

/** The value of `text`; `undefined` when two parsers could read it in two ways. */
function strict(text: string): unknown {
  try {
    return readJson(Buffer.from(text))
  } catch {
    return undefined
  }
}

function unreadable(): Fault {
  return new Fault('reply_not_readable', {
    detail:
      'OpusDNS answered with something that is no page of the list, so it cannot be filtered.',
  })
}
