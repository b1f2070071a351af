// Faults of clients that leave, do not read, or are too many. Whoever leaves takes the upstream's
// request along; nobody else notices.

import { setTimeout as sleep } from 'node:timers/promises'

import { eventually } from '../support/eventually.ts'
import type { RawUpstream, Script } from '../support/raw-upstream.ts'
import { answerIn, answersIn, ask, tally } from './answer.ts'
import { SHORT, echo } from './bench.ts'
import type { Bench } from './bench.ts'
import { dial, request } from './dial.ts'
import type { Line } from './dial.ts'
import type { Fault, Measured } from './fault.ts'

const silent: Script = () => undefined
const LARGE = 'PATCH /v1/dns/example.com/rrsets'

interface Leaving {
  readonly script?: Script
  readonly bytes: string
  /** Resolves when the client is to leave. */
  when(upstream: RawUpstream, line: Line): unknown
  leave?(line: Line): void
  /** Whether the upstream may have the whole request. */
  readonly whole?: boolean
}

/** A client that leaves at some moment: the upstream's connection ends within a second. */
function leaves({ script = silent, bytes, when, leave, whole = false }: Leaving): Fault['run'] {
  return async (bench) => {
    const upstream = await bench.upstream(script)
    const { port } = await bench.proxy({
      base: upstream.origin,
      config: 'upstream: { head_timeout: 20s }',
    })
    const line = await dial(bench, port)
    line.write(bytes)
    await when(upstream, line)
    const leftAt = performance.now()
    if (leave === undefined) line.socket.resetAndDestroy()
    else leave(line)
    await eventually(() => upstream.requests.every(({ closed }) => closed))
    const ms = performance.now() - leftAt
    const complete = upstream.requests.some((it) => it.complete)
    const wrong = complete && !whole ? ['the upstream took it for a whole request'] : []
    return { answer: 'the upstream is let go', ms, wrong }
  }
}

async function readsNothing(bench: Bench): Promise<Measured> {
  const piece = Buffer.alloc(64 * 1024, 'a')
  const upstream = await bench.upstream(async ({ socket }) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1000 * piece.length}\r\n\r\n`)
    for (let at = 0; at < 1000 && !socket.destroyed; at++) {
      if (socket.write(piece)) continue
      // oxlint-disable-next-line no-await-in-loop -- as fast as it is read
      await new Promise((go) => socket.once('drain', go).once('close', go))
    }
  })
  const { port } = await bench.proxy({
    base: upstream.origin,
    config: SHORT.replace('limits: {', 'limits: { reply_write_timeout: 500ms,'),
  })
  const line = await dial(bench, port)
  line.socket.pause()
  line.write(request('GET /v1/dns'))
  await eventually(() => upstream.requests.length === 1)
  const startedAt = performance.now()
  await eventually(() => upstream.requests.every(({ closed }) => closed))
  const ms = performance.now() - startedAt
  line.socket.resume()
  return { answer: `${await line.over} after some of it`, ms }
}

async function pipelines(bench: Bench): Promise<Measured> {
  // The first takes longest.
  const upstream = await bench.upstream(async (it) => {
    await sleep(it.target.endsWith('1') ? 150 : 10)
    await echo(it)
  })
  const { port } = await bench.proxy({ base: upstream.origin })
  const line = await dial(bench, port)
  const targets = ['/v1/dns?1', '/v1/dns?2', '/v1/dns?3']
  line.write(targets.map((target) => request(`GET ${target}`)).join(''))
  await eventually(() => answersIn(line.text()).length === 3)
  const order = [...line.text().matchAll(/"target":"([^"]+)"/g)].map(([, target]) => target)
  const wrong = order.join() === targets.join() ? [] : [`order ${order.join()}`]
  return { answer: tally(answersIn(line.text())), ms: line.age(), wrong }
}

async function pipelinesGarbage(bench: Bench): Promise<Measured> {
  const upstream = await bench.upstream(async (it) => {
    await sleep(100)
    await echo(it)
  })
  const { port } = await bench.proxy({ base: upstream.origin })
  const line = await dial(bench, port)
  line.write(`${request('GET /v1/dns?1')}\0garbage\r\n\r\n`)
  await line.over
  return { answer: answerIn(line.text()), ms: line.age() }
}

async function halfCloses(bench: Bench): Promise<Measured> {
  const upstream = await bench.upstream(async (it) => {
    await sleep(150)
    await echo(it)
  })
  const { port } = await bench.proxy({ base: upstream.origin })
  const line = await dial(bench, port)
  line.socket.end(request('GET /v1/dns'))
  await line.over
  return { answer: answerIn(line.text()), ms: line.age() }
}

/** `count` requests at once, of which `limit` fit. */
async function tooMany(bench: Bench, limit: number, count: number): Promise<Measured> {
  const upstream = await bench.upstream(async (it) => {
    await sleep(1000)
    await echo(it)
  })
  const { port } = await bench.proxy({
    base: upstream.origin,
    config: `limits: { in_flight: ${limit} }`,
  })
  const startedAt = performance.now()
  const answers = await Promise.all(Array.from({ length: count }, () => ask(port)))
  const refused = answers.filter(({ answer }) => answer === '503 overloaded')
  const slow = refused.filter(({ ms }) => ms > 900)
  const bare = refused.filter(({ reply }) => !/retry-after/i.test(String(reply?.rawHeaders)))
  const wrong: string[] = []
  if (slow.length > 0) wrong.push(`${slow.length} refusals took more than 900 ms`)
  if (bare.length > 0) wrong.push(`${bare.length} refusals without Retry-After`)
  const ms = performance.now() - startedAt
  return { answer: tally(answers.map(({ answer }) => answer)), ms, wrong }
}

async function tooManyConnections(bench: Bench): Promise<Measured> {
  const upstream = await bench.upstream()
  const { port } = await bench.proxy({
    base: upstream.origin,
    config: 'limits: { connections: 20 }',
  })
  const lines = await Promise.all(Array.from({ length: 20 }, () => dial(bench, port)))
  await sleep(100)
  const measured = await ask(port)
  bench.heals(async () => {
    for (const { socket } of lines) socket.destroy()
    await sleep(100)
  })
  return measured
}

async function slowHeads(bench: Bench): Promise<Measured> {
  const upstream = await bench.upstream()
  const { port } = await bench.proxy({ base: upstream.origin, config: '' })
  const lines = await Promise.all(Array.from({ length: 300 }, () => dial(bench, port)))
  for (const line of lines) line.write('GET /v1/dns HTTP/1.1\r\nHo')
  const startedAt = performance.now()
  const answers: string[] = []
  // oxlint-disable-next-line no-await-in-loop -- one after the other, to see each one's time
  for (let at = 0; at < 50; at++) answers.push((await ask(port)).answer)
  return { answer: tally(answers), ms: performance.now() - startedAt }
}

const clients = { family: 'clients', quick: true } as const
const gone = { ...clients, expected: 'the upstream is let go', takes: [0, 3000] } as const
const arrived = (upstream: RawUpstream) => eventually(() => upstream.requests.length === 1)

/** See the head of this file. */
export const CLIENTS: readonly Fault[] = [
  {
    ...gone,
    name: 'leaves in its head',
    sent: 0,
    run: leaves({ bytes: 'GET /v1/dns HTTP/1.1\r\nHo', when: () => sleep(50) }),
  },
  {
    ...gone,
    name: 'leaves in a small body',
    sent: 0,
    run: leaves({ bytes: `${request(LARGE, 'Content-Length: 10')}{"a"`, when: () => sleep(50) }),
  },
  {
    ...gone,
    name: 'leaves in a large body',
    sent: 1,
    run: leaves({
      bytes: request(LARGE, 'Content-Length: 200000') + 'a'.repeat(100_000),
      when: arrived,
    }),
  },
  {
    ...gone,
    name: 'ends its side in a large body',
    sent: 1,
    run: leaves({
      bytes: request(LARGE, 'Content-Length: 200000') + 'a'.repeat(100_000),
      when: arrived,
      leave: ({ socket }) => socket.end(),
    }),
  },
  {
    ...gone,
    name: 'leaves while it waits',
    sent: 1,
    run: leaves({ bytes: request('GET /v1/dns'), when: arrived, whole: true }),
  },
  {
    ...gone,
    name: 'leaves in the reply',
    sent: 1,
    run: leaves({
      script: ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{'),
      bytes: request('GET /v1/dns'),
      when: (_, line) => eventually(() => line.text().endsWith('{')),
      whole: true,
    }),
  },
  {
    ...clients,
    name: 'reads nothing of its reply',
    expected: 'reset after some of it',
    takes: [400, 3500],
    run: readsNothing,
  },
  {
    ...clients,
    name: 'three requests at once (pipelining)',
    expected: '3 × 200',
    sent: 3,
    run: pipelines,
  },
  { ...clients, name: 'garbage behind a request', expected: '200', sent: 1, run: pipelinesGarbage },
  {
    ...clients,
    name: 'ends its side after the request',
    expected: '200',
    sent: 1,
    run: halfCloses,
  },
  {
    ...clients,
    name: 'more requests than limits.in_flight',
    expected: '20 × 503 overloaded, 10 × 200',
    sent: 10,
    run: (bench) => tooMany(bench, 10, 30),
  },
  {
    ...clients,
    name: 'more connections than limits.connections',
    expected: '503 overloaded',
    sent: 0,
    run: tooManyConnections,
  },
  { ...clients, name: '300 heads that never end', expected: '50 × 200', sent: 50, run: slowHeads },
]
