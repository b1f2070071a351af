// A ZIP file with one stored entry, written as a stream: its size is known first, its content never
// is in memory.

import { crc32 } from 'node:zlib'

const LOCAL_HEADER = 30
const DESCRIPTOR = 16
const CENTRAL_HEADER = 46
const END_RECORD = 22
// Bit 3: sizes and CRC follow the content, for they are not known when the header is written.
const FLAG_DESCRIPTOR = 0x0008
const VERSION = 20
// 1980-01-01, the earliest date that the format knows.
const DATE = 0x0021

/** Bytes that the format adds to the content of one entry of this name. */
export function zipOverhead(name: string): number {
  return LOCAL_HEADER + DESCRIPTOR + CENTRAL_HEADER + END_RECORD + 2 * Buffer.byteLength(name)
}

/** The bytes of the file; each piece is asked for only when the one before was taken. */
export async function* zip(
  name: string,
  content: Iterable<Buffer>,
): AsyncGenerator<Buffer, void, void> {
  const file = Buffer.from(name)
  yield Buffer.concat([localHeader(file), file])
  let crc = 0
  let size = 0
  for (const piece of content) {
    crc = crc32(piece, crc)
    size += piece.length
    yield piece
  }
  yield Buffer.concat([
    descriptor(crc, size),
    centralHeader(file, crc, size),
    file,
    endRecord(file, size),
  ])
}

function localHeader(file: Buffer): Buffer {
  const out = Buffer.alloc(LOCAL_HEADER)
  out.writeUInt32LE(0x04034b50, 0)
  out.writeUInt16LE(VERSION, 4)
  out.writeUInt16LE(FLAG_DESCRIPTOR, 6)
  out.writeUInt16LE(DATE, 12)
  out.writeUInt16LE(file.length, 26)
  return out
}

function descriptor(crc: number, size: number): Buffer {
  const out = Buffer.alloc(DESCRIPTOR)
  out.writeUInt32LE(0x08074b50, 0)
  out.writeUInt32LE(crc, 4)
  out.writeUInt32LE(size, 8)
  out.writeUInt32LE(size, 12)
  return out
}

function centralHeader(file: Buffer, crc: number, size: number): Buffer {
  const out = Buffer.alloc(CENTRAL_HEADER)
  out.writeUInt32LE(0x02014b50, 0)
  out.writeUInt16LE(VERSION, 4)
  out.writeUInt16LE(VERSION, 6)
  out.writeUInt16LE(FLAG_DESCRIPTOR, 8)
  out.writeUInt16LE(DATE, 14)
  out.writeUInt32LE(crc, 16)
  out.writeUInt32LE(size, 20)
  out.writeUInt32LE(size, 24)
  out.writeUInt16LE(file.length, 28)
  return out
}

function endRecord(file: Buffer, size: number): Buffer {
  const out = Buffer.alloc(END_RECORD)
  out.writeUInt32LE(0x06054b50, 0)
  out.writeUInt16LE(1, 8)
  out.writeUInt16LE(1, 10)
  out.writeUInt32LE(CENTRAL_HEADER + file.length, 12)
  out.writeUInt32LE(LOCAL_HEADER + file.length + size + DESCRIPTOR, 16)
  return out
}
