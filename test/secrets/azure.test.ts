// Azure Key Vault against a stub of its REST interface, over TLS. The SDKs are the real ones, and their
// login is the managed identity of App Service.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { azureSource } from '../../src/secrets/azure.ts'
import { azureOptions } from '../../src/secrets/azure-options.ts'
import { parseReference } from '../../src/secrets/reference-options.ts'
import type { ReferenceOf } from '../../src/secrets/reference-options.ts'
import { secretSourceContract } from '../contracts/secret-source.ts'
import type { BuildOptions, Place } from '../contracts/secret-source.ts'
import { azureStub, localVaults } from '../support/azure-stub.ts'
import type { AzureStub } from '../support/azure-stub.ts'
import type { Certificate } from '../support/certificates.ts'

const NAME = 'opusdns-api-key'
let certificate: Certificate
let undo: () => void
beforeAll(() => {
  const local = localVaults()
  certificate = local.ca.issue({ name: 'opusdns.localhost' })
  undo = () => local.undo()
})
afterAll(() => undo())
afterEach(() => void vi.unstubAllEnvs())

async function loggedInStub(): Promise<AzureStub> {
  const stub = await azureStub(certificate)
  for (const [name, value] of Object.entries(stub.variables)) vi.stubEnv(name, value)
  return stub
}

const TIMES = { timeout: 20_000, lifetime: 60_000, clock: systemClock }

function source(
  vault: string,
  { clock, extract, ...times }: BuildOptions = TIMES,
  version?: string,
) {
  const written = `azure:${vault}/secrets/${NAME}${version === undefined ? '' : `/${version}`}`
  const reference = parseReference(written, times) as ReferenceOf<'azure'>
  return azureSource(
    { ...reference, ...(extract === undefined ? {} : { extract }) },
    azureOptions.parse({}),
    { clock },
  )
}

secretSourceContract({
  kind: 'azure',
  against: "a stub from the API's documentation",
  failures: ['missing', 'denied', 'garbage', 'error', 'hang', 'unreachable'],
  extracts: ['field', 'base64'],
  slow: true,
  async start(): Promise<Place> {
    const stub = await loggedInStub()
    let gone = false
    return {
      source(options) {
        const there = source(stub.vault, options)
        const nowhere = source('https://opusdns.localhost:9', options)
        return {
          ...there,
          // The place that is named is another, but nothing else of the Fault differs.
          read: () => (gone ? renamed(nowhere, there.reference) : there.read()),
        }
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

async function renamed(nowhere: ReturnType<typeof source>, reference: string) {
  return nowhere.read().catch((error: unknown) => {
    if (error instanceof Error) error.message = error.message.replace(nowhere.reference, reference)
    throw error
  })
}

describe('a secret of Azure', { timeout: 30_000 }, () => {
  let stub: AzureStub
  beforeEach(async () => {
    stub = await loggedInStub()
    stub.set(NAME, 'opk_a')
  })
  afterEach(() => stub.close())

  test('is asked for with a token of the managed identity, once challenged', async () => {
    const it = source(stub.vault)
    expect((await it.read()).reveal()).toBe('opk_a')
    expect([stub.asked(), stub.tokens()]).toEqual([2, 1])
    await it.read()
    expect([stub.asked(), stub.tokens()]).toEqual([3, 2])
  })

  test('may be one version, which a newer one does not replace', async () => {
    const version = '4387e9f3d6e14c459867679a90fd0f79'
    stub.set(NAME, 'opk_pinned', version)
    expect((await source(stub.vault, TIMES, version).read()).reveal()).toBe('opk_pinned')
  })

  test('never gets a token that is for another resource', async () => {
    stub.challenge('https://vault.azure.net')
    await expect(source(stub.vault).read()).rejects.toThrow(
      'asks for a login to something else than itself: check',
    )
    expect([stub.asked(), stub.tokens()]).toEqual([1, 0])
  })

  test('is not asked for again when no login is had', async () => {
    vi.stubEnv('IDENTITY_HEADER', 'wrong')
    // The SDK keeps tokens for the whole process: this resource has none yet.
    vi.stubEnv('AZURE_TOKEN_CREDENTIALS', 'EnvironmentCredential')
    await expect(source(stub.vault).read()).rejects.toThrow(
      'no Azure login was had: give the proxy a managed or workload identity',
    )
    expect([stub.asked(), stub.tokens()]).toEqual([1, 0])
  })

  test.each([
    [400, 'BadParameter', 'is not a name that Azure accepts: check'],
    [403, 'Forbidden', 'may not be read, or is disabled: give the identity the role'],
    [429, 'Throttled', 'was asked for too often: wait'],
    [503, 'ServiceUnavailable', 'was answered with HTTP 503: wait'],
    [302, 'Moved', 'was answered with HTTP 302: check'],
  ])('answered %i is told in our own words, after one attempt', async (status, code, words) => {
    stub.refuse(status, code, 'vendor text canary')
    const outcome: unknown = await source(stub.vault)
      .read()
      .catch((error: unknown) => error)
    expect(String(outcome)).toContain(words)
    expect(String(outcome)).not.toContain('canary')
    expect((outcome as Error).cause).toBeUndefined()
    expect(stub.tokens()).toBe(1)
  })
})

test('a vault whose certificate nobody vouches for gets nothing', { timeout: 30_000 }, async () => {
  const stub = await loggedInStub()
  undo()
  try {
    const strange = source(stub.vault.replace('opusdns.localhost', 'localhost'))
    await expect(strange.read()).rejects.toThrow('cannot be reached (')
    expect(stub.asked()).toBe(0)
  } finally {
    const local = localVaults()
    certificate = local.ca.issue({ name: 'opusdns.localhost' })
    undo = () => local.undo()
    await stub.close()
  }
})
