// Fuzzes request heads, bodies and pipelines over real sockets. The oracle: what the upstream reads is
// what RFC 9112 reads in the bytes that the client sent, with one credential and nothing hop-by-hop;
// and there are never more requests upstream than replies to the client.

/* oxlint-disable unicorn/no-useless-spread -- many short texts on a line read better than a line for each */

import fc from 'fast-check'

import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { cutAt, exchange } from './byte-client.ts'
import type { Answered } from './byte-client.ts'
import { byteUpstream, measured } from './byte-upstream.ts'
import type { ByteUpstream } from './byte-upstream.ts'
import { mutated, mutations } from './mutations.ts'
import { readReply, readRequest, statusOf } from './strict-http.ts'
import type { Message } from './strict-http.ts'
import type { OpenSubject, Subject } from './subject.ts'

/** Short, so that what never becomes whole is answered soon. */
const CONFIG = `
limits: { request_head_timeout: 400ms, request_body_idle_timeout: 400ms, keep_alive_timeout: 1s }
log: { access: false }
`
const PATIENCE = 12_000

const CRLF = '\r\n'
const smuggled = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n`
const content = fc.constantFrom(
  '',
  'hello',
  '{"a":1}',
  '0\r\n\r\n',
  'x\r\n0\r\n\r\nGET /v1/s HTTP/1.1\r\n\r\n',
  smuggled('/v1/smuggled'),
  smuggled('/v1/auth/client_credentials'),
)
const body = fc.oneof(
  fc.constant(`${CRLF}${CRLF}`),
  content.map((text) => `\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
  fc.array(content, { maxLength: 3 }).map(
    (texts) =>
      `\r\nTransfer-Encoding: chunked\r\n\r\n${texts
        .filter((text) => text !== '')
        .map((text) => `${text.length.toString(16)}\r\n${text}\r\n`)
        .join('')}0\r\n\r\n`,
  ),
)
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'POST')
// `@` becomes the number of the message, so that no two have the same target.
const target = fc.constantFrom(
  ...[
    '/v1/f/@',
    '/v1/f/@?q=%00;',
    '/v1/f/@',
    'http://localhost/v1/f/@',
    '/v1/auth/@',
    '/v1/dns/@.com',
  ],
)
const fields = fc.subarray([
  'Accept: */*',
  'X-Api-Key: placeholder',
  'User-Agent: u',
  'Connection: keep-alive',
  'X: y:z',
])
const request = fc
  .tuple(method, target, fields, body)
  .map(([verb, at, lines, rest]) =>
    [`${verb} ${at} HTTP/1.1`, 'Host: localhost', ...lines].join(CRLF).concat(rest),
  )
const message = fc
  .record({
    requests: fc.array(request, { minLength: 1, maxLength: 3 }),
    changes: mutations,
    cuts: fc.array(fc.nat({ max: 2_000 }), { maxLength: 3 }),
  })
  .map(({ requests, changes, cuts }) => ({ text: mutated(requests.join(''), changes), cuts }))

const LAST = 'GET /v1/last/@ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

/** How a request looks to whoever compares. */
const shown = ({ line, body: text }: Message) => {
  const [verb, at = ''] = line.split(/ +/)
  return JSON.stringify([verb, at.replace(/^https?:\/\/[^/?]*/i, ''), text])
}

/** All requests that RFC 9112 reads in `text`. */
function requestsIn(text: string): string[] {
  const found: string[] = []
  let at = 0
  for (;;) {
    const read = readRequest(text, at, false)
    if (read.kind !== 'message') return found
    found.push(shown(read.message))
    at = read.message.end
  }
}

/** The number of final replies in `answered`; throws when it is anything but whole replies. */
function repliesIn({ text, end }: Answered): number {
  let count = 0
  let at = 0
  while (at < text.length) {
    const read = readReply(text, at, 'GET', true)
    if (read.kind === 'partial' && end === 'reset') return count
    // Of a method that a mutation made HEAD the reply has a length and no body.
    const headed = read.kind === 'message' && !read.message.body.startsWith('HTTP/1.')
    const used = headed ? read : readReply(text, at, 'HEAD', true)
    if (used.kind !== 'message') throw new Error(`the client was sent ${JSON.stringify(text)}`)
    if (used.message.untilClose) throw new Error(`a reply without an end: ${JSON.stringify(text)}`)
    if (statusOf(used.message.line) >= 200) count += 1
    at = used.message.end
  }
  return count
}

interface Sent {
  readonly text: string
  readonly cuts: readonly number[]
}

let serial = 0

async function round(proxy: LocalProxy, upstream: ByteUpstream, sent: readonly Sent[]) {
  upstream.requests = []
  upstream.faults = []
  // Nobody reads it, and a long run would keep it all.
  ;(proxy.lines as unknown[]).length = 0
  const texts = sent.map(({ text }) => `${text}${LAST}`.replaceAll('@', String((serial += 1))))
  const answers = await Promise.all(
    texts.map((text, at) =>
      exchange({
        port: proxy.port,
        pieces: cutAt(text, sent[at]?.cuts ?? []),
        patience: PATIENCE,
      }),
    ),
  )
  const { requests, faults } = upstream
  if (faults.length > 0) throw new Error(`the upstream met ${faults.join('\n')}`)
  const readable = texts.map(requestsIn)
  const known = readable.flat()
  for (const one of requests) {
    const at = known.indexOf(shown(one))
    if (at < 0) throw new Error(`nobody sent ${shown(one)}`)
    known.splice(at, 1)
  }
  let replies = 0
  for (const [at, answer] of answers.entries()) {
    if (answer.end === 'open') throw new Error('neither answered nor closed')
    const count = repliesIn(answer)
    // A reset may have swallowed replies.
    replies += answer.end === 'reset' ? Math.max(count, readable[at]?.length ?? 0) : count
  }
  if (requests.length > replies) {
    throw new Error(`${requests.length} requests went out for ${replies} replies`)
  }
  await nextWorks(proxy)
}

/** Throws unless an ordinary request is answered with its own reply. */
export async function nextWorks(proxy: LocalProxy): Promise<void> {
  const name = `next-${(serial += 1)}`
  const pieces = [`GET /v1/${name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`]
  for (let turn = 0; ; turn++) {
    // oxlint-disable-next-line no-await-in-loop -- a machine that stood still may cost a time-out
    const { text } = await exchange({ port: proxy.port, pieces, patience: PATIENCE })
    if (text.startsWith('HTTP/1.1 200 ') && text.endsWith(`/v1/${name}"}`)) return
    if (turn < 2 && (/^HTTP\/1\.1 (?:408|504)/.test(text) || text === '')) continue
    throw new Error(`the next request was answered ${JSON.stringify(text)}`)
  }
}

/** Requests in every spoiled form. */
export const requestsSubject: Subject = {
  name: 'requests',
  runs: 25,
  async open(): Promise<OpenSubject> {
    const upstream = await byteUpstream(({ line }, socket) =>
      socket.write(
        line.startsWith('HEAD ')
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'
          : measured(JSON.stringify({ target: line.split(' ')[1] })),
      ),
    )
    const proxy = await localProxy({ base: upstream.origin, config: CONFIG })
    const property = fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 24, size: 'max' }),
      (sent) => round(proxy, upstream, sent),
    )
    return {
      properties: [property],
      async close() {
        await proxy.stop()
        await upstream.close()
      },
    }
  },
}
