// The certificate of a TLS listener, and the CAs of its clients, from files, kept fresh: the last good
// state stays in use while the files are half-written, do not belong together, or are gone. The key's bytes reach no message.

import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

import type { Cancel, Clock } from '../base/clock.ts'
import { pause } from '../base/clock.ts'
import { Fault, errorCode } from '../base/fault.ts'
import type { Problem } from '../base/fault.ts'
import { singleFlight } from '../base/single-flight.ts'
import type { TlsFiles } from '../config/endpoint.ts'
import { judgeClientCa, judgePair, sameClientCa } from './certificate-pair.ts'
import type { CertificatePair } from './certificate-pair.ts'

/** Milliseconds between two looks at the files. A look reads both: they are small. */
export const CERTIFICATE_POLL_MS = 10_000

/** What looks the same this many milliseconds apart is taken; a file that is being written is not. */
const SETTLE_MS = 200
const SETTLE_TRIES = 10

const MAX_FILE_BYTES = 1024 * 1024

/** What happened at a look that found other files than the one before. */
export type CertificateEvent =
  | { readonly kind: 'changed'; readonly expiresAt: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

/** See `liveCertificate`. */
export interface LiveCertificate {
  /** The last good pair; holds the key. Hand it to the TLS server alone. */
  current(): CertificatePair
  /** Why the files as they are now are not in use; `undefined` if they are. */
  failure(): Problem | undefined
  /** Looks at once. Never rejects. */
  reload(): Promise<void>
  /** Calls `listener` for every event from now on; it must not throw. */
  onEvent(listener: (event: CertificateEvent) => void): void
  /** Looks from time to time until `stop`. */
  start(): void
  stop(): void
}

/** Reads the pair; rejects with a Fault `config_invalid` if it cannot be used. */
export async function liveCertificate(files: TlsFiles, clock: Clock): Promise<LiveCertificate> {
  let seen = await readFiles(files)
  const first = judged(seen, files)
  if ('fault' in first) {
    const detail = 'The certificate of a listener cannot be used.'
    throw new Fault('config_invalid', { detail, problems: [first] })
  }
  let pair = first
  let failure: Problem | undefined
  let cancel: Cancel | undefined
  const listeners: ((event: CertificateEvent) => void)[] = []

  /** The files once they hold still, or `undefined` if they do not. */
  async function settled(): Promise<ReadFiles | undefined> {
    let before = await readFiles(files)
    if (before.digest === seen.digest) return before
    for (let tries = 0; tries < SETTLE_TRIES; tries++) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await pause(clock, SETTLE_MS)
      // oxlint-disable-next-line no-await-in-loop -- as above
      const after = await readFiles(files)
      if (after.digest === before.digest) return after
      before = after
    }
    return undefined
  }

  const look = singleFlight(async (): Promise<void> => {
    const found = await settled()
    if (found === undefined || found.digest === seen.digest) return
    seen = found
    const verdict = judged(found, files)
    if ('fault' in verdict) {
      failure = verdict
      tell({ kind: 'failed', problem: verdict })
      return
    }
    failure = undefined
    const same =
      verdict.cert.equals(pair.cert) && verdict.key.equals(pair.key) && sameClientCa(verdict, pair)
    pair = verdict
    if (!same) tell({ kind: 'changed', expiresAt: verdict.expiresAt })
  })

  function tell(event: CertificateEvent): void {
    for (const listener of listeners) listener(event)
  }

  function wait(): void {
    cancel = clock.after(CERTIFICATE_POLL_MS, () => {
      wait()
      void look()
    })
  }

  return {
    current: () => pair,
    failure: () => failure,
    reload: look,
    onEvent: (listener) => void listeners.push(listener),
    start() {
      if (cancel === undefined) wait()
    },
    stop() {
      cancel?.()
      cancel = undefined
    },
  }
}

interface ReadFiles {
  /** The bytes, or the code of the error. */
  readonly cert: Buffer | string
  readonly key: Buffer | string
  readonly clientCa: Buffer | string | undefined
  /** Tells two states of the files apart. */
  readonly digest: string
}

async function readFiles({ certificateFile, keyFile, client }: TlsFiles): Promise<ReadFiles> {
  const [cert, key, clientCa] = await Promise.all([
    readOne(certificateFile),
    readOne(keyFile),
    client && readOne(client.caFile),
  ])
  const hash = createHash('sha256')
  for (const part of [cert, key, clientCa ?? '']) {
    hash.update(`${typeof part} ${part.length} `).update(part)
  }
  return { cert, key, clientCa, digest: hash.digest('hex') }
}

async function readOne(path: string): Promise<Buffer | string> {
  try {
    // Without O_NONBLOCK, opening a FIFO would wait for somebody to write.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { size } = await file.stat()
      return size > MAX_FILE_BYTES ? 'EFBIG' : await file.readFile()
    } finally {
      await file.close()
    }
  } catch (error) {
    return errorCode(error) || 'error'
  }
}

function judged(read: ReadFiles, files: TlsFiles): CertificatePair | Problem {
  const names = {
    certificate: `${files.places.certificate} ${files.certificateFile}`,
    key: `${files.places.key} ${files.keyFile}`,
  }
  const { cert, key, clientCa } = read
  if (typeof cert === 'string') return unreadable(names.certificate, cert)
  if (typeof key === 'string') return unreadable(names.key, key)
  if (files.client !== undefined && clientCa !== undefined) {
    const place = `${files.client.place} ${files.client.caFile}`
    if (typeof clientCa === 'string') return unreadable(place, clientCa)
    const defect = judgeClientCa(clientCa, place)
    if (defect !== undefined) return defect
  }
  const pair = judgePair(cert, key, { ...names, chain: files.certificateFile })
  return 'fault' in pair || typeof clientCa === 'string' ? pair : { ...pair, clientCa }
}

function unreadable(place: string, code: string): Problem {
  return {
    place,
    fault: `cannot be read (${code})`,
    remedy: "Check the path, and that the proxy's user may read it.",
  }
}
