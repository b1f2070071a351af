// A name server for one question, TXT, as the public resolvers would answer it (RFC 1035): what the
// simulated zone holds. For clients that wait until their record is seen.

import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'

/** The texts at a name without its final dot; none when there are none. */
export type TextsOf = (name: string) => Promise<readonly string[]>

const HEADER = 12
const TXT = 16

/** Answers at each of `addresses`, UDP port 53. Resolves when all listen. */
export async function nameServer(addresses: readonly string[], textsOf: TextsOf) {
  const sockets = await Promise.all(
    addresses.map(
      (address) =>
        new Promise<Socket>((resolve, reject) => {
          const socket = createSocket('udp4')
          socket.once('error', reject).bind(53, address, () => resolve(socket))
          socket.on('message', (query, from) => {
            void answer(query, textsOf).then((reply) => {
              if (reply !== undefined) socket.send(reply, from.port, from.address)
            })
          })
        }),
    ),
  )
  return { close: () => sockets.forEach((socket) => socket.close()) }
}

async function answer(query: Buffer, textsOf: TextsOf): Promise<Buffer | undefined> {
  const labels: string[] = []
  let at = HEADER
  for (let length = query[at]; length !== undefined && length > 0; length = query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const end = at + 5
  if (query.length < end) return undefined
  const texts = query.readUInt16BE(at + 1) === TXT ? await textsOf(labels.join('.')) : []
  const head = Buffer.from(query.subarray(0, HEADER))
  // A reply, recursion available; NXDOMAIN where there is nothing.
  head.writeUInt16BE(texts.length > 0 ? 0x8180 : 0x8183, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(texts.length, 6)
  head.writeUInt32BE(0, 8)
  const records = texts.map((text) => {
    const bytes = Buffer.from(text)
    const fixed = Buffer.from([0xc0, HEADER, 0, TXT, 0, 1, 0, 0, 0, 1, 0, bytes.length + 1])
    return Buffer.concat([fixed, Buffer.from([bytes.length]), bytes])
  })
  return Buffer.concat([head, query.subarray(HEADER, end), ...records])
}
