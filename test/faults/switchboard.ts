// A port that passes every connection on to another one, which can be changed: an upstream becomes
// another one without changing its address.

import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

import type { Bench } from './bench.ts'

/** See the head of this file. */
export interface Switchboard {
  readonly port: number
  /** Connections from now on go to `port`; those that are open end. */
  connectTo(port: number): void
}

/** Opens it on 127.0.0.1 and a free port unless told otherwise; ends with the bench. */
export async function switchboard(
  bench: Pick<Bench, 'ends'>,
  target: number,
  listen: { readonly host?: string; readonly port?: number } = {},
): Promise<Switchboard> {
  let to = target
  const sockets = new Set<Socket>()
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((socket) => {
    const other = connect(to, '127.0.0.1')
    for (const [one, its] of [
      [socket, other],
      [other, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => its.resetAndDestroy())
      one.once('close', () => {
        sockets.delete(one)
        its.destroySoon()
      })
      one.pipe(its)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(listen.port ?? 0, listen.host ?? '127.0.0.1', resolve)
  })
  bench.ends(() => {
    server.close()
    drop()
  })
  return {
    port: (server.address() as AddressInfo).port,
    connectTo(port) {
      to = port
      drop()
    },
  }
}
