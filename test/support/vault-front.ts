// Stands before a Vault, real or stub: passes requests on, keeps a list of them, and breaks when told.

import { createServer, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** How it treats what it is asked. `garbage` and `error` answer with the text given. */
export type FrontMode = 'pass' | 'hang' | 'garbage' | 'error'

/** A server on loopback before another. */
export interface VaultFront {
  readonly address: string
  /** `GET secret/data/a`, in the order of arrival. */
  readonly requests: string[]
  /** The client tokens that questions came with, in order and without repetition. */
  readonly tokens: ReadonlySet<string>
  treat(mode: FrontMode, text?: string): void
  /** Nobody is there, until `open`. */
  shut(): Promise<void>
  open(): Promise<void>
}

/** Opens one before the origin `target`. */
export async function vaultFront(target: string): Promise<VaultFront> {
  const requests: string[] = []
  const tokens = new Set<string>()
  const sockets = new Set<Socket>()
  let mode: FrontMode = 'pass'
  let said = ''
  let port = 0
  const server = createServer((asked, reply) => {
    requests.push(`${asked.method} ${asked.url?.replace('/v1/', '')}`)
    const token = asked.headers['x-vault-token']
    if (typeof token === 'string') tokens.add(token)
    if (mode === 'hang') return
    if (mode !== 'pass') {
      const text = mode === 'error' ? JSON.stringify({ errors: [said] }) : `<html>${said}`
      reply.writeHead(mode === 'error' ? 500 : 200).end(text)
      return
    }
    const headers = { ...asked.headers, host: new URL(target).host }
    const onward = request(
      new URL(asked.url ?? '/', target),
      { method: asked.method, headers, agent: false },
      (found) => {
        reply.writeHead(found.statusCode ?? 500, found.headers)
        found.pipe(reply)
      },
    )
    onward.on('error', () => reply.destroy())
    asked.pipe(onward)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const front: Omit<VaultFront, 'address'> = {
    requests,
    tokens,
    treat(next, text = '') {
      mode = next
      said = text
    },
    async shut() {
      if (!server.listening) return
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
    async open() {
      mode = 'pass'
      if (server.listening) return
      await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
      port = (server.address() as AddressInfo).port
    },
  }
  await front.open()
  return { ...front, address: `http://127.0.0.1:${port}` }
}
