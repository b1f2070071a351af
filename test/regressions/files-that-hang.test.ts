// The attack: a FIFO that nobody writes to where a small file is expected. Opening it waited for ever, and
// held one of the four threads that read files.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import type { Fault } from '../../src/base/fault.ts'
import { loadSettings } from '../../src/config/load.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { parseReference } from '../../src/secrets/reference-options.ts'
import { secretSources } from '../../src/secrets/reference.ts'
import { secretsOptions } from '../../src/secrets/vendor-options.ts'
import { buildUpstream } from '../../src/server/upstream.ts'
import { authority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { runCommand } from '../support/running-proxy.ts'

/** A folder with a FIFO, which is given a writer at the end so that nothing hangs on. */
function place() {
  const folder = mkdtempSync(join(tmpdir(), 'opusdns-fifo-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const at = (name: string) => join(folder, name)
  return {
    folder,
    at,
    fifo(name: string): string {
      execFileSync('mkfifo', [at(name)])
      // Opened for both, it never waits, and lets go whoever waits to read.
      onTestFinished(() => void execFileSync('sh', ['-c', ': <> "$1"', 'sh', at(name)]))
      return at(name)
    },
  }
}

/** What is wrong, or `undefined` when nothing was said in time. */
async function fault(work: Promise<unknown>): Promise<string | undefined> {
  let told: string | undefined
  work.catch((error: unknown) => {
    const { message, problems } = error as Fault
    told = [message, ...problems.map((one) => one.fault)].join(' ')
  })
  await eventually(() => told !== undefined, { within: 3_000, every: 20 }).catch(() => undefined)
  return told
}

function source(text: string, vendors: unknown, environment: Record<string, string> = {}) {
  const reference = parseReference(text, { timeout: 1_000, lifetime: 60_000 })
  if (reference === undefined) throw new Error('no reference')
  const parsed = secretsOptions.parse(vendors)
  const deps = { clock: systemClock, captured: new Map(), environment, vendors: parsed }
  return secretSources(deps)(reference)
}

test.each(['ca.crt', 'namespace', 'token'])(
  'of the Kubernetes service account, %s is refused',
  async (name) => {
    const { folder, at, fifo } = place()
    for (const each of ['ca.crt', 'namespace', 'token']) {
      if (each === name) fifo(each)
      else writeFileSync(at(each), 'default')
    }
    const kubernetes = { address: 'https://127.0.0.1:9', service_account: folder }
    expect(await fault(source('k8s:name#key', { kubernetes }).read())).toContain('cannot be read')
  },
)

test('the file of Vault’s authorities is refused', async () => {
  const environment = { VAULT_TOKEN: 'x', VAULT_CACERT: place().fifo('ca') }
  const vault = { address: 'https://127.0.0.1:9' }
  const read = source('vault:secret/data/a#b', { vault }, environment).read()
  expect(await fault(read)).toContain('NOT_A_FILE')
})

test('the file of the upstream’s authorities is refused, and so is one without end', async () => {
  const { at, fifo } = place()
  writeFileSync(at('huge'), '')
  truncateSync(at('huge'), 2 ** 31)
  for (const [file, code] of [
    [fifo('ca'), 'NOT_A_FILE'],
    [at('huge'), 'TOO_LARGE'],
  ]) {
    const { settings } = await loadSettings({
      env: { OPUSDNS_API_KEY: 'opk_a' },
      file: { path: 'proxy.yaml', text: `upstream: { ca_file: "${file}" }` },
    })
    expect(
      await fault(
        buildUpstream(
          { upstream: settings.upstream, headerSize: settings.limits.headerSize },
          systemClock,
        ),
      ),
    ).toContain(code)
  }
})

test('a certificate file that is whole is read', async () => {
  const { at } = place()
  writeFileSync(at('ca'), authority('test').cert)
  const { settings } = await loadSettings({
    env: { OPUSDNS_API_KEY: 'opk_a' },
    file: { path: 'proxy.yaml', text: `upstream: { ca_file: "${at('ca')}" }` },
  })
  const upstream = await buildUpstream(
    { upstream: settings.upstream, headerSize: settings.limits.headerSize },
    systemClock,
  )
  expect(upstream.origin).toBe('https://api.opusdns.com')
  await upstream.destroy()
})

test('the configuration and .env are refused', async () => {
  const { folder, fifo } = place()
  const path = fifo('proxy.yaml')
  const env = {}
  expect(await fault(readConfig({ env, directory: folder, configPath: path }))).toContain(
    'NOT_A_FILE',
  )
  fifo('.env')
  expect(await fault(readConfig({ env, directory: folder }))).toContain('NOT_A_FILE')
})

test('the file of the client id is refused', async () => {
  const { fifo } = place()
  const env = { OPUSDNS_CLIENT_ID_FILE: fifo('id'), OPUSDNS_CLIENT_SECRET: 'x' }
  const { code, stderr } = await runCommand({ args: ['check'], env })
  expect(code).toBe(1)
  expect(stderr).toContain('OPUSDNS_CLIENT_ID_FILE')
}, 40_000)
