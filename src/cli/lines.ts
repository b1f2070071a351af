// The lines of audit files, in little memory whatever their size.

import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'

import { LONGEST_LINE } from '../observe/audit-chain.ts'

const NEWLINE = 10

/** The lines of `file`, unpacked if its name ends in `.gz`; `undefined` for one that is too long. */
export async function* linesOf(file: string): AsyncGenerator<Buffer | undefined> {
  const source = createReadStream(file, { highWaterMark: 256 * 1024 })
  const unpacked = file.endsWith('.gz') ? source.pipe(createGunzip()) : source
  if (unpacked !== source) source.on('error', (error) => unpacked.destroy(error))
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of unpacked as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      yield bytes.subarray(start, end)
      start = end + 1
    }
    rest = bytes.subarray(start)
    if (rest.length > LONGEST_LINE) {
      yield undefined
      return
    }
  }
  if (rest.length > 0) yield rest
}
