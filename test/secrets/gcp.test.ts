// Google Secret Manager against a stub of its REST interface. The SDK is the real one, and so are its
// logins: a key file of a service account, and the metadata server.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { crc32c } from '../../src/secrets/gcp-checksum.ts'
import { gcpSource } from '../../src/secrets/gcp.ts'
import { gcpOptions } from '../../src/secrets/gcp-options.ts'
import { parseReference } from '../../src/secrets/reference-options.ts'
import type { ReferenceOf } from '../../src/secrets/reference-options.ts'
import { secretSourceContract } from '../contracts/secret-source.ts'
import type { BuildOptions, Place } from '../contracts/secret-source.ts'
import { gcpStub } from '../support/gcp-stub.ts'
import type { GcpStub } from '../support/gcp-stub.ts'

const NAME = 'projects/p/secrets/opusdns/versions/latest'
const folder = mkdtempSync(join(tmpdir(), 'gcp-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => void vi.unstubAllEnvs())

async function loggedInStub(): Promise<GcpStub> {
  const stub = await gcpStub()
  const path = join(folder, `${crypto.randomUUID()}.json`)
  writeFileSync(path, stub.keyFile, { mode: 0o600 })
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', path)
  return stub
}

const TIMES = { timeout: 20_000, lifetime: 60_000, clock: systemClock }

function source(endpoint: string, { clock, extract, ...times }: BuildOptions = TIMES) {
  const reference = parseReference('gcp:projects/p/secrets/opusdns', times) as ReferenceOf<'gcp'>
  return gcpSource(
    { ...reference, ...(extract === undefined ? {} : { extract }) },
    gcpOptions.parse({ endpoint }),
    { clock },
  )
}

secretSourceContract({
  kind: 'gcp',
  against: "a stub from the API's documentation",
  failures: ['missing', 'denied', 'garbage', 'error', 'hang', 'unreachable'],
  extracts: ['field', 'base64'],
  slow: true,
  async start(): Promise<Place> {
    const stub = await loggedInStub()
    let gone = false
    return {
      source(options) {
        const there = source(stub.endpoint, options)
        const nowhere = source('http://127.0.0.1:9', options)
        return { ...there, read: () => (gone ? nowhere : there).read() }
      },
      set(stored) {
        gone = false
        stub.fail(undefined)
        stub.set(NAME, stored)
      },
      fail(how, canary) {
        if (how === 'unreachable') gone = true
        else stub.fail(how, canary)
      },
      asked: () => stub.asked(),
      end: () => stub.close(),
    }
  },
})

describe('a secret of Google', { timeout: 30_000 }, () => {
  let stub: GcpStub
  beforeEach(async () => {
    stub = await loggedInStub()
    stub.set(NAME, 'opk_a')
  })
  afterEach(() => stub.close())

  test('is asked for with a token that the service account signed itself', async () => {
    expect((await source(stub.endpoint).read()).reveal()).toBe('opk_a')
    expect([...stub.logins]).toEqual(['key'])
  })

  test('is asked for with a token of the metadata server', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined)
    vi.stubEnv('HOME', folder)
    vi.stubEnv('GCE_METADATA_HOST', stub.host)
    expect((await source(stub.endpoint).read()).reveal()).toBe('opk_a')
    expect([...stub.logins]).toEqual(['metadata'])
  })

  test('whose key file is missing or broken is not asked for', async () => {
    const remedy = 'no Google login was had: give the proxy a service account'
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, 'absent-canary.json'))
    await expect(source(stub.endpoint).read()).rejects.toThrow(remedy)
    const broken = join(folder, 'broken.json')
    writeFileSync(broken, '{"private_key": "canary')
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', broken)
    await expect(source(stub.endpoint).read()).rejects.toThrow(remedy)
    expect(stub.asked()).toBe(0)
  })

  test('that was damaged on its way is refused', async () => {
    stub.checksum('wrong')
    await expect(source(stub.endpoint).read()).rejects.toThrow('its checksum differs')
    stub.checksum('none')
    expect((await source(stub.endpoint).read()).reveal()).toBe('opk_a')
  })

  test.each([
    [400, 'INVALID_ARGUMENT', 'is not a name that Google accepts: check'],
    [401, 'UNAUTHENTICATED', 'Google refuses the login: check the service account'],
    [403, 'PERMISSION_DENIED', 'may not be read: give the service account the role'],
    [400, 'FAILED_PRECONDITION', 'is disabled or destroyed: enable the version'],
    [429, 'RESOURCE_EXHAUSTED', 'was asked for too often: wait'],
    [503, 'UNAVAILABLE', 'was answered with HTTP 503: wait'],
  ])('answered %i %s is told in our own words, after one attempt', async (status, code, words) => {
    stub.refuse(status, code, 'vendor text canary')
    const outcome: unknown = await source(stub.endpoint)
      .read()
      .catch((error: unknown) => error)
    expect(String(outcome)).toContain(words)
    expect(String(outcome)).not.toContain('canary')
    expect((outcome as Error).cause).toBeUndefined()
    expect(stub.asked()).toBe(1)
  })
})

test('the checksum is CRC32C', () => {
  // The check value of the CRC catalogue, and RFC 3720 section B.4.
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
})

test('an endpoint without TLS on another machine is refused', () => {
  expect(gcpOptions.safeParse({ endpoint: 'http://example.com' }).error?.message).toContain(
    'write https://',
  )
})
