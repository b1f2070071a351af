// Faults of the connection to the upstream, before a reply begins: it is refused, hangs, dies, or is
// full.

import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

import { startSimulator } from '../opusdns/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { plainReply } from '../support/raw-upstream.ts'
import type { Script } from '../support/raw-upstream.ts'
import type { Sending } from '../support/wire-client.ts'
import { ask } from './answer.ts'
import type { Bench } from './bench.ts'
import type { Fault, Measured } from './fault.ts'

const CHANGE: Sending = { method: 'PATCH', path: '/v1/dns/example.com/rrsets', body: '{"ops":[]}' }
const PURCHASE: Sending = { method: 'POST', path: '/v1/domains', body: '{"name":"example.com"}' }

const reset: Script = ({ socket }) => void socket.resetAndDestroy()
const silent: Script = () => undefined

/** One request to an upstream that follows `script`. */
export function scripted(script: Script, sending: Sending = {}): Fault['run'] {
  return async (bench) => {
    const upstream = await bench.upstream(script)
    const { port } = await bench.proxy({ base: upstream.origin })
    return ask(port, sending)
  }
}

/** Kills the idle connection with the very request that it carries next. */
function race(sending: Sending): Fault['run'] {
  return async (bench) => {
    const used = new Set<number>()
    const upstream = await bench.upstream(({ socket, connection, target }) => {
      if (used.has(connection)) return socket.resetAndDestroy()
      used.add(connection)
      return socket.write(plainReply(JSON.stringify({ target })))
    })
    const { port } = await bench.proxy({ base: upstream.origin })
    await ask(port, { path: '/v1/dns?warm' })
    return ask(port, sending)
  }
}

async function refused(bench: Bench): Promise<Measured> {
  const port = await closedPort()
  bench.heals(async () => {
    const simulator = await startSimulator({ listen: { port } })
    bench.ends(() => simulator.close())
  })
  const proxy = await bench.proxy({ base: `http://127.0.0.1:${port}` })
  return ask(proxy.port)
}

/** A stopped process accepts nothing; once its backlog is full, connecting to it hangs. */
async function backlog(bench: Bench): Promise<Measured> {
  const script = `const s = require('node:http').createServer((q, r) => r.end(JSON.stringify({ target: q.url })))
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  bench.ends(() => child.kill('SIGKILL'))
  const fillers: Socket[] = []
  bench.ends(() => fillers.forEach((socket) => socket.destroy()))
  const port = await new Promise<number>((resolve) => {
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())))
  })
  child.kill('SIGSTOP')
  let open = 0
  // Full when connections stay unanswered.
  await eventually(() => {
    const filler = connect(port, '127.0.0.1', () => open++)
    filler.on('error', () => undefined)
    fillers.push(filler)
    return fillers.length - open > 3
  })
  const proxy = await bench.proxy({ base: `http://127.0.0.1:${port}` })
  const measured = await ask(proxy.port)
  bench.heals(() => {
    for (const socket of fillers) socket.destroy()
    child.kill('SIGCONT')
  })
  return { ...measured, note: `${open} connections filled the backlog` }
}

async function poolFull(bench: Bench): Promise<Measured> {
  const upstream = await bench.upstream(silent)
  const { port } = await bench.proxy({
    base: upstream.origin,
    config: 'upstream: { connections: 1, queue_timeout: 300ms, head_timeout: 2s }',
  })
  const first = ask(port)
  await eventually(() => upstream.requests.length === 1)
  const second = await ask(port)
  await first
  const retryAfter = second.reply?.rawHeaders.some((it) => it.toLowerCase() === 'retry-after')
  return { ...second, wrong: retryAfter === true ? [] : ['no Retry-After'] }
}

/** A port where nobody listens. */
export function closedPort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

const upstream = { family: 'upstream', quick: true } as const

/** See the head of this file. */
export const UPSTREAM_CONNECTIONS: readonly Fault[] = [
  {
    ...upstream,
    name: 'nobody listens',
    expected: '502 upstream_refused',
    run: refused,
  },
  {
    ...upstream,
    name: 'reset before the head (GET is sent twice)',
    expected: '502 upstream_terminated',
    sent: 2,
    run: scripted(reset),
  },
  {
    ...upstream,
    name: 'reset before the head (PATCH is sent once)',
    expected: '502 upstream_terminated',
    sent: 1,
    run: scripted(reset, CHANGE),
  },
  {
    ...upstream,
    name: 'reset before the head (a purchase)',
    expected: '409 outcome_unknown',
    sent: 1,
    run: scripted(reset, PURCHASE),
  },
  {
    ...upstream,
    name: 'closed before the head',
    expected: '502 upstream_terminated',
    sent: 2,
    run: scripted(({ socket }) => socket.end()),
  },
  {
    ...upstream,
    name: 'half-open: accepts, never answers',
    expected: '504 upstream_timeout',
    takes: [500, 3500],
    sent: 1,
    run: scripted(silent),
  },
  {
    ...upstream,
    name: 'never answers a purchase',
    expected: '409 outcome_unknown',
    takes: [500, 3500],
    sent: 1,
    run: scripted(silent, PURCHASE),
  },
  {
    ...upstream,
    name: 'connecting hangs: its backlog is full',
    expected: '504 upstream_connect_timeout',
    takes: [400, 3500],
    // The kernel repeats a lost SYN after 1 s.
    recovers: 8000,
    run: backlog,
  },
  {
    ...upstream,
    name: 'an idle connection dies as GET is written',
    expected: '200',
    sent: 3,
    run: race({ path: '/v1/dns?race' }),
  },
  {
    ...upstream,
    name: 'an idle connection dies as PATCH is written',
    expected: '502 upstream_terminated',
    sent: 2,
    run: race(CHANGE),
  },
  {
    ...upstream,
    name: 'an idle connection dies as a purchase is written',
    expected: '409 outcome_unknown',
    sent: 2,
    run: race(PURCHASE),
  },
  {
    ...upstream,
    name: 'every connection is taken',
    expected: '503 upstream_busy',
    takes: [250, 2000],
    sent: 1,
    run: poolFull,
  },
]
