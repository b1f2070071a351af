// Compressed error replies. An error page may quote the request that it answers, the credential
// included, so its text is looked at before it passes; successful replies pass unread.

import { brotliDecompressSync, inflateSync, unzipSync, zstdDecompressSync } from 'node:zlib'

import type { EchoFilter } from '../credentials/echo.ts'
import { without } from './fields.ts'

/** Takes the body of one compressed error. */
export interface EncodedError {
  /** Takes a piece. */
  take(piece: Buffer): void
  /**
   * What the client gets in place of a reply with `fields`: the body as it came when it is clean, else
   * decoded and masked. In place of one that cannot be read, a problem: the status is still certain,
   * and may be all that a client needs.
   */
  result(fields: readonly string[]): { readonly bytes: Buffer; readonly fields: readonly string[] }
}

/** Bounds, in bytes: of what is held, and of what it may grow to. */
const HELD = 256 * 1024
const DECODED = { maxOutputLength: 1024 * 1024 }

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => unzipSync(bytes, DECODED),
  'x-gzip': (bytes) => unzipSync(bytes, DECODED),
  deflate: (bytes) => inflateSync(bytes, DECODED),
  br: (bytes) => brotliDecompressSync(bytes, DECODED),
  zstd: (bytes) => zstdDecompressSync(bytes, DECODED),
}

/** Builds the taker for a body in `encoding`, the value of `Content-Encoding` in lower case. */
export function encodedError(encoding: string, echo: EchoFilter): EncodedError {
  const decode = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined
  const pieces: Buffer[] = []
  let size = 0
  return {
    take(piece) {
      size += piece.length
      if (size <= HELD) pieces.push(piece)
    },
    result(fields) {
      const bytes = Buffer.concat(pieces)
      if (size === 0) return { bytes, fields }
      const text = size <= HELD ? decoded(bytes, decode) : undefined
      if (text === undefined) {
        const problem = Buffer.from(UNREADABLE)
        const own = plainFields(fields, problem.length, 'content-type')
        return { bytes: problem, fields: [...own, 'Content-Type', 'application/problem+json'] }
      }
      const clean = echo.redact(text)
      // The coded bytes too: a file name or what stands behind the end is in no decoder's output.
      if (clean === text && echo.redact(bytes) === bytes) return { bytes, fields }
      return { bytes: clean, fields: plainFields(fields, clean.length) }
    },
  }
}

const UNREADABLE = JSON.stringify({
  title: 'OpusDNS explained this error in a form that the proxy cannot read',
  detail: 'The status is that of OpusDNS. Ask without Accept-Encoding to see the explanation.',
})

function decoded(
  bytes: Buffer,
  decode: ((bytes: Buffer) => Buffer) | undefined,
): Buffer | undefined {
  try {
    return decode?.(bytes)
  } catch {
    return undefined
  }
}

const OF_THE_CODING = new Set([
  'content-encoding',
  'content-length',
  'etag',
  'content-md5',
  'digest',
])

/** `fields` for a body of `length` bytes in no coding, without the field `other`. */
function plainFields(fields: readonly string[], length: number, other = ''): string[] {
  const kept = without(fields, (name) => OF_THE_CODING.has(name) || name === other)
  kept.push('Content-Length', String(length))
  return kept
}
