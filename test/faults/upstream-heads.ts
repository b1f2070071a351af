// Faults of the head of an upstream's reply. Whatever cannot be passed on as it stands is 502, and
// its connection is not used again.

import { setTimeout as sleep } from 'node:timers/promises'

import { plainReply } from '../support/raw-upstream.ts'
import type { RawRequest } from '../support/raw-upstream.ts'
import type { Fault } from './fault.ts'
import { scripted } from './upstream-connections.ts'

const PROTOCOL = '502 upstream_protocol'

/** A reply of exactly these bytes (Latin-1). */
function says(name: string, bytes: string, expected = PROTOCOL): Fault {
  const run = scripted(({ socket }) => void socket.write(bytes, 'latin1'))
  return { family: 'upstream', quick: true, name, expected, run }
}

/** Writes `text` byte by byte until the connection is gone. */
export async function drip({ socket }: RawRequest, text: string, pause: number): Promise<void> {
  for (const byte of text) {
    if (socket.destroyed) return
    socket.write(byte, 'latin1')
    // oxlint-disable-next-line no-await-in-loop -- slowly
    await sleep(pause)
  }
}

/** Writes `piece` again and again until the connection is gone, or `most` bytes. */
async function flood({ socket }: RawRequest, piece: string, most: number): Promise<void> {
  for (let bytes = 0; bytes < most && !socket.destroyed; bytes += piece.length) {
    // oxlint-disable-next-line no-await-in-loop -- as fast as it is read
    if (!socket.write(piece)) await sleep(1)
  }
}

const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'
const PROCESSING = 'HTTP/1.1 102 Processing\r\n\r\n'

/** See the head of this file. */
export const UPSTREAM_HEADS: readonly Fault[] = [
  {
    family: 'upstream',
    quick: true,
    name: 'reset in the head',
    expected: '502 upstream_terminated',
    sent: 2,
    run: scripted(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Le', () => socket.resetAndDestroy())
    }),
  },
  {
    family: 'upstream',
    quick: true,
    name: 'the head drips, a byte each 50 ms',
    expected: '504 upstream_timeout',
    takes: [500, 3500],
    run: scripted((request) => drip(request, `HTTP/1.1 200 OK\r\nX-Slow: ${'a'.repeat(400)}`, 50)),
  },
  {
    family: 'upstream',
    quick: true,
    name: 'a flood of 103',
    expected: PROTOCOL,
    run: scripted((request) => flood(request, HINTS.repeat(100), 20_000_000)),
  },
  {
    family: 'upstream',
    quick: true,
    name: 'a flood of 102',
    expected: PROTOCOL,
    run: scripted((request) => flood(request, PROCESSING.repeat(100), 20_000_000)),
  },
  {
    family: 'upstream',
    quick: true,
    name: 'a head that never ends',
    expected: '502 upstream_head_too_large',
    run: scripted(async (request) => {
      request.socket.write('HTTP/1.1 200 OK\r\n')
      await flood(request, `X-More: ${'a'.repeat(1000)}\r\n`, 20_000_000)
    }),
  },
  says(
    'a head of 64 KiB',
    plainReply('{}', `HTTP/1.1 200 OK\r\nX-Huge: ${'a'.repeat(64 * 1024)}`),
    '502 upstream_head_too_large',
  ),
  says(
    '101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ),
  says('an unsolicited 100, then the reply', `HTTP/1.1 100 Continue\r\n\r\n${plainReply()}`, '200'),
  says('102 and 103, then the reply', `${PROCESSING}${HINTS}${plainReply()}`, '200'),
  says('two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x'),
  says(
    'both a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  ),
  says(
    'an encoding twice chunked',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
  ),
  says('a status line of HTTP/2.0', plainReply('{}', 'HTTP/2.0 200 OK')),
  says('status 999', plainReply('{}', 'HTTP/1.1 999 Odd')),
  says('status 099', plainReply('{}', 'HTTP/1.1 099 Odd')),
  says('bytes that are no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'),
  says('a TLS alert in place of HTTP', '\x15\x03\x01\x00\x02\x02\x46'),
  says('bare LF in place of CRLF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}'),
  says('NUL in a value', 'HTTP/1.1 200 OK\r\nX-Odd: a\0b\r\nContent-Length: 2\r\n\r\n{}'),
  says('a folded line', 'HTTP/1.1 200 OK\r\nX-Odd: a\r\n b\r\nContent-Length: 2\r\n\r\n{}'),
]
