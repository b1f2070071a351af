// Faults of the body of an upstream's reply. The client has the head by then, so what is cut short must
// be seen to be cut short; and what comes after the end reaches nobody.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

import { eventually } from '../support/eventually.ts'
import { plainReply } from '../support/raw-upstream.ts'
import type { Script } from '../support/raw-upstream.ts'
import type { Sending } from '../support/wire-client.ts'
import { ask } from './answer.ts'
import { SHORT } from './bench.ts'
import type { Bench } from './bench.ts'
import type { Fault, Measured } from './fault.ts'
import { scripted } from './upstream-connections.ts'
import { drip } from './upstream-heads.ts'

const OK = 'HTTP/1.1 200 OK\r\n'
const LENGTH = `${OK}Content-Length: 10\r\n\r\n`
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const EVIL = plainReply('{"target":"/of-somebody-else"}')

/** Writes the pieces 30 ms apart, so that the head is on its way before what follows; then `end`. */
function pieces(texts: readonly string[], end?: 'reset' | 'fin'): Script {
  return async ({ socket }) => {
    for (const text of texts) {
      socket.write(text, 'latin1')
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await sleep(30)
    }
    if (end === 'reset') socket.resetAndDestroy()
    if (end === 'fin') socket.end()
  }
}

function body(name: string, expected: string, script: Script, sending?: Sending): Fault {
  return {
    family: 'upstream',
    quick: true,
    name,
    expected,
    sent: 1,
    run: scripted(script, sending),
  }
}

/** The reply must have exactly this body. */
function carries(script: Script, wanted: Buffer, sending: Sending = {}): Fault['run'] {
  return async (bench) => {
    const upstream = await bench.upstream(script)
    const { port } = await bench.proxy({ base: upstream.origin })
    const measured = await ask(port, sending)
    const same = measured.reply?.body.equals(wanted) === true
    return { ...measured, wrong: same ? [] : ['the body is another'] }
  }
}

/** Bytes that come on the idle connection, long after the reply was over. */
async function lateGarbage(bench: Bench): Promise<Measured> {
  const upstream = await bench.upstream()
  const { port } = await bench.proxy({ base: upstream.origin })
  const measured = await ask(port, { path: '/v1/dns?first' })
  upstream.requests[0]?.socket.write(EVIL)
  await sleep(50)
  return measured
}

async function earlyRefusal(bench: Bench): Promise<Measured> {
  const refusal = plainReply(
    '{"code":"too_large"}',
    'HTTP/1.1 413 Content Too Large\r\nConnection: close',
  )
  const upstream = await bench.upstream(({ socket }) => socket.end(refusal))
  const { port } = await bench.proxy({ base: upstream.origin })
  const measured = await ask(port, {
    method: 'PUT',
    path: '/v1/dns/example.com/rrsets',
    body: randomBytes(4 * 1024 * 1024),
  })
  await eventually(() => upstream.requests.every(({ closed }) => closed))
  const whole = upstream.requests.filter(({ complete }) => complete).length
  return { ...measured, wrong: whole === 0 ? [] : ['the upstream took the whole body'] }
}

/** The upstream takes the head of a large upload, and reads no more. */
async function readsNothing(bench: Bench): Promise<Measured> {
  const upstream = await bench.upstream(({ socket }) => void socket.pause())
  const { port } = await bench.proxy({
    base: upstream.origin,
    config: SHORT.replace('limits: {', 'limits: { request_body_timeout: 4s,'),
  })
  const upload = randomBytes(14 * 1024 * 1024)
  return ask(port, { method: 'PUT', path: '/v1/dns/example.com/rrsets', body: upload })
}

/** The body comes slowly, but never stops. */
function drips(config: string, bytes: number): Fault['run'] {
  return async (bench) => {
    const upstream = await bench.upstream(async (request) => {
      request.socket.write(`${OK}Content-Length: ${bytes}\r\n\r\n`)
      await drip(request, 'a'.repeat(bytes), 50)
    })
    const { port } = await bench.proxy({ base: upstream.origin, config })
    return ask(port)
  }
}

const gzip = gzipSync('a'.repeat(100_000))

/** See the head of this file. */
export const UPSTREAM_BODIES: readonly Fault[] = [
  body('reset after the head', '200 cut', pieces([LENGTH], 'reset')),
  body('reset in a body with length', '200 cut', pieces([`${LENGTH}{"a"`], 'reset')),
  body('reset in a chunked body', '200 cut', pieces([`${CHUNKED}4\r\n{"a"\r\n`], 'reset')),
  body(
    'reset in a body that ends with the connection',
    '200 cut',
    pieces([`${OK}\r\n{"a"`], 'reset'),
  ),
  body('a body shorter than its length', '200 cut', pieces([`${LENGTH}{"a"`], 'fin')),
  body('chunks without the last', '200 cut', pieces([`${CHUNKED}4\r\n{"a"\r\n`], 'fin')),
  body('a chunk cut in two', '200 cut', pieces([`${CHUNKED}9\r\n{"a"`], 'fin')),
  body('a chunk size that is none', '200 cut', pieces([`${CHUNKED}4\r\n{"a"\r\n`, 'zz\r\n'])),
  body(
    'a chunk longer than its size',
    '200 cut',
    pieces([`${CHUNKED}4\r\n{"a"\r\n`, '2\r\nabcd\r\n0\r\n\r\n']),
  ),
  body(
    'bare LF in a chunk size',
    '200 cut',
    pieces([`${CHUNKED}4\r\n{"a"\r\n`, '2\nab\r\n0\r\n\r\n']),
  ),
  body('a body that ends with the connection', '200', pieces([`${OK}\r\n{"a"`, ':1}'], 'fin')),
  {
    family: 'upstream',
    quick: true,
    name: 'the body stops',
    expected: '200 cut',
    takes: [500, 3500],
    sent: 1,
    run: scripted(pieces([`${LENGTH}{"a"`])),
  },
  {
    family: 'upstream',
    quick: true,
    name: 'the body drips, a byte each 50 ms',
    expected: '200',
    takes: [1400, 6000],
    sent: 1,
    run: drips('upstream: { body_idle_timeout: 1s }', 30),
  },
  body('a body longer than its length', '200', pieces([`${OK}Content-Length: 2\r\n\r\n{}{}`])),
  body('a second reply behind the first', '200', pieces([plainReply() + EVIL])),
  body('garbage behind the reply', '200', pieces([plainReply(), 'garbage\r\n\r\n'])),
  {
    family: 'upstream',
    quick: true,
    name: 'a reply on an idle connection',
    expected: '200',
    sent: 1,
    run: lateGarbage,
  },
  body(
    '304 with a body',
    '304',
    pieces(['HTTP/1.1 304 Not Modified\r\nContent-Length: 30\r\n\r\n', EVIL]),
  ),
  body(
    '204 with a body',
    '204',
    pieces([`HTTP/1.1 204 No Content\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`]),
  ),
  body('a body in reply to HEAD', '200', pieces([EVIL]), { method: 'HEAD' }),
  {
    family: 'upstream',
    quick: true,
    name: 'gzip passes as it is',
    expected: '200',
    sent: 1,
    run: carries(
      ({ socket }) => {
        socket.write(`${OK}Content-Encoding: gzip\r\nContent-Length: ${gzip.length}\r\n\r\n`)
        socket.write(gzip)
      },
      gzip,
      { headers: ['Accept-Encoding', 'gzip'] },
    ),
  },
  {
    family: 'upstream',
    quick: true,
    name: '413 while the body is still being sent',
    expected: '413 too_large',
    sent: 1,
    run: earlyRefusal,
  },
  {
    family: 'upstream',
    quick: true,
    name: 'it reads nothing of a large body',
    expected: '504 upstream_timeout',
    takes: [500, 4500],
    sent: 1,
    run: readsNothing,
  },
  {
    family: 'upstream',
    quick: true,
    name: 'the reply drips for longer than limits.total_timeout',
    expected: '200 cut',
    takes: [650, 2500],
    sent: 1,
    run: drips('limits: { total_timeout: 700ms }', 100),
  },
]
