// Masks the values of secret members in JSON as it streams by: `"auth_code":"Xy-1"` becomes
// `"auth_code":"****"`. It walks over the text byte by byte, so that neither a border between two
// pieces nor an escape in a name hides anything, and it holds nothing back. No length changes.

import { SECRET_MEMBERS } from '../opusdns/reply-secrets.ts'

/**
 * Takes the pieces of one body in their order, and gives back each with its secrets masked: the same
 * object where there are none, else a copy. Members are known by name at any depth. Of a string every
 * byte becomes `*`, of a number every digit `1`; `null`, `true` and `false` stay. Of an array or object
 * all that is in it is masked.
 */
export type SecretMask = (piece: Buffer) => Buffer

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const STAR = 0x2a
const ONE = 0x31
const LETTER_U = 0x75

// Where in the text the walk is.
/** Between strings, nothing secret in sight. */
const PLAIN = 0
/** In a string that may be a name. */
const NAME = 1
/** Behind a string that is the name of a secret. */
const NAMED = 2
/** Behind the colon of a secret, before its value. */
const VALUE = 3
/** In a string that is to be masked. */
const SECRET = 4
/** In a number that is to be masked, or a word. */
const WORD = 5

/** The node of names that nothing leads out of. */
const LOST = 0
const START = 1

/** Builds the mask for one body. */
export function secretMask(): SecretMask {
  let state = PLAIN
  let node = START
  // Within a string: 1 behind a backslash; 2 to 5 within `\uXXXX`, whose value so far is `unit`.
  let escape = 0
  let unit = 0
  // How deep within a secret array or object; 0 outside.
  let depth = 0

  /** The end of a secret value, or of a part of one. */
  const after = () => (depth > 0 ? VALUE : PLAIN)

  /** Reads one byte of a name that follows a backslash. */
  function escaped(byte: number): void {
    if (escape === 1 && byte === LETTER_U) {
      escape = 2
      unit = 0
    } else if (escape === 1) {
      // `\/`, `\"` and the like: no name of a secret has any of these.
      escape = 0
      node = LOST
    } else {
      unit = unit * 16 + Number.parseInt(String.fromCharCode(byte), 16)
      escape += 1
      if (escape < 6) return
      escape = 0
      node = unit < 0x80 ? step(node, unit) : LOST
    }
  }

  return function mask(piece) {
    let out = piece
    const write = (at: number, byte: number) => {
      if (out === piece) out = Buffer.from(piece)
      out[at] = byte
    }
    const size = piece.length
    for (let at = 0; at < size; at += 1) {
      const byte = piece[at] as number
      switch (state) {
        case PLAIN:
          at = afterQuote(piece, at)
          if (at > size) break
          state = NAME
          node = START
          at -= 1
          break
        case NAME:
          if (escape > 0) escaped(byte)
          else if (byte === BACKSLASH) escape = 1
          else if (byte === QUOTE) state = ENDS[node] === 1 ? NAMED : PLAIN
          else {
            node = step(node, byte)
            // Most strings are soon known to be no name of a secret.
            if (node === LOST) at = beforeSign(piece, at + 1) - 1
          }
          break
        case NAMED:
          if (byte === COLON) state = VALUE
          else if (!isSpace(byte)) {
            // It was a value: the name of a secret, but no secret.
            state = PLAIN
            at -= 1
          }
          break
        case VALUE:
          if (byte === QUOTE) state = SECRET
          else if (byte === 0x5b || byte === 0x7b) depth += 1
          else if (byte === 0x5d || byte === 0x7d) {
            depth = Math.max(0, depth - 1)
            state = after()
          } else if (isWord(byte)) {
            state = WORD
            at -= 1
          } else if (depth === 0 && !isSpace(byte)) {
            state = PLAIN
            at -= 1
          }
          break
        case SECRET:
          if (escape === 0 && byte === QUOTE) {
            state = after()
            break
          }
          // Only whether the next byte is escaped matters here.
          escape = escape === 0 && byte === BACKSLASH ? 1 : 0
          write(at, STAR)
          break
        default:
          if (isDigit(byte)) write(at, ONE)
          else if (!isWord(byte)) {
            state = after()
            at -= 1
          }
      }
    }
    return out
  }
}

/** The place behind the next quote from `at` on; more than the length when there is none. */
function afterQuote(piece: Buffer, at: number): number {
  const size = piece.length
  let next = at
  while (next < size && piece[next] !== QUOTE) next += 1
  return next + 1
}

/** The place of the next quote or backslash from `at` on, or the length. */
function beforeSign(piece: Buffer, at: number): number {
  const size = piece.length
  let next = at
  while (next < size && piece[next] !== QUOTE && piece[next] !== BACKSLASH) next += 1
  return next
}

/** The node after `byte`; what tells ways of writing a name apart leads nowhere else. */
function step(node: number, byte: number): number {
  return byte < 0x80 ? (NEXT[(node << 7) | byte] ?? LOST) : LOST
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** A byte of a number, or of `true`, `false` or `null`. */
function isWord(byte: number): boolean {
  return (
    isDigit(byte) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x45 ||
    byte === 0x2e ||
    byte === 0x2b
  )
}

const { NEXT, ENDS } = namesTable(SECRET_MEMBERS)

/** The tree of the names as a table: for each node and ASCII byte, the next node. */
function namesTable(names: readonly string[]): { NEXT: Uint8Array; ENDS: Uint8Array } {
  const most = 2 + names.reduce((sum, { length }) => sum + length, 0)
  if (most > 256) throw new Error('too many names for one byte')
  const next = new Uint8Array(most * 128)
  const ends = new Uint8Array(most)
  let nodes = 2
  for (const name of names) {
    let node = START
    for (let at = 0; at < name.length; at += 1) {
      const lower = name.charCodeAt(at)
      let follower = next[(node << 7) | lower] as number
      if (follower === LOST) {
        follower = nodes
        nodes += 1
        next[(node << 7) | lower] = follower
        next[(node << 7) | (lower - 0x20)] = follower
      }
      node = follower
    }
    ends[node] = 1
  }
  for (let node = START; node < nodes; node += 1) {
    next[(node << 7) | 0x5f] = node
    next[(node << 7) | 0x2d] = node
  }
  return { NEXT: next, ENDS: ends }
}
