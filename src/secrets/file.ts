// A secret from a file, read again when the file changes. It polls instead of watching, because a
// watch on the file misses the way in which Kubernetes changes it: `key -> ..data/key`, where the
// link `..data` is swapped for one to another directory.

import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'

import type { Clock } from '../base/clock.ts'
import { errorCode, Fault } from '../base/fault.ts'
import { referenceText } from './reference-options.ts'
import type { Extraction } from './extraction.ts'
import { MAX_SECRET_BYTES, secretFromBytes } from './value.ts'
import type { SecretSource } from './source.ts'

/** See `fileSource`. */
export interface FileSourceOptions {
  /** Path of the file, absolute or from the working directory. Symbolic links are followed. */
  readonly path: string
  readonly extract?: Extraction
  /** How the place is named in logs and errors, where the user wrote no path. Default `file:<path>`. */
  readonly reference?: string
}

/** Milliseconds between two looks at the file. A look is one `stat`; it reads nothing. */
export const FILE_POLL_MS = 250

type Facts = { dev: number; ino: number; mtimeMs: number; ctimeMs: number; size: number }

const EVERYBODY_READS = 0o004

/** The secret in a file. */
export function fileSource(options: FileSourceOptions, deps: { clock: Clock }): SecretSource {
  const { path } = options
  const reference = options.reference ?? referenceText({ kind: 'file', ...options })
  // Which state of the file the latest read saw, so that a change between a read and the first
  // look is not missed.
  let seen: string | undefined
  let caveat: string | undefined

  async function look(): Promise<string> {
    try {
      return identity(await stat(path))
    } catch (error) {
      return `unreadable ${errorCode(error)}`
    }
  }

  async function readBytes(): Promise<Uint8Array> {
    // Without O_NONBLOCK, opening a FIFO would wait for somebody to write.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const facts = await file.stat()
      seen = identity(facts)
      caveat =
        (facts.mode & EVERYBODY_READS) === 0
          ? undefined
          : `${reference} can be read by every user of the machine (mode ${octal(facts.mode)}): let the proxy's user alone read it; docs/secrets/local.md tells how for mounts.`
      if (!facts.isFile()) throw unavailable(reference, 'is not a regular file')
      const buffer = Buffer.alloc(MAX_SECRET_BYTES + 1)
      let length = 0
      while (length < buffer.length) {
        // oxlint-disable-next-line no-await-in-loop -- one read follows the other
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null)
        if (bytesRead === 0) break
        length += bytesRead
      }
      if (identity(await file.stat()) !== seen) throw unavailable(reference, 'is being written')
      return buffer.subarray(0, length)
    } finally {
      await file.close()
    }
  }

  return {
    kind: 'file',
    reference,
    caveat: () => caveat,
    async read() {
      let bytes: Uint8Array
      try {
        bytes = await readBytes()
      } catch (error) {
        if (error instanceof Fault) throw error
        seen = await look()
        const code = errorCode(error)
        throw unavailable(reference, `cannot be read${code === '' ? '' : ` (${code})`}`)
      }
      return secretFromBytes(bytes, reference, options.extract)
    },
    watch(changed) {
      let previous: string | undefined
      let ended = false
      let cancel = deps.clock.after(FILE_POLL_MS, () => void poll())

      async function poll(): Promise<void> {
        const now = await look()
        if (ended) return
        // Only what looks the same twice is taken: a file that is being written is left alone.
        if (now === previous && now !== seen) {
          seen = now
          changed()
        }
        previous = now
        cancel = deps.clock.after(FILE_POLL_MS, () => void poll())
      }

      return () => {
        ended = true
        cancel()
      }
    },
  }
}

/** Tells two states of a file apart. The change time catches a rewrite that keeps the other facts. */
function identity(facts: Facts): string {
  return [facts.dev, facts.ino, facts.mtimeMs, facts.ctimeMs, facts.size].join(' ')
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

function unavailable(reference: string, what: string): Fault {
  return new Fault('secret_unavailable', {
    detail: `${reference} ${what}: check the path, and that the proxy's user may read it.`,
  })
}
