// A client that writes bytes in pieces and keeps all that comes back, with how it ended.

import { connect } from 'node:net'

/** What came back over one connection. */
export interface Answered {
  /** Latin-1. */
  readonly text: string
  /** `open` when the proxy had neither answered all nor closed within the time. */
  readonly end: 'fin' | 'reset' | 'open'
}

/** See `exchange`. */
export interface ExchangeOptions {
  readonly port: number
  /** Written one after the other, each in a turn of its own. */
  readonly pieces: readonly string[]
  /** Milliseconds until the connection counts as forgotten. */
  readonly patience: number
  /** True once enough came; the connection is then left. */
  enough?(text: string): boolean
}

/** Cuts `text` at some of its places; `cuts` are taken around. */
export function cutAt(text: string, cuts: readonly number[]): string[] {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...at].map((from, index) => text.slice(from, at[index])).filter((it) => it !== '')
}

/** Writes, and reads until the end. */
export function exchange(options: ExchangeOptions): Promise<Answered> {
  const { port, pieces, patience, enough } = options
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const timer = setTimeout(() => finish('open'), patience)
    function finish(end: Answered['end']): void {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, end })
    }
    function write(at: number): void {
      const piece = pieces[at]
      if (piece === undefined || !socket.writable) return
      socket.write(piece, 'latin1', () => setImmediate(() => write(at + 1)))
    }
    socket.on('connect', () => write(0))
    socket.on('data', (piece) => {
      text += piece.toString('latin1')
      if (enough?.(text) === true) finish('fin')
    })
    socket.on('end', () => finish('fin'))
    socket.on('close', () => finish('fin'))
    socket.on('error', () => finish('reset'))
  })
}
