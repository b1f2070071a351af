// AWS Secrets Manager and SSM Parameter Store, against a stub always, and against moto's server where
// it is installed. The SDK is the real one.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { awsSource } from '../../src/secrets/aws.ts'
import { awsOptions } from '../../src/secrets/aws-options.ts'
import { parseReference } from '../../src/secrets/reference-options.ts'
import type { ReferenceOf } from '../../src/secrets/reference-options.ts'
import { secretSourceContract } from '../contracts/secret-source.ts'
import type { BuildOptions, Place } from '../contracts/secret-source.ts'
import { awsAsk, motoCommand, startMoto } from '../support/aws-moto.ts'
import { awsStub } from '../support/aws-stub.ts'
import type { AwsStub } from '../support/aws-stub.ts'

const NAME = 'opusdns/key'
const PARAMETER = '/opusdns/key'
const LOGIN = {
  AWS_ACCESS_KEY_ID: 'AKIATEST',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_CONFIG_FILE: '/nonexistent',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
}
const logIn = () => Object.entries(LOGIN).forEach(([name, value]) => void vi.stubEnv(name, value))

beforeAll(logIn)
afterAll(() => void vi.unstubAllEnvs())

const TIMES = { timeout: 20_000, lifetime: 60_000, clock: systemClock }

function source(
  written: string,
  endpoint: string,
  { clock, extract, ...times }: BuildOptions = TIMES,
) {
  const reference = parseReference(written, times) as ReferenceOf<'aws-sm' | 'aws-ssm'>
  const settings = awsOptions.parse({ region: 'eu-central-1', endpoint, ssm_endpoint: endpoint })
  return awsSource({ ...reference, ...(extract === undefined ? {} : { extract }) }, settings, {
    clock,
  })
}

const store = {
  async 'aws-sm'(endpoint: string, SecretString: string) {
    const put = () =>
      awsAsk(endpoint, 'secretsmanager.PutSecretValue', { SecretId: NAME, SecretString })
    await put().catch(() =>
      awsAsk(endpoint, 'secretsmanager.CreateSecret', { Name: NAME, SecretString }),
    )
  },
  async 'aws-ssm'(endpoint: string, Value: string) {
    const parameter = { Name: PARAMETER, Value, Type: 'SecureString', Overwrite: true }
    await awsAsk(endpoint, 'AmazonSSM.PutParameter', parameter)
  },
}
const remove = {
  async 'aws-sm'(endpoint: string) {
    const which = { SecretId: NAME, ForceDeleteWithoutRecovery: true }
    await awsAsk(endpoint, 'secretsmanager.DeleteSecret', which)
  },
  async 'aws-ssm'(endpoint: string) {
    await awsAsk(endpoint, 'AmazonSSM.DeleteParameter', { Name: PARAMETER })
  },
}
const WRITTEN = { 'aws-sm': `aws-sm:${NAME}`, 'aws-ssm': `aws-ssm:${PARAMETER}` }
const KINDS = ['aws-sm', 'aws-ssm'] as const

describe.each(KINDS)('%s', (kind) => {
  secretSourceContract({
    kind,
    against: "a stub from the API's documentation",
    failures: ['missing', 'denied', 'garbage', 'error', 'hang', 'unreachable'],
    extracts: ['field', 'base64'],
    slow: true,
    async start(): Promise<Place> {
      const stub = await awsStub()
      // Nobody listens on the discard port of loopback; the source's endpoint is fixed when it is built.
      let gone = false
      return {
        source(options) {
          const there = source(WRITTEN[kind], stub.endpoint, options)
          const nowhere = source(WRITTEN[kind], 'http://127.0.0.1:9', options)
          return { ...there, read: () => (gone ? nowhere : there).read() }
        },
        async set(stored) {
          gone = false
          stub.fail(undefined)
          await store[kind](stub.endpoint, stored)
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
})

const moto = motoCommand()
describe.runIf(moto !== undefined)('against moto', () => {
  let server: Awaited<ReturnType<typeof startMoto>>
  beforeAll(async () => {
    server = await startMoto(moto ?? [])
  }, 40_000)
  afterAll(() => server.close())

  describe.each(KINDS)('%s', (kind) => {
    secretSourceContract({
      kind,
      against: "moto's server",
      failures: ['missing'],
      extracts: ['field', 'base64'],
      refuses: ['empty', 'huge'],
      slow: true,
      start: () => ({
        source: (options) => source(WRITTEN[kind], server.endpoint, options),
        set: (stored) => store[kind](server.endpoint, stored),
        fail: () => remove[kind](server.endpoint).catch(() => {}),
        end: () => remove[kind](server.endpoint).catch(() => {}),
      }),
    })
  })
  secretsManagerPromises(async () => ({ endpoint: server.endpoint, close: async () => {} }))
})

secretsManagerPromises(awsStub)

/** What only Secrets Manager has, alike before moto and the stub. */
function secretsManagerPromises(
  start: () => Promise<{ endpoint: string; close(): Promise<void> }>,
) {
  describe('a secret of Secrets Manager', { timeout: 30_000 }, () => {
    let endpoint: string
    let close: () => Promise<void>
    beforeEach(async () => {
      const begun = await start()
      endpoint = begun.endpoint
      close = () => begun.close()
    })
    afterEach(async () => {
      await remove['aws-sm'](endpoint).catch(() => {})
      await close()
    })

    test('may be binary', async () => {
      const SecretBinary = Buffer.from('opk_binary').toString('base64')
      await awsAsk(endpoint, 'secretsmanager.CreateSecret', { Name: NAME, SecretBinary })
      expect((await source(`aws-sm:${NAME}`, endpoint).read()).reveal()).toBe('opk_binary')
    })

    test('that is rotated is the new one at the next read', async () => {
      await store['aws-sm'](endpoint, '{"api_key":"opk_old"}')
      const it = source(`aws-sm:${NAME}#api_key`, endpoint)
      expect((await it.read()).reveal()).toBe('opk_old')
      await store['aws-sm'](endpoint, '{"api_key":"opk_new"}')
      expect((await it.read()).reveal()).toBe('opk_new')
    })

    test('that is marked for deletion is told apart, until it is restored', async () => {
      await store['aws-sm'](endpoint, 'opk_a')
      const it = source(`aws-sm:${NAME}`, endpoint)
      await awsAsk(endpoint, 'secretsmanager.DeleteSecret', { SecretId: NAME })
      await expect(it.read()).rejects.toThrow('it may be marked for deletion: restore it with')
      await awsAsk(endpoint, 'secretsmanager.RestoreSecret', { SecretId: NAME })
      expect((await it.read()).reveal()).toBe('opk_a')
    })
  })
}

describe('an error of AWS', { timeout: 30_000 }, () => {
  let stub: AwsStub
  beforeEach(async () => {
    stub = await awsStub()
  })
  afterEach(() => stub.close())

  test.each([
    ['AccessDeniedException', 'may not be read: allow'],
    ['ExpiredTokenException', 'the AWS login has expired: renew it'],
    ['UnrecognizedClientException', 'AWS does not know the login: check the access key'],
    ['InvalidSignatureException', 'the signature is wrong: check the secret access key'],
    ['DecryptionFailure', 'cannot be decrypted: check the KMS key'],
    ['ThrottlingException', 'was asked for too often: wait'],
    ['ValidationException', 'is not a name that AWS accepts: check the reference'],
    ['SomethingNewException', 'was answered with HTTP 400: check'],
  ])('%s is told in our own words', async (name, words) => {
    stub.refuse(name, 'vendor text canary')
    const outcome: unknown = await source(`aws-sm:${NAME}`, stub.endpoint)
      .read()
      .catch((error: unknown) => error)
    expect(String(outcome)).toContain(`aws-sm:${NAME} `)
    expect(String(outcome)).toContain(words)
    expect(String(outcome)).not.toContain('canary')
    expect((outcome as Error).cause).toBeUndefined()
    expect(stub.asked()).toBe(1)
  })

  test('is not asked for when no login is found', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    try {
      await expect(source(`aws-sm:${NAME}`, stub.endpoint).read()).rejects.toThrow(
        'no AWS login was found: give the proxy a role',
      )
    } finally {
      logIn()
    }
    expect(stub.asked()).toBe(0)
  })
})

test('an ARN is asked for in its own region', { timeout: 30_000 }, async () => {
  const stub = await awsStub()
  try {
    await store['aws-sm'](stub.endpoint, 'opk_a')
    const written = `aws-sm:arn:aws:secretsmanager:eu-west-1:111122223333:secret:${NAME}-AbCdEf`
    const reference = parseReference(written, TIMES) as ReferenceOf<'aws-sm'>
    const settings = awsOptions.parse({ region: 'eu-central-1', endpoint: stub.endpoint })
    expect((await awsSource(reference, settings, TIMES).read()).reveal()).toBe('opk_a')
    expect(stub.region()).toBe('eu-west-1')
  } finally {
    await stub.close()
  }
})

test('a place in no region is told so', { timeout: 30_000 }, async () => {
  const reference = parseReference('aws-sm:name', TIMES) as ReferenceOf<'aws-sm'>
  const it = awsSource(reference, awsOptions.parse({}), TIMES)
  await expect(it.read()).rejects.toThrow('aws-sm:name has no region: set secrets.aws.region')
})

test.each([
  ['http://vault.example.com', 'write https://'],
  ['https://user:canary@example.com', 'holds a user name'],
  ['https://example.com/path', 'more than an origin'],
])('the endpoint %s is refused', (endpoint, words) => {
  const { error } = awsOptions.safeParse({ endpoint })
  expect(error?.message).toContain(words)
  expect(error?.message).not.toContain('canary')
})
