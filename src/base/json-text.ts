// Reads JSON that somebody else will read again, perhaps with another parser: what two parsers could
// understand in two ways is refused. And finds the elements of a list in a text, byte for byte.

import { isUtf8 } from 'node:buffer'

import { notUnderstood, within } from './body-fault.ts'
import type { Place } from './body-fault.ts'
import { afterSpace, endOfString, endOfValue } from './json-scan.ts'

/** How deep arrays and objects may nest. */
export const JSON_DEPTH = 64

const BOM = 0xfeff
const QUOTE = 0x22
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const BACKSLASH = 0x5c
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * The value of a JSON text (RFC 8259, the grammar of `JSON.parse`) that every parser understands alike:
 * valid UTF-8 without a byte order mark, no name twice in one object (compared after unescaping), no
 * lone surrogate, at most `JSON_DEPTH` deep. Linear in time. A member `__proto__` is a plain member.
 * Throws a `body_not_understood` Fault with place and remedy, never with a value.
 */
export function readJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw notUnderstood(undefined, 'It is empty.', 'Send a JSON value.')
  if (!isUtf8(bytes)) throw notUnderstood(undefined, 'It is not UTF-8.', 'Send UTF-8.')
  const text = bytes.toString('utf8')
  if (text.charCodeAt(0) === BOM) {
    throw notUnderstood(undefined, 'It begins with a byte order mark.', 'Leave the mark out.')
  }
  const members = membersIn(bytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The error quotes the text, so it goes nowhere.
    throw notUnderstood(undefined, 'It is not valid JSON.', 'Send one JSON value (RFC 8259).')
  }
  // The parser keeps one of several members with one name, so that the sums differ.
  if (keysIn(value) !== members) {
    throw notUnderstood(duplicateIn(text), 'A name occurs twice.', 'Write each name once.')
  }
  // Decoded UTF-8 is well formed; only an escape can make a lone surrogate.
  if (text.includes('\\u')) refuseLoneSurrogates(value, undefined)
  return value
}

/** Where something begins and ends in a text, in UTF-16 code units; `end` is the first one behind. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** See `arraySpans`. */
export interface ArraySpans extends Span {
  readonly elements: readonly Span[]
}

/**
 * The array that the member `name` of the object `text` is (from `[` to behind `]`), and its elements
 * without the space and commas around them; `undefined` when there is no such member, or it is no
 * array. `text` must be JSON that `readJson` accepts. Linear in time.
 */
export function arraySpans(text: string, name: string): ArraySpans | undefined {
  let at = afterSpace(text, 0)
  if (text[at] !== '{') return undefined
  at = afterSpace(text, at + 1)
  while (text[at] === '"') {
    const end = endOfString(text, at)
    const found: unknown = JSON.parse(text.slice(at, end))
    at = afterSpace(text, afterSpace(text, end) + 1)
    if (found === name) return text[at] === '[' ? elementsFrom(text, at) : undefined
    // To the comma, or the end of the object; then to the next name.
    at = afterSpace(text, endOfValue(text, at))
    at = afterSpace(text, at + 1)
  }
  return undefined
}

function elementsFrom(text: string, start: number): ArraySpans | undefined {
  const elements: Span[] = []
  let at = afterSpace(text, start + 1)
  while (text[at] !== ']') {
    const end = endOfValue(text, at)
    // Not JSON: without this it would never end.
    if (end === at) return undefined
    elements.push({ start: at, end })
    at = afterSpace(text, end)
    if (text[at] === ',') at = afterSpace(text, at + 1)
  }
  return { start, end: at + 1, elements }
}

// Counts the colons outside strings, each of which is a member, and watches the depth. Works on bytes,
// of which those of JSON's own signs occur in no other UTF-8 character, because that is fastest.
function membersIn(bytes: Buffer): number {
  let members = 0
  let depth = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at += 1
      while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    } else if (byte === COLON) members += 1
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1
      if (depth > JSON_DEPTH) {
        const fault = `It nests deeper than ${JSON_DEPTH} levels.`
        throw notUnderstood(undefined, fault, 'Send what the API documents.')
      }
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1
  }
  return members
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) keys += keysIn(value[at])
    return keys
  }
  const record = value as Record<string, unknown>
  // What JSON.parse made inherits nothing that could be enumerated.
  for (const key in record) keys += 1 + keysIn(record[key])
  return keys
}

// Runs only for a text that has a duplicate, to say where.
function duplicateIn(text: string): Place | undefined {
  const open: { names: Set<string> | undefined; index: number; place: Place | undefined }[] = []
  let name = ''
  const here = (): Place | undefined => {
    const top = open.at(-1)
    return top && within(top.place, top.names ? name : top.index)
  }
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]
    const top = open.at(-1)
    if (sign === '"') {
      const end = endOfString(text, at)
      if (top?.names && text[afterSpace(text, end)] === ':') {
        name = JSON.parse(text.slice(at, end)) as string
        if (top.names.has(name)) return here()
        top.names.add(name)
      }
      at = end - 1
    } else if (sign === '{' || sign === '[') {
      open.push({ names: sign === '{' ? new Set() : undefined, index: 0, place: here() })
    } else if (sign === '}' || sign === ']') open.pop()
    else if (sign === ',' && top) top.index += 1
  }
  return undefined
}

function refuseLoneSurrogates(value: unknown, place: Place | undefined): void {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return
    throw notUnderstood(place, 'It has half of a surrogate pair.', 'Write the whole character.')
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value)) {
    const there = within(place, Array.isArray(value) ? Number(key) : key)
    refuseLoneSurrogates(key, there)
    refuseLoneSurrogates(member, there)
  }
}
