// Reads a small file that is no secret itself: certificates, a namespace. No file keeps anybody waiting: a
// FIFO that nobody writes to would, and with it, one of the few threads that read files.

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

const MAX_BYTES = 1024 * 1024

/**
 * The text of the file at `path`. Rejects with an error that has a code: that of Node.js, `NOT_A_FILE` or
 * `TOO_LARGE` (above 1 MiB).
 */
export async function readSmallFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const facts = await file.stat()
    if (facts.isDirectory()) throw failure('EISDIR')
    if (!facts.isFile()) throw failure('NOT_A_FILE')
    if (facts.size > MAX_BYTES) throw failure('TOO_LARGE')
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}
