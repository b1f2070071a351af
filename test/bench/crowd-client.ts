// A crowd of slow clients in a process of its own: port and count as arguments. A third dribbles a
// request head, a third a body, a third reads nothing of its reply. A connection that the proxy gives
// up on comes again. Prints one line when all are connected.

import { connect } from 'node:net'
import type { Socket } from 'node:net'

const [port, count] = process.argv.slice(2).map(Number)
const TARGET = '/v1/dns/example.com'
const DRIBBLE = 5000
const AT_ONCE = 200
const LONGEST = 300_000

type Manner = (socket: Socket) => void

const HEAD = `GET ${TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\n`
const BODY = `PATCH ${TARGET}/rrsets HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n{`
const UNREAD = `${HEAD}\r\n`.repeat(20)
const MANNERS: readonly Manner[] = [
  (socket) => socket.write(HEAD),
  (socket) => socket.write(BODY),
  (socket) => {
    socket.pause()
    socket.write(UNREAD)
  },
]

/** With the number of each, which tells its manner. */
const sockets = new Map<Socket, number>()
let connected = 0
let told = false

function join(at: number): void {
  const manner = MANNERS[at % MANNERS.length]
  const socket = connect({ port: port ?? 0, host: '127.0.0.1' }, () => {
    connected += 1
    manner?.(socket)
    if (connected < (count ?? 0)) return
    if (!told) process.stdout.write('all here\n')
    told = true
  })
  socket.on('data', () => undefined)
  socket.on('error', () => undefined)
  socket.on('close', () => {
    sockets.delete(socket)
    setTimeout(() => join(at), 1000)
  })
  sockets.set(socket, at)
}

let next = 0
const arrival = setInterval(() => {
  for (let each = 0; each < AT_ONCE && next < (count ?? 0); each += 1) join(next++)
  if (next >= (count ?? 0)) clearInterval(arrival)
}, 50)

setInterval(() => {
  for (const [socket, at] of sockets) {
    if (socket.readyState !== 'open') continue
    const manner = at % MANNERS.length
    if (manner === 0) socket.write('X-A: 1\r\n')
    else if (manner === 1) socket.write(' ')
  }
}, DRIBBLE)

// Should the bench die before it ends its children.
setTimeout(() => process.exit(0), LONGEST)
