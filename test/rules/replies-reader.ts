// Reads what a client received as replies, without a parser that would forgive anything.

/** One reply, as far as it came. All text is Latin-1. */
export interface ClientReply {
  readonly status: number
  readonly reason: string
  /** Flat list: name, value. */
  readonly fields: readonly string[]
  readonly body: string
  /** False when the reply broke off before its end. */
  readonly complete: boolean
  /** The values of a field, joined by `, `; `undefined` when it is not there. */
  value(name: string): string | undefined
}

const STATUS = /^HTTP\/1\.1 (\d{3}) ([^\r\n]*)$/

/**
 * All replies in `text`; `methods` are those of the requests, in order. `ended` says that the
 * connection did. Throws on what is no reply.
 */
export function readReplies(
  text: string,
  methods: readonly string[],
  ended: boolean,
): ClientReply[] {
  const replies: ClientReply[] = []
  let rest = text
  let answered = 0
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) {
      if (ended) throw new Error(`no reply: ${JSON.stringify(rest.slice(0, 200))}`)
      return replies
    }
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n')
    const [, code, reason = ''] = STATUS.exec(line) ?? []
    if (code === undefined) throw new Error(`no status line: ${JSON.stringify(line.slice(0, 200))}`)
    const status = Number(code)
    const fields = lines.flatMap((it) => {
      const colon = it.indexOf(':')
      if (colon < 1) throw new Error(`no field: ${JSON.stringify(it)}`)
      return [it.slice(0, colon), it.slice(colon + 1).trim()]
    })
    rest = rest.slice(end + 4)
    const value = (name: string) => {
      const all = fields.filter(
        (_, at) => at % 2 === 1 && fields[at - 1]?.toLowerCase() === name.toLowerCase(),
      )
      return all.length > 0 ? all.join(', ') : undefined
    }
    const bodiless =
      status < 200 || status === 204 || status === 304 || methods[answered] === 'HEAD'
    const { body, complete, after } = bodiless
      ? { body: '', complete: true, after: rest }
      : readBody(rest, value('transfer-encoding'), value('content-length'), ended)
    replies.push({ status, reason, fields, body, complete, value })
    if (!complete) return replies
    if (status >= 200) answered += 1
    rest = after
  }
  return replies
}

interface ReadBody {
  readonly body: string
  readonly complete: boolean
  readonly after: string
}

function readBody(
  text: string,
  coding: string | undefined,
  length: string | undefined,
  ended: boolean,
): ReadBody {
  if (coding !== undefined && length !== undefined) throw new Error('a reply with two framings')
  if (coding !== undefined) return readChunks(text)
  if (length === undefined) return { body: text, complete: ended, after: '' }
  const size = Number(length)
  return { body: text.slice(0, size), complete: text.length >= size, after: text.slice(size) }
}

function readChunks(text: string): ReadBody {
  let body = ''
  for (let rest = text; ;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (end < 0) return { body, complete: false, after: '' }
    if (size === 0) {
      const close = rest.indexOf('\r\n\r\n', end)
      if (close < 0) return { body, complete: false, after: '' }
      return { body, complete: true, after: rest.slice(close + 4) }
    }
    body += rest.slice(end + 2, end + 2 + size)
    if (rest.length < end + 2 + size + 2) return { body, complete: false, after: '' }
    rest = rest.slice(end + 2 + size + 2)
  }
}
