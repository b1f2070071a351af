// A certificate and its key as files, for tests that change them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

import type { TlsFiles } from '../../src/config/endpoint.ts'
import type { Certificate } from '../support/certificates.ts'

/** See `certificateFiles`. */
export interface CertificateFiles extends TlsFiles {
  writeCert(text: string): void
  writeKey(text: string): void
  /** Writes both, the certificate first. */
  write(pair: Certificate): void
  remove(): void
}

/** Puts `pair` into a folder that is gone when the test is over. */
export function certificateFiles(pair: Certificate): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const certificateFile = join(folder, 'cert.pem')
  const keyFile = join(folder, 'key.pem')
  const files: CertificateFiles = {
    certificateFile,
    keyFile,
    places: { certificate: 'listen[0].tls.certificate_file', key: 'listen[0].tls.key_file' },
    client: undefined,
    writeCert: (text) => writeFileSync(certificateFile, text),
    writeKey: (text) => writeFileSync(keyFile, text, { mode: 0o600 }),
    write({ cert, key }) {
      files.writeCert(cert)
      files.writeKey(key)
    },
    remove: () => rmSync(certificateFile),
  }
  files.write(pair)
  return files
}
