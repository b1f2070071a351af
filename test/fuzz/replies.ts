// Fuzzes replies of the upstream over real sockets. The oracle: the client sees the reply that RFC 9112
// reads in the upstream's bytes, or an error of ours, or a visible abort; never bytes of another reply.

/* oxlint-disable unicorn/no-useless-spread -- many short texts on a line read better than a line for each */

import type { Socket } from 'node:net'

import fc from 'fast-check'

import { localProxy } from '../support/local-proxy.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { cutAt, exchange } from './byte-client.ts'
import type { Answered } from './byte-client.ts'
import { byteUpstream, measured } from './byte-upstream.ts'
import type { ByteUpstream } from './byte-upstream.ts'
import { mutated, mutations } from './mutations.ts'
import { nextWorks } from './requests.ts'
import { readReply, statusOf, valuesOf } from './strict-http.ts'
import type { Message } from './strict-http.ts'
import type { OpenSubject, Subject } from './subject.ts'

const CONFIG = `
upstream: { head_timeout: 600ms, body_idle_timeout: 600ms }
limits: { keep_alive_timeout: 1s }
log: { access: false }
`
const PATIENCE = 12_000
const CRLF = '\r\n'
/** In what stands behind a reply; whoever sees it was poisoned. */
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON'

const content = fc.constantFrom(
  '',
  'hello',
  '{"a":1}',
  '0\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  'x'.repeat(300),
)
const status = fc.constantFrom(
  ...['200 OK', '201 Created', '204 No Content', '205 Reset', '304 Not Modified', '404 Not Found'],
  ...[
    '200',
    '200 ',
    '500 \xfc',
    '302 Found',
    '401 Unauthorized',
    '599 X',
    '600 X',
    '199 X',
    '101 Switch',
  ],
  ...['200 OK', '200 OK', '200 OK', '200 OK'],
)
const body = fc.oneof(
  content.map((text) => `\r\nContent-Length: ${text.length}\r\n\r\n${text}`),
  content.map((text) => `\r\n\r\n${text}`),
  fc.array(content, { maxLength: 3 }).map(
    (texts) =>
      `\r\nTransfer-Encoding: chunked\r\n\r\n${texts
        .filter((text) => text !== '')
        .map((text) => `${text.length.toString(16)}\r\n${text}\r\n`)
        .join('')}0\r\n\r\n`,
  ),
)
const fields = fc.subarray([
  ...[
    'Content-Type: a/b',
    'Connection: keep-alive',
    'Connection: close',
    'Set-Cookie: s=1',
    'X: y',
  ],
  ...[
    'Keep-Alive: timeout=9',
    'Date: Mon, 23 Nov 2026 00:00:00 GMT',
    'Connection: x',
    'Trailer: X',
  ],
  ...['Location: /v1/x', 'Alt-Svc: h3=":1"', 'Upgrade: h2c', 'ETag: "\xfc"', 'Via: 1.1 other'],
])
const informational = fc.constantFrom(
  ...['', '', '', '', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', 'HTTP/1.1 102 P\r\n\r\n'],
  ...['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 102 P\r\n\r\n'.repeat(3)],
)
const reply = fc
  .tuple(informational, fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'), status, fields, body)
  .map(([before, version, code, lines, rest]) =>
    before.concat([`${version} ${code}`, ...lines].join(CRLF), rest),
  )
const scene = fc.record({
  text: fc.tuple(reply, mutations).map(([text, changes]) => mutated(text, changes)),
  behind: fc.constantFrom('', '', '', POISON, '\r\n', 'x', `\r\n${POISON}`),
  cuts: fc.array(fc.nat({ max: 500 }), { maxLength: 3 }),
  end: fc.constantFrom<End>('open', 'fin', 'fin', 'reset'),
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE'),
})

type End = 'open' | 'fin' | 'reset'
interface Scene {
  readonly text: string
  readonly behind: string
  readonly cuts: readonly number[]
  readonly end: End
  readonly method: string
}

/** The final reply that RFC 9112 reads in `bytes`, or why there is none. */
function readFinal(bytes: string, method: string, exact: boolean): Message | string {
  let at = 0
  for (;;) {
    const read = readReply(bytes, at, method, exact)
    if (read.kind === 'invalid') return read.why
    if (read.kind === 'partial') return 'cut short'
    if (statusOf(read.message.line) >= 200) return read.message
    at = read.message.end
  }
}

let serial = 0

/** Throws unless what the client saw is one of what it may see. */
function judge(one: Scene, seen: Answered): void {
  const { text, end } = seen
  const context = () => `${JSON.stringify(one)} became ${JSON.stringify(seen)}`
  if (end === 'open') throw new Error(`neither answered nor closed: ${context()}`)
  const got = readFinal(text, one.method, true)
  // What cannot be read as a whole reply is a visible abort, if nothing was written behind it.
  if (typeof got === 'string') {
    if (got === 'cut short' || end === 'reset') return
    throw new Error(`${got} was sent to the client: ${context()}`)
  }
  if (got.end < text.length) throw new Error(`bytes behind the reply: ${context()}`)
  // A reset is an abort, also of what was whole by then (an empty 205).
  if (end === 'reset') return
  if (valuesOf(got.fields, 'proxy-status').length > 0) {
    if (statusOf(got.line) >= 400) return
    throw new Error(`an error that is none: ${context()}`)
  }
  const wanted = readFinal(`${one.text}${one.behind}`, one.method, false)
  if (typeof wanted === 'string') throw new Error(`${wanted} passed: ${context()}`)
  if (statusOf(got.line) !== statusOf(wanted.line)) throw new Error(`another status: ${context()}`)
  if (got.untilClose) throw new Error(`a body without an end: ${context()}`)
  // 205 has no body, whatever came with it (RFC 9110 section 15.3.6).
  if (statusOf(wanted.line) !== 205 && got.body !== wanted.body) {
    throw new Error(`another body: ${context()}`)
  }
  if (statusOf(wanted.line) !== 205 && wanted.untilClose && one.end === 'reset')
    throw new Error(`a clean end: ${context()}`)
  for (const name of ['set-cookie', 'alt-svc', 'upgrade', 'keep-alive', 'trailer']) {
    const ours = name === 'keep-alive' ? valuesOf(wanted.fields, 'connection').length + 1 : 0
    if (valuesOf(got.fields, name).length > ours) throw new Error(`${name} passed: ${context()}`)
  }
}

async function play(one: Scene, socket: Socket): Promise<void> {
  for (const piece of cutAt(one.text + one.behind, one.cuts)) {
    // oxlint-disable-next-line no-await-in-loop -- one piece after the other
    await new Promise<void>((resolve) => {
      if (socket.destroyed) resolve()
      else socket.write(piece, 'latin1', () => setImmediate(resolve))
    })
  }
  if (one.end === 'fin') socket.end()
  else if (one.end === 'reset') socket.resetAndDestroy()
}

async function round(
  proxy: LocalProxy,
  upstream: ByteUpstream,
  scenes: readonly Scene[],
): Promise<void> {
  const byTarget = new Map(scenes.map((one) => [`/v1/r/${(serial += 1)}`, one]))
  upstream.requests = []
  upstream.faults = []
  // Nobody reads it, and a long run would keep it all.
  ;(proxy.lines as unknown[]).length = 0
  upstream.answer = ({ line }, socket) => {
    const target = line.split(' ')[1] ?? ''
    const one = byTarget.get(target)
    if (one === undefined) socket.write(measured(JSON.stringify({ target })))
    else void play(one, socket)
  }
  const seen = await Promise.all(
    [...byTarget].map(([target, { method }]) =>
      exchange({
        port: proxy.port,
        pieces: [
          `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${method === 'POST' ? 'Content-Length: 2\r\n' : ''}Connection: close\r\n\r\n${method === 'POST' ? '{}' : ''}`,
        ],
        patience: PATIENCE,
      }),
    ),
  )
  await nextWorks(proxy)
  await nextWorks(proxy)
  for (const [at, one] of scenes.entries()) judge(one, seen[at] as Answered)
  if (upstream.faults.length > 0) throw new Error(upstream.faults.join('\n'))
  const sent = upstream.requests.map(({ line }) => line)
  for (const [target, { method }] of byTarget) {
    const times = sent.filter((line) => line === `${method} ${target} HTTP/1.1`).length
    const unsafe = method === 'POST' || method === 'DELETE'
    // A 401 lets the key be looked at again, and the request is sent once more.
    const unauthorized = byTarget.get(target)?.text.includes('401') === true
    if (times > (unsafe && !unauthorized ? 1 : 3))
      throw new Error(`${method} went out ${times} times`)
  }
}

/** Replies in every spoiled form. */
export const repliesSubject: Subject = {
  name: 'replies',
  runs: 25,
  async open(): Promise<OpenSubject> {
    const upstream = await byteUpstream((_request, socket) => socket.write(measured('{}')))
    const proxy = await localProxy({ base: upstream.origin, config: CONFIG })
    const property = fc.asyncProperty(
      fc.array(scene, { minLength: 1, maxLength: 24, size: 'max' }),
      (scenes) => round(proxy, upstream, scenes),
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
