// When the clouds' SDKs are loaded, and what happens when they are not installed; and the deadline that
// their reads have in common.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

import { cloudRead } from '../../src/secrets/cloud.ts'
import { Secret } from '../../src/base/secret.ts'
import { cloudSource } from '../../src/secrets/cloud-source.ts'
import { manualClock } from '../support/manual-clock.ts'
import { launch, ROOT, whenReady } from '../support/program.ts'

const PRELOAD = join(ROOT, 'test/support/cloud-modules.ts')
const VAULT = 'azure:https://name.vault.azure.net/secrets/key'
const PLACES = [
  ['aws-sm:name', '@aws-sdk/client-secrets-manager'],
  ['aws-ssm:/name', '@aws-sdk/client-ssm'],
  ['gcp:projects/p/secrets/key', '@google-cloud/secret-manager'],
  [VAULT, '@azure/keyvault-secrets @azure/identity'],
] as const

/** Builds the source of a reference in a child, and reads it if asked to; resolves with its output. */
async function inChild(written: string, read: boolean, env: Record<string, string> = {}) {
  const code = `
    import { parseReference } from '${ROOT}/src/secrets/reference-options.ts'
    import { secretSources } from '${ROOT}/src/secrets/reference.ts'
    import { secretsOptions } from '${ROOT}/src/secrets/vendor-options.ts'
    import { systemClock as clock } from '${ROOT}/src/base/clock.ts'
    const reference = parseReference('${written}', { timeout: 9000, lifetime: 60000 })
    const vendors = secretsOptions.parse({})
    const source = secretSources({ clock, captured: new Map(), environment: {}, vendors })(reference)
    source.watch(() => {})()
    if (${read}) await source.read().catch((error) => console.log(error.message))
    console.log('built')`
  const args = ['--import', PRELOAD, '--input-type=module', '--eval', code]
  return promisify(execFile)(process.execPath, args, { env, cwd: ROOT })
}

describe.each(PLACES)('%s', { timeout: 30_000 }, (written, name) => {
  test('loads nothing of its SDK before the first read', async () => {
    const { stdout, stderr } = await inChild(written, false)
    expect(stdout).toBe('built\n')
    expect(stderr).not.toContain('cloud module')
  })

  test('without its SDK is a fault that says what to install', async () => {
    const { stdout } = await inChild(written, true, { CLOUD_SDKS_HIDDEN: '1' })
    const what = name.includes(' ') ? `the packages ${name}` : `the package ${name}`
    const said = `needs ${what}: npm install ${name}.`
    expect(stdout).toMatch(new RegExp(`^${written.split('?')[0]}\\S* ${said}\nbuilt\n$`))
  })
})

test('the preload of these tests sees an SDK that is loaded', { timeout: 30_000 }, async () => {
  const { stderr } = await inChild('aws-sm:name', true, { AWS_CONFIG_FILE: '/nonexistent' })
  expect(stderr).toContain('node_modules/@aws-sdk/client-secrets-manager/')
})

test('a proxy whose secret is elsewhere loads no SDK', { timeout: 30_000 }, async () => {
  const proxy = await whenReady(
    launch({
      env: { OPUSDNS_API_KEY: 'opk_a', OPUSDNS_API_BASE: 'http://127.0.0.1:9' },
      nodeArgs: ['--import', PRELOAD],
    }),
  )
  try {
    expect(proxy.stderr()).not.toContain('cloud module')
  } finally {
    await proxy.stop()
  }
})

test('a read that hangs ends at its deadline, with its signal aborted, and its end is forgotten', async () => {
  const clock = manualClock()
  let signal: AbortSignal | undefined
  let fail: (error: Error) => void = () => {}
  const options = { reference: 'aws-sm:name', timeout: 5_000, explain: () => undefined }
  const read = cloudRead(options, clock, (given) => {
    signal = given
    return new Promise((_resolve, reject) => (fail = reject))
  })
  const outcome = expect(read).rejects.toThrow('aws-sm:name did not answer in time: check')
  await clock.advance(4_999)
  expect(signal?.aborted).toBe(false)
  await clock.advance(1)
  expect(signal?.aborted).toBe(true)
  fail(new Error('too late'))
  await outcome
})

test('what cannot be loaded for a moment is loaded by a later read, and once', async () => {
  let opened = 0
  const place = { kind: 'aws-sm', id: 'name', timeout: 9000, lifetime: 60_000 } as const
  const source = cloudSource(place, manualClock(), async () => {
    if (++opened === 1) throw Object.assign(new Error('no descriptor'), { code: 'EMFILE' })
    return async () => Secret.of('opk_a')
  })
  await expect(source.read()).rejects.toThrow('no descriptor')
  expect((await source.read()).reveal()).toBe('opk_a')
  expect((await source.read()).reveal()).toBe('opk_a')
  expect(opened).toBe(2)
})
