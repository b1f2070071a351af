// A client made of bytes, for what no HTTP client would do: stop in the middle, close one side, read
// nothing.

import { connect } from 'node:net'
import type { Socket } from 'node:net'

import type { Bench } from './bench.ts'

/** A connection to the proxy. */
export interface Line {
  readonly socket: Socket
  write(bytes: string): void
  /** What came so far (Latin-1). */
  text(): string
  /** Resolves when nothing more will come: a clean end, or a reset. */
  readonly over: Promise<'fin' | 'reset'>
  /** Milliseconds since it was opened. */
  age(): number
}

/** Opens a connection; it ends with the bench. */
export async function dial(bench: Pick<Bench, 'ends'>, port: number): Promise<Line> {
  const startedAt = performance.now()
  let text = ''
  let reset = false
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  bench.ends(() => socket.destroy())
  const { promise: over, resolve } = Promise.withResolvers<'fin' | 'reset'>()
  socket.on('data', (piece) => (text += piece.toString('latin1')))
  socket.on('error', () => (reset = true))
  socket.once('end', () => resolve('fin'))
  socket.once('close', () => resolve(reset ? 'reset' : 'fin'))
  await new Promise<void>((connected) => {
    socket.once('connect', connected)
    socket.once('close', () => connected())
  })
  return {
    socket,
    write: (bytes) => void socket.write(bytes, 'latin1'),
    text: () => text,
    over,
    age: () => performance.now() - startedAt,
  }
}

/** The bytes of a request. */
export function request(line: string, ...rest: readonly string[]): string {
  return [`${line} HTTP/1.1`, 'Host: 127.0.0.1', ...rest, '', ''].join('\r\n')
}
