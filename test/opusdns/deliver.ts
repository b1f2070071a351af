// Writes a reply to the socket, whole, with back-pressure; or broken in the way that a fault asks for.

import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Switches } from './faults.ts'
import type { Reply } from './problems.ts'

// A reset throws away what the peer has not read yet; this lets it read first.
const BEFORE_RESET = 20

/** Sends `reply` under `flaws`; `head` is the flat list of headers that every reply has. */
export async function deliver(
  response: ServerResponse,
  reply: Reply,
  flaws: Switches,
  head: readonly string[],
): Promise<void> {
  const { socket } = response
  if (!socket) return
  if (flaws.raw !== undefined) return void socket.end(flaws.raw, 'latin1')
  if (flaws.resetMidHead) {
    socket.write('HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 00:00:00 GMT\r\ncontent-ty')
    await sleep(BEFORE_RESET, undefined, { ref: false })
    return void socket.resetAndDestroy()
  }
  const { body } = reply
  const headers = [...head, ...(reply.headers ?? [])]
  if (Buffer.isBuffer(body)) headers.push('content-length', String(body.length))
  else if (
    body !== undefined &&
    !headers.includes('content-length') &&
    response.req.httpVersionMinor > 0
  ) {
    headers.push('transfer-encoding', 'chunked')
  }
  // As uvicorn does: a persistent connection goes without saying.
  if (response.shouldKeepAlive) response.removeHeader('connection')
  response.writeHead(reply.status, headers)
  const limit = limitOf(reply, flaws)
  if (limit === Infinity && (body === undefined || Buffer.isBuffer(body)))
    return void response.end(body)
  const pieces = body === undefined || Buffer.isBuffer(body) ? [body ?? Buffer.alloc(0)] : body
  if (await stream(response, pieces, limit)) return void response.end()
  if (flaws.truncate === undefined) return
  await sleep(BEFORE_RESET, undefined, { ref: false })
  if (flaws.truncate === 'reset') socket.resetAndDestroy()
  else socket.destroySoon()
}

/** True when all was sent; false when the limit was met or the client went away. */
async function stream(
  response: ServerResponse,
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  limit: number,
): Promise<boolean> {
  let sent = 0
  response.flushHeaders()
  for await (const piece of pieces) {
    if (response.destroyed) return false
    const part = piece.subarray(0, limit - sent)
    sent += part.length
    if (part.length > 0 && !response.write(part)) await drained(response)
    if (sent >= limit) return false
  }
  return !response.destroyed
}

/** Bytes of body after which a fault stops it. */
function limitOf(reply: Reply, flaws: Switches): number {
  if (flaws.hangBodyAfter !== undefined) return flaws.hangBodyAfter
  if (flaws.truncate === undefined) return Infinity
  if (Buffer.isBuffer(reply.body)) return Math.floor(reply.body.length / 2)
  const named = reply.headers?.indexOf('content-length') ?? -1
  return named >= 0 ? Math.floor(Number(reply.headers?.[named + 1]) / 2) : 1
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
