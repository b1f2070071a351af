// Compressed error replies. An error page may quote the request that it answers, the credential
// included, so its text is looked at before it passes; successful replies pass unread.

import { brotliDecompressSync, inflateSync, unzipSync, zstdDecompressSync } from 'node:zlib'

import type { EchoFilter } from '../credentials/echo.ts'

/** Takes the body of one compressed error. */
export interface EncodedError {
  /** Takes a piece; false when the body is too large to be looked at. */
  take(piece: Buffer): boolean
  /**
   * The body for the client: as it came when it is clean, else decoded and masked. `undefined` when it
   * cannot be read.
   */
  result(): { readonly bytes: Buffer; readonly decoded: boolean } | undefined
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

/** Builds the taker for a body in `encoding`, the value of `Content-Encoding`. */
export function encodedError(encoding: string, echo: EchoFilter): EncodedError {
  const name = encoding.toLowerCase()
  const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined
  const pieces: Buffer[] = []
  let size = 0
  return {
    take(piece) {
      size += piece.length
      pieces.push(piece)
      return size <= HELD
    },
    result() {
      const bytes = Buffer.concat(pieces, size)
      if (size === 0) return { bytes, decoded: false }
      let text
      try {
        text = decode?.(bytes)
      } catch {
        return undefined
      }
      if (text === undefined) return undefined
      const clean = echo.redact(text)
      return clean === text ? { bytes, decoded: false } : { bytes: clean, decoded: true }
    },
  }
}

const OF_THE_CODING = new Set([
  'content-encoding',
  'content-length',
  'etag',
  'content-md5',
  'digest',
])

/** `fields` for a body that was decoded, of `length` bytes. */
export function plainFields(fields: readonly string[], length: number): string[] {
  const kept: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    if (!OF_THE_CODING.has(name.toLowerCase())) kept.push(name, fields[index + 1] ?? '')
  }
  kept.push('Content-Length', String(length))
  return kept
}
