// A plain socket for tests that must see bytes, resets and half-closed connections.

import { connect } from 'node:net'
import { errorCode } from '../../src/base/fault.ts'

/** What came back over one connection. */
export interface WireReply {
  /** Latin-1. */
  readonly text: string
  /** `fin`, `reset`, or `quiet` when nothing more came within the patience. */
  readonly end: 'fin' | 'reset' | 'quiet'
}

/** Writes `bytes` to a loopback port and reads until the end, or until `patience` ms of silence. */
export function wire(port: number, bytes: string, patience = 400): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    const finish = (end: WireReply['end']) => {
      socket.destroy()
      resolve({ text, end })
    }
    socket.setTimeout(patience, () => finish('quiet'))
    socket.on('data', (piece) => (text += piece.toString('latin1')))
    socket.on('end', () => finish('fin'))
    socket.on('error', (error) =>
      errorCode(error) === 'ECONNRESET' ? finish('reset') : reject(error),
    )
  })
}
