// Faults of the encrypted way to the upstream, and of its name. All through real TLS on loopback; names
// are answered by this process.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:net'

import { authority } from '../support/certificates.ts'
import type { Certificate } from '../support/certificates.ts'
import type { LocalProxy } from '../support/local-proxy.ts'
import { ask } from './answer.ts'
import { SHORT } from './bench.ts'
import type { Bench } from './bench.ts'
import type { Fault, Measured } from './fault.ts'
import { closedPort } from './upstream-connections.ts'
import { names } from './names.ts'
import { switchboard } from './switchboard.ts'

const HOUR = 3_600_000
const NAME = 'api.opusdns.test'
const ours = authority('fault suite CA')
const stranger = authority('another CA')

/** A proxy that trusts our CA. */
function trusting(bench: Bench, base: string): Promise<LocalProxy> {
  const file = join(bench.folder(), 'ca.pem')
  writeFileSync(file, ours.cert)
  const config = SHORT.replace('upstream: {', `upstream: { ca_file: ${file},`)
  return bench.proxy({ base, config })
}

/** The upstream shows `certificate` first, and a good one after the fault. */
function shows(certificate: () => Certificate): Fault['run'] {
  return async (bench) => {
    const bad = await bench.upstream(undefined, { tls: certificate() })
    const good = await bench.upstream(undefined, { tls: ours.issue() })
    const board = await switchboard(bench, bad.port)
    const { port } = await trusting(bench, `https://localhost:${board.port}`)
    const measured = await ask(port)
    bench.heals(() => board.connectTo(good.port))
    return measured
  }
}

/** Whoever answers at first speaks no TLS. */
function instead(listener: Parameters<typeof createServer>[1]): Fault['run'] {
  return async (bench) => {
    const server = createServer(listener)
    bench.ends(() => server.close())
    const bad = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    const good = await bench.upstream(undefined, { tls: ours.issue() })
    const board = await switchboard(bench, bad)
    const { port } = await trusting(bench, `https://localhost:${board.port}`)
    const measured = await ask(port)
    bench.heals(() => board.connectTo(good.port))
    return measured
  }
}

/** The name has `answer` at first, and a good one after the fault. */
function named(label: string, answer: Parameters<typeof names.set>[1]): Fault['run'] {
  return async (bench) => {
    const name = `${label}.${NAME}`
    names.set(name, answer)
    bench.ends(() => names.delete(name))
    bench.heals(() => names.set(name, '127.0.0.1'))
    const good = await bench.upstream(undefined, { tls: ours.issue({ name }) })
    const { port } = await trusting(bench, `https://${name}:${good.port}`)
    return ask(port)
  }
}

/** The upstream moves: its old address is dead, and its name has another one. */
async function moves(bench: Bench): Promise<Measured> {
  const name = `moves.${NAME}`
  names.set(name, '127.0.0.1')
  bench.ends(() => names.delete(name))
  const before = await bench.upstream(undefined, { tls: ours.issue({ name }) })
  const after = await bench.upstream(undefined, { tls: ours.issue({ name }) })
  await switchboard(bench, after.port, { host: '127.0.0.2', port: before.port })
  const { port } = await trusting(bench, `https://${name}:${before.port}`)
  const first = await ask(port)
  await before.close()
  names.set(name, '127.0.0.2')
  const measured = await ask(port)
  const wrong: string[] = []
  if (first.answer !== '200') wrong.push(`before the move ${first.answer}`)
  if (after.requests.length !== 1) wrong.push('the new address was not asked')
  return { ...measured, wrong }
}

/** An address that refuses stands before one that serves. */
async function twoAddresses(bench: Bench): Promise<Measured> {
  const name = `two.${NAME}`
  const port = await closedPort()
  names.set(name, ['127.0.0.1', '127.0.0.2'])
  bench.ends(() => names.delete(name))
  const good = await bench.upstream(undefined, { tls: ours.issue({ name }) })
  await switchboard(bench, good.port, { host: '127.0.0.2', port })
  const proxy = await trusting(bench, `https://${name}:${port}`)
  return ask(proxy.port)
}

const common = { family: 'upstream', quick: true } as const
const untrusted = { ...common, expected: '502 upstream_tls', sent: 0 }

/** See the head of this file. */
export const UPSTREAM_TLS: readonly Fault[] = [
  {
    ...untrusted,
    name: 'its certificate is over',
    run: shows(() => ours.issue({ notAfter: new Date(Date.now() - HOUR) })),
  },
  {
    ...untrusted,
    name: 'its certificate is not valid yet',
    run: shows(() => ours.issue({ notBefore: new Date(Date.now() + HOUR) })),
  },
  {
    ...untrusted,
    name: 'its certificate is for another host',
    run: shows(() => ours.issue({ name: 'api.example.net' })),
  },
  { ...untrusted, name: 'its certificate is of an unknown CA', run: shows(() => stranger.issue()) },
  {
    ...untrusted,
    name: 'it speaks HTTP in place of TLS',
    run: instead((socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')
    }),
  },
  {
    ...common,
    name: 'the handshake is reset',
    expected: '502 upstream_terminated',
    sent: 0,
    run: instead(
      (socket) =>
        void socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy()),
    ),
  },
  {
    ...common,
    name: 'the handshake stalls',
    expected: '504 upstream_connect_timeout',
    takes: [400, 3500],
    sent: 0,
    run: instead((socket) => void socket.on('error', () => undefined).resume()),
  },
  {
    ...common,
    name: 'its name is unknown',
    expected: '502 upstream_dns',
    sent: 0,
    run: named('unknown', { code: 'ENOTFOUND' }),
  },
  {
    ...common,
    name: 'the name server fails',
    expected: '502 upstream_dns',
    sent: 0,
    run: named('fails', { code: 'EAI_AGAIN' }),
  },
  {
    ...common,
    name: 'the name server is silent',
    expected: '504 upstream_connect_timeout',
    takes: [400, 3500],
    sent: 0,
    run: named('silent', null),
  },
  { ...common, name: 'its name gets another address', expected: '200', sent: 2, run: moves },
  {
    ...common,
    name: 'one of its two addresses is dead',
    expected: '200',
    sent: 1,
    run: twoAddresses,
  },
]
