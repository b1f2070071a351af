// Reads HTTP/1.1 as RFC 9112 writes it and in no other way; independent of every parser that the proxy
// uses. Says `partial` when bytes are missing, and `invalid` when no bytes could help.

/** One field as it stands: name as written, value without surrounding white space. */
export type Field = readonly [name: string, value: string]

/** A message that was read. */
export interface Message {
  /** Request line or status line. */
  readonly line: string
  readonly fields: readonly Field[]
  /** Latin-1, without chunk framing. */
  readonly body: string
  /** True when the body ends with the connection. */
  readonly untilClose: boolean
  /** Offset behind it. */
  readonly end: number
}

/** What is at an offset. */
export type Read =
  | { readonly kind: 'message'; readonly message: Message }
  /** `head` is there when only the body is not whole; `body` is what came of it. */
  | { readonly kind: 'partial'; readonly head?: Head; readonly body?: string }
  | { readonly kind: 'invalid'; readonly why: string; readonly head?: Head }

/** Line and fields of a message. */
export interface Head {
  readonly line: string
  readonly fields: readonly Field[]
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const FIELD = new RegExp(
  `^(${TOKEN}):[\\t ]*((?:[\\x21-\\x7e\\x80-\\xff](?:[\\t \\x21-\\x7e\\x80-\\xff]*[\\x21-\\x7e\\x80-\\xff])?)?)[\\t ]*$`,
)
// RFC 9112 section 3 lets a server split the line at any number of spaces, as Node does.
const REQUEST_LINE = new RegExp(`^${TOKEN} +[\\x21-\\x7e]+ +HTTP/1\\.[01]$`)
const STATUS_LINE = /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/
// A reason phrase means nothing; the proxy leaves one out that it cannot write.
const ANY_REASON = /^HTTP\/1\.[01] [1-5]\d\d(?: [^\r\n\0]*)?$/
const CHUNK = /^([0-9A-Fa-f]{1,13})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/
const EXACT_CHUNK = /^([0-9A-Fa-f]{1,13})$/

/** All values of a field. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([it]) => it.toLowerCase() === name).map(([, value]) => value)
}

/** Takes a line that ends in CRLF; `undefined` while it is not whole. */
function lineAt(bytes: string, from: number): string | undefined {
  const end = bytes.indexOf('\r\n', from)
  return end < 0 ? undefined : bytes.slice(from, end)
}

const invalid = (why: string, head?: Head): Read =>
  head === undefined ? { kind: 'invalid', why } : { kind: 'invalid', why, head }

function fieldsAt(
  bytes: string,
  from: number,
): { fields: Field[]; end: number } | 'partial' | 'invalid' {
  const fields: Field[] = []
  let at = from
  for (;;) {
    const line = lineAt(bytes, at)
    if (line === undefined) return 'partial'
    at += line.length + 2
    if (line === '') return { fields, end: at }
    const match = FIELD.exec(line)
    if (match === null) return 'invalid'
    fields.push([match[1] ?? '', match[2] ?? ''])
  }
}

type Framing = { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'none' }

function framingOf(fields: readonly Field[], old: boolean): Framing | string {
  const lengths = valuesOf(fields, 'content-length')
  const codings = valuesOf(fields, 'transfer-encoding')
  if (codings.length > 0 && lengths.length > 0) return 'length and coding'
  if (codings.length > 1 || lengths.length > 1) return 'framing twice'
  const [coding] = codings
  if (coding !== undefined) {
    if (old) return 'a coding in HTTP/1.0'
    return coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : 'another coding'
  }
  const [length] = lengths
  if (length === undefined) return { kind: 'none' }
  return /^\d{1,15}$/.test(length) ? { kind: 'length', length: Number(length) } : 'an odd length'
}

function chunkedAt(bytes: string, from: number, head: Head, exact: boolean): Read {
  let body = ''
  let at = from
  for (;;) {
    const line = lineAt(bytes, at)
    if (line === undefined) return { kind: 'partial', head, body }
    const match = (exact ? EXACT_CHUNK : CHUNK).exec(line)
    if (match === null) return { kind: 'invalid', why: 'a chunk size', head }
    const size = Number.parseInt(match[1] ?? '', 16)
    at += line.length + 2
    if (size === 0) break
    body += bytes.slice(at, at + size)
    at += size
    if (bytes.length < at + 2) {
      return '\r\n'.startsWith(bytes.slice(at))
        ? { kind: 'partial', head, body }
        : invalid('the end of a chunk', head)
    }
    if (bytes.slice(at, at + 2) !== '\r\n') return invalid('the end of a chunk', head)
    at += 2
  }
  const trailers = fieldsAt(bytes, at)
  if (trailers === 'partial') return { kind: 'partial', head, body }
  if (trailers === 'invalid' || (exact && trailers.fields.length > 0)) {
    return invalid('a trailer', head)
  }
  return {
    kind: 'message',
    message: { ...head, body, untilClose: false, end: trailers.end },
  }
}

function headAt(bytes: string, from: number, form: RegExp): (Head & { end: number }) | Read {
  const line = lineAt(bytes, from)
  if (line === undefined) return { kind: 'partial' }
  if (!form.test(line)) return invalid('the first line')
  const found = fieldsAt(bytes, from + line.length + 2)
  if (found === 'partial') return { kind: 'partial' }
  if (found === 'invalid') return invalid('a field line')
  return { line, fields: found.fields, end: found.end }
}

/**
 * Reads the request at `from`. `exact` is for what a careful sender writes: no chunk extensions, no
 * trailers, no empty line before the request line.
 */
export function readRequest(bytes: string, from: number, exact: boolean): Read {
  let start = from
  // RFC 9112 section 2.2: a server should ignore empty lines before the request line. Node takes halves
  // of them too; they belong to no request, so nothing can be read differently.
  while (!exact && '\r\n'.includes(bytes[start] ?? '-')) start += 1
  const head = headAt(bytes, start, REQUEST_LINE)
  if ('kind' in head) return head
  const framing = framingOf(head.fields, head.line.endsWith('1.0'))
  if (typeof framing === 'string') return invalid(framing, head)
  if (framing.kind === 'chunked') return chunkedAt(bytes, head.end, head, exact)
  const length = framing.kind === 'none' ? 0 : framing.length
  return measuredAt(bytes, head.end, head, length)
}

function measuredAt(bytes: string, from: number, { line, fields }: Head, length: number): Read {
  const body = bytes.slice(from, from + length)
  if (body.length < length) return { kind: 'partial', head: { line, fields }, body }
  return {
    kind: 'message',
    message: { line, fields, body, untilClose: false, end: from + length },
  }
}

/** The status code in a status line. */
export function statusOf(line: string): number {
  return Number(line.slice(9, 12))
}

/** Reads the reply to a request with `method` at `from`. */
export function readReply(bytes: string, from: number, method: string, exact = false): Read {
  let start = from
  // As in a request; after a 1xx, Node's parser skips empty lines.
  while (!exact && '\r\n'.includes(bytes[start] ?? '-')) start += 1
  const head = headAt(bytes, start, exact ? STATUS_LINE : ANY_REASON)
  if ('kind' in head) return head
  const status = statusOf(head.line)
  // Whatever a 1xx claims, it has no body.
  if (status < 200 && status !== 101 && !exact) return measuredAt(bytes, head.end, head, 0)
  // Of a coding in HTTP/1.0 the RFC (9112 section 6.1) wants the connection closed after it was read.
  const framing = framingOf(head.fields, exact && head.line.startsWith('HTTP/1.0'))
  if (status === 101) return invalid('a switch of protocols', head)
  if (typeof framing === 'string') return invalid(framing, head)
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') {
    return measuredAt(bytes, head.end, head, 0)
  }
  if (framing.kind === 'chunked') return chunkedAt(bytes, head.end, head, exact)
  if (framing.kind === 'length') return measuredAt(bytes, head.end, head, framing.length)
  const { line, fields } = head
  const body = bytes.slice(head.end)
  return { kind: 'message', message: { line, fields, body, untilClose: true, end: bytes.length } }
}
