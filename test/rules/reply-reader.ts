// Reads what a proxy wrote to one connection as strictly as RFC 9112 allows, so that a reply that is
// merely plausible is told from one that is whole.

/** How the connection stood when reading ended. */
export type Ending = 'open' | 'fin' | 'reset'

/** A 1xx reply. */
export interface Interim {
  readonly status: number
  /** Flat list: name, value. */
  readonly fields: readonly string[]
}

/** What a client sees of one request. */
export interface Seen {
  /** Of the final reply; 0 when there is none. */
  readonly status: number
  readonly reason: string
  /** Flat list: name, value. */
  readonly fields: readonly string[]
  /** Latin-1, without its framing. */
  readonly body: string
  /** Lines between the last chunk and the end. */
  readonly trailers: string
  readonly interims: readonly Interim[]
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  /** True when the reply came to its honest end. */
  readonly whole: boolean
  readonly end: Ending
  /** Bytes behind the final reply, or bytes that are none. */
  readonly garbage: string
  /** Everything, Latin-1. */
  readonly text: string
}

/** Reads `text`, which answers one request of `method`. Throws at what no client should be sent. */
export function readReply(text: string, method: string, end: Ending): Seen {
  const interims: Interim[] = []
  let rest = text
  const seen = (found: Partial<Seen>): Seen => ({
    status: 0,
    reason: '',
    fields: [],
    body: '',
    trailers: '',
    interims,
    framing: 'none',
    whole: false,
    end,
    garbage: '',
    text,
    ...found,
  })
  for (;;) {
    const close = rest.indexOf('\r\n\r\n')
    if (close < 0) return seen({ garbage: rest })
    const head = readHead(rest.slice(0, close))
    rest = rest.slice(close + 4)
    if (head.status < 200 && head.status !== 101) {
      interims.push({ status: head.status, fields: head.fields })
      continue
    }
    return seen({ ...head, ...readBody(rest, head, method, end) })
  }
}

/** All values of `name` in a flat list. */
export function values(fields: readonly string[], name: string): string[] {
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === name)
}

type Head = Pick<Seen, 'status' | 'reason' | 'fields'>

function readHead(text: string): Head {
  const [line = '', ...lines] = text.split('\r\n')
  const match = /^HTTP\/1\.1 (\d{3}) ([\t\x20-\x7e]*)$/.exec(line)
  if (match === null) throw new Error(`no status line: ${JSON.stringify(line.slice(0, 80))}`)
  const fields = lines.flatMap((each) => {
    const field = /^([!#$%&'*+\-.^_`|~\w]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/.exec(each)
    if (field === null) throw new Error(`no field: ${JSON.stringify(each.slice(0, 80))}`)
    return [field[1] ?? '', (field[2] ?? '').trimEnd()]
  })
  return { status: Number(match[1]), reason: match[2] ?? '', fields }
}

type Rest = Pick<Seen, 'body' | 'trailers' | 'framing' | 'whole' | 'garbage'>

function readBody(text: string, head: Head, method: string, end: Ending): Rest {
  const lengths = values(head.fields, 'content-length')
  const codings = values(head.fields, 'transfer-encoding')
  const bodyless = method === 'HEAD' || [101, 204, 304].includes(head.status)
  if (lengths.length + codings.length > 1) throw new Error('more than one framing')
  if (bodyless) return { body: '', trailers: '', framing: 'none', whole: true, garbage: text }
  if (codings.length > 0) {
    if (codings[0] !== 'chunked') throw new Error(`coded as ${codings[0]}`)
    return readChunks(text)
  }
  if (lengths.length > 0) {
    if (!/^\d+$/.test(lengths[0] ?? '')) throw new Error(`a length of ${lengths[0]}`)
    const size = Number(lengths[0])
    const whole = text.length >= size
    const framing = 'length'
    return { body: text.slice(0, size), trailers: '', framing, whole, garbage: text.slice(size) }
  }
  return { body: text, trailers: '', framing: 'close', whole: end === 'fin', garbage: '' }
}

function readChunks(text: string): Rest {
  let rest = text
  let body = ''
  const cut = { trailers: '', framing: 'chunked', whole: false, garbage: '' } as const
  for (;;) {
    const close = rest.indexOf('\r\n')
    if (close < 0) return { ...cut, body }
    if (!/^[\da-f]+$/i.test(rest.slice(0, close))) throw new Error('a chunk without a size')
    const size = Number.parseInt(rest.slice(0, close), 16)
    const after = close + 2 + size
    if (size === 0) {
      const last = rest.indexOf('\r\n\r\n', close)
      if (last < 0) return { ...cut, body }
      const trailers = rest.slice(close + 2, last + 2)
      return { ...cut, body, trailers, whole: true, garbage: rest.slice(last + 4) }
    }
    if (rest.length < after + 2) return { ...cut, body: body + rest.slice(close + 2) }
    if (rest.slice(after, after + 2) !== '\r\n') throw new Error('a chunk without an end')
    body += rest.slice(close + 2, after)
    rest = rest.slice(after + 2)
  }
}
