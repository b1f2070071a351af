// Reads the beginning of each reply before the client library does. Informational replies (1xx) are
// taken out here, for the library breaks a connection at a 100 that it did not ask for (RFC 9110
// section 15.2: a client must be able to take any), and it accepts the status line of HTTP/2.0.

import type { Socket } from 'node:net'

/** Who waits for a reply. */
export interface Awaiting {
  /** Takes the `Link` values of a 103 (RFC 8297). */
  onEarlyHints(links: readonly string[]): void
}

/** What the gate of one connection needs to know. */
export interface GateState {
  /** Set while a request that was given to the connection waits for the head of its reply. */
  awaiting: Awaiting | undefined
  /** True when the latest reply is one of HTTP/1.0. */
  old: boolean
}

/** More of them before one reply is a flood. */
const MOST = 16

const VERSION = /^HTTP\/1\.[01] /
const HEAD =
  /^HTTP\/1\.[01] 1\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/
const START = 'HTTP/1.1 200'.length
const ZERO = 0x30
const ONE = 0x31
const END = '\r\n\r\n'

/**
 * Puts the gate in front of `socket`: overrides its `read`, the one way in which the client library
 * takes bytes. A head larger than `headerSize` bytes, a flood, a 101 and whatever is no HTTP/1 break
 * the connection with an error whose code begins with `HPE_`.
 */
export function gateReplies(socket: Socket, state: GateState, headerSize: number): void {
  const read = socket.read.bind(socket)
  let held: Buffer | undefined
  let seen = 0

  function fail(code: string): null {
    socket.destroy(Object.assign(new Error('unusable reply'), { code }))
    return null
  }
  /** What of `bytes` the client library may see. */
  function pass(bytes: Buffer): Buffer | null {
    state.awaiting = undefined
    state.old = bytes[7] === ZERO
    seen = 0
    return bytes
  }
  function inspect(piece: Buffer): Buffer | null {
    let bytes = held === undefined ? piece : Buffer.concat([held, piece])
    held = undefined
    for (;;) {
      // RFC 9112 section 2.2: an empty line before a head is passed over.
      while (bytes[0] === 0x0d && bytes[1] === 0x0a) bytes = bytes.subarray(2)
      if (bytes.length === 0) return null
      if (bytes.length < START) {
        const begun = bytes.toString('latin1', 0, 7)
        if (!'HTTP/1.'.startsWith(begun) && begun !== '\r') return fail('HPE_INVALID_VERSION')
        held = bytes
        return null
      }
      if (isFinal(bytes)) return pass(bytes)
      const line = bytes.toString('latin1', 0, START)
      if (!VERSION.test(line)) return fail('HPE_INVALID_VERSION')
      if (bytes[9] !== ONE) return pass(bytes)
      const end = bytes.indexOf(END)
      if ((end < 0 ? bytes.length : end) > headerSize) return fail('HPE_HEADER_OVERFLOW')
      if (end < 0) {
        held = bytes
        return null
      }
      const head = bytes.toString('latin1', 0, end + 2)
      seen += 1
      if (seen > MOST) return fail('HPE_INFORMATIONAL_FLOOD')
      if (!HEAD.test(head) || line.startsWith('101', 9)) return fail('HPE_INVALID_STATUS')
      if (line.startsWith('103', 9)) state.awaiting?.onEarlyHints(linksIn(head))
      bytes = bytes.subarray(end + END.length)
      if (bytes.length === 0) return null
    }
  }

  socket.read = function gated(size?: number): Buffer | null {
    const piece = read(size) as Buffer | null
    return piece !== null && state.awaiting !== undefined ? inspect(piece) : piece
  }
}

/** True for `HTTP/1.1 2`, or another status that is not 1xx: nearly always. */
function isFinal(bytes: Buffer): boolean {
  return (
    bytes[0] === 0x48 &&
    bytes[5] === ONE &&
    bytes[6] === 0x2e &&
    bytes[7] === ONE &&
    bytes[8] === 0x20 &&
    bytes[9] !== ONE
  )
}

function linksIn(head: string): string[] {
  return head
    .split('\r\n')
    .filter((line) => /^link:/i.test(line))
    .map((line) => line.slice('link:'.length).trim())
}
