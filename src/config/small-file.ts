// Reads a file of the configuration. As src/secrets/small-file.ts says, which this floor may not know: no
// file keeps anybody waiting.

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

const MAX_BYTES = 1024 * 1024

/**
 * The text of the file at `path`. Throws an error that has a code: that of Node.js, `NOT_A_FILE` or
 * `TOO_LARGE` (above 1 MiB).
 */
export function readSmallFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const facts = fstatSync(file)
    if (facts.isDirectory()) throw failure('EISDIR')
    if (!facts.isFile()) throw failure('NOT_A_FILE')
    if (facts.size > MAX_BYTES) throw failure('TOO_LARGE')
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}
