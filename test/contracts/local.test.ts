// The sources on this machine against the contract: real files, real processes.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Secret } from '../../src/base/secret.ts'
import { envSource } from '../../src/secrets/env.ts'
import { execSource } from '../../src/secrets/exec.ts'
import { fileSource } from '../../src/secrets/file.ts'
import { systemdSource } from '../../src/secrets/systemd.ts'
import { secretFromText } from '../../src/secrets/value.ts'
import type { BuildOptions, Failure, Place } from './secret-source.ts'
import { secretSourceContract } from './secret-source.ts'

secretSourceContract({
  kind: 'env',
  against: 'a captured environment',
  failures: ['missing'],
  extracts: ['field', 'base64'],
  fixed: true,
  start() {
    let stored: string | undefined
    return {
      set: (text) => void (stored = text),
      fail: () => void (stored = undefined),
      // Captures as the configuration does: a value that is no secret never gets here.
      source({ extract }) {
        const captured = new Map<string, Secret>()
        const found = extract === undefined ? secretFromText(stored ?? '') : Secret.of(stored ?? '')
        if (stored !== undefined && found instanceof Secret) captured.set('KEY', found)
        return envSource({ name: 'KEY', ...(extract === undefined ? {} : { extract }) }, captured)
      },
    }
  },
})

/** A file in a new folder; `denied` and `garbage` are a file without permission, and no file. */
function filePlace(build: (folder: string, options: BuildOptions) => ReturnType<Place['source']>) {
  return (): Place => {
    const folder = mkdtempSync(join(tmpdir(), 'contract-'))
    const path = join(folder, 'key')
    const clear = () => rmSync(path, { recursive: true, force: true })
    return {
      source: (options) => build(folder, options),
      set(text) {
        if (existsSync(path) && !isFile(path)) clear()
        writeFileSync(path, text, { mode: 0o600 })
      },
      fail(how, canary) {
        clear()
        if (how === 'denied') mkdirSync(path)
        if (how === 'garbage') writeFileSync(path, `${canary}\0\xff\n${canary}`)
      },
      end: () => rmSync(folder, { recursive: true, force: true }),
    }
  }
}

function isFile(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}

// A test may run as root, whom no mode keeps out: a directory in the file's place stands for `denied`.
const failures: readonly Failure[] = ['missing', 'denied', 'garbage']

secretSourceContract({
  kind: 'file',
  against: 'the file system',
  failures,
  extracts: ['field', 'base64'],
  start: filePlace((folder, { clock, extract }) =>
    fileSource(
      { path: join(folder, 'key'), ...(extract === undefined ? {} : { extract }) },
      { clock },
    ),
  ),
})

secretSourceContract({
  kind: 'systemd',
  against: "a directory like systemd's",
  failures,
  extracts: ['field', 'base64'],
  start: filePlace((folder, { clock, extract }) =>
    systemdSource(
      { kind: 'systemd', name: 'key', ...(extract === undefined ? {} : { extract }) },
      { clock, environment: { CREDENTIALS_DIRECTORY: folder } },
    ),
  ),
})

secretSourceContract({
  kind: 'exec',
  against: 'a real process',
  failures: ['missing', 'denied', 'garbage', 'error', 'hang', 'unreachable'],
  extracts: ['field', 'base64'],
  start() {
    const folder = mkdtempSync(join(tmpdir(), 'contract-'))
    const script = join(folder, 'tool')
    const log = join(folder, 'asked')
    const write = (body: string) => {
      rmSync(script, { force: true })
      writeFileSync(script, `#!/bin/sh\necho >> '${log}'\n${body}\n`, { mode: 0o700 })
    }
    return {
      source: ({ clock, timeout, lifetime, extract }) =>
        execSource(
          {
            kind: 'exec',
            argv: [script],
            timeout,
            lifetime,
            ...(extract === undefined ? {} : { extract }),
          },
          { clock, environment: { PATH: '/usr/bin:/bin' } },
        ),
      set(text) {
        writeFileSync(join(folder, 'value'), text)
        write(`cat '${join(folder, 'value')}'`)
      },
      fail(how, canary) {
        write(
          {
            missing: `echo '${canary}: no such item'; exit 1`,
            denied: `echo '${canary}: not signed in' >&2; exit 2`,
            garbage: `printf '${canary}\\000\\n${canary}'`,
            error: `echo '${canary}' >&2; kill -9 $$`,
            hang: 'exec sleep 60',
            unreachable: '',
          }[how],
        )
        if (how === 'unreachable') rmSync(script)
      },
      asked: () => (existsSync(log) ? readFileSync(log, 'utf8').length : 0),
      end: () => rmSync(folder, { recursive: true, force: true }),
    }
  },
})
