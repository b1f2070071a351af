// Takes a request body in: counts and hashes all of it, keeps only the beginning.

import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** A body that was taken in. */
export interface Intake {
  /** The first bytes, at most as many as were asked for. */
  readonly kept: Buffer
  readonly bytes: number
  /** Hex digest of all bytes. */
  readonly sha256: string
}

/** SHA-256 of no bytes. */
export const NO_BYTES: Intake = {
  kept: Buffer.alloc(0),
  bytes: 0,
  sha256: createHash('sha256').digest('hex'),
}

/** Reads to the end, keeping `keep` bytes. Rejects when the client goes away first. */
export async function takeIn(request: IncomingMessage, keep: number): Promise<Intake> {
  const { headers } = request
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
    return NO_BYTES
  const hash = createHash('sha256')
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    if (bytes < keep) pieces.push(piece.subarray(0, keep - bytes))
    hash.update(piece)
    bytes += piece.length
  }
  return { kept: Buffer.concat(pieces), bytes, sha256: hash.digest('hex') }
}
