// Secrets in files with well-known names, as Docker, Kubernetes and systemd put them there.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { LoadInput } from '../../src/config/load.ts'
import { readConfig } from '../../src/config/read-config.ts'

const given = (paths: readonly string[], more: Partial<LoadInput> = {}): LoadInput => ({
  env: {},
  look: (path) => (paths.includes(path) ? 'there' : 'absent'),
  readText: () => 'organization_a\n',
  ...more,
})
const credential = async (input: LoadInput) => (await loadSettings(input)).settings.credential

async function problems(input: LoadInput) {
  const error: unknown = await loadSettings(input).catch((reason: unknown) => reason)
  if (error instanceof Fault) return error.problems
  throw new Error('was accepted')
}

const RUN = '/run/secrets/opusdns_'
const SYSTEMD = { CREDENTIALS_DIRECTORY: '/run/credentials/p' }

describe('without a credential in the environment or the file', () => {
  test.each([`${RUN}api_key`, '/run/secrets/opusdns/opusdns_api_key'])(
    'the key in %s is taken',
    async (path) => {
      expect(await credential(given([path]))).toEqual({
        kind: 'api_key',
        key: { kind: 'file', path },
        previous: undefined,
      })
    },
  )

  test('the pair is taken, and its id read', async () => {
    expect(await credential(given([`${RUN}client_id`, `${RUN}client_secret`]))).toEqual({
      kind: 'oauth',
      clientId: 'organization_a',
      secret: { kind: 'file', path: `${RUN}client_secret` },
      previous: undefined,
      tokenRequest: 'form',
    })
  })

  test("a key in systemd's directory is taken by its name", async () => {
    const paths = ['/run/credentials/p/opusdns_api_key']
    const key = { kind: 'systemd', name: 'opusdns_api_key' }
    expect(await credential(given(paths, { env: SYSTEMD }))).toMatchObject({ key })
  })

  test('previous twins are taken too', async () => {
    expect(await credential(given([`${RUN}api_key`, `${RUN}previous_api_key`]))).toMatchObject({
      previous: { kind: 'file', path: `${RUN}previous_api_key` },
    })
    const pair = [`${RUN}client_id`, `${RUN}client_secret`, `${RUN}previous_client_secret`]
    expect(await credential(given(pair))).toMatchObject({
      previous: { kind: 'file', path: `${RUN}previous_client_secret` },
    })
  })

  test.each([
    ['both kinds', ['api_key', 'client_id', 'client_secret'], 'give two kinds of credential'],
    ['a key and half a pair', ['api_key', 'client_secret'], 'give two kinds of credential'],
    ['an id alone', ['client_id'], 'without opusdns_client_secret'],
    ['a secret alone', ['client_secret'], 'without opusdns_client_id'],
    ['an old key alone', ['previous_api_key'], 'without opusdns_api_key'],
    [
      'an old secret alone',
      ['previous_client_secret'],
      'opusdns_client_id and opusdns_client_secret',
    ],
  ])('%s is refused, by the paths', async (_what, names, fault) => {
    const paths = names.map((name) => RUN + name)
    const found = await problems(given(paths))
    expect(found).toMatchObject([{ place: paths.join(', ') }])
    expect(found[0]?.fault).toContain(fault)
  })

  test('the same key in two places is refused', async () => {
    const paths = ['/run/credentials/p/opusdns_api_key', `${RUN}api_key`]
    expect(await problems(given(paths, { env: SYSTEMD }))).toMatchObject([
      { place: paths.join(', '), fault: 'are both there' },
    ])
  })

  test('an id that cannot be read is named by its path', async () => {
    const readText = () => {
      throw Object.assign(new Error('canary'), { code: 'EACCES' })
    }
    const paths = [`${RUN}client_id`, `${RUN}client_secret`]
    expect(await problems(given(paths, { readText }))).toMatchObject([
      { place: `${RUN}client_id`, fault: 'cannot be read (EACCES)' },
    ])
  })

  test('and without such a file, the message names it', async () => {
    const [problem] = await problems(given([]))
    expect(problem?.remedy).toContain(`mount ${RUN}api_key`)
  })

  test('a directory that nobody may look into is named, unless the key is elsewhere', async () => {
    const hiding = (...there: string[]): Partial<LoadInput> => ({
      look: (path) => {
        if (there.includes(path)) return 'there'
        return path.startsWith(RUN) ? 'hidden' : 'absent'
      },
    })
    expect(await problems(given([], hiding()))).toMatchObject([
      { place: '/run/secrets', fault: 'may hold the credential, and cannot be looked into' },
    ])
    const path = '/run/secrets/opusdns/opusdns_api_key'
    expect(await credential(given([], hiding(path)))).toMatchObject({ key: { path } })
  })

  test("the directory is systemd's own, not one that .env names", async () => {
    const dotenv = 'CREDENTIALS_DIRECTORY=/run/credentials/p'
    const paths = ['/run/credentials/p/opusdns_api_key']
    expect(await problems(given(paths, { dotenv }))).toMatchObject([{ place: 'credential' }])
  })
})

describe('on the real file system', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'conventions-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const at = () => join(directory, 'opusdns_api_key')
  const read = (env = { CREDENTIALS_DIRECTORY: directory }) => readConfig({ env, directory })

  // What is of no use is an error of the first read, and not "no credential is given".
  test.each([
    ['a file', () => writeFileSync(at(), 'opk_a')],
    ['a file that nobody may read', () => writeFileSync(at(), 'opk_a', { mode: 0 })],
    ['a directory, as Docker makes one for what is missing', () => mkdirSync(at())],
    ['a link that leads nowhere yet', () => symlinkSync('..data/opusdns_api_key', at())],
  ])('%s is found', async (_what, make) => {
    make()
    expect(await credential(await read())).toMatchObject({
      key: { kind: 'systemd', name: 'opusdns_api_key' },
    })
  })

  test('an empty directory gives nothing', async () => {
    expect(await problems(await read())).toMatchObject([{ place: 'credential' }])
  })

  test('one that cannot be entered is named', async () => {
    symlinkSync('loop', join(directory, 'loop'))
    const loop = join(directory, 'loop')
    expect(await problems(await read({ CREDENTIALS_DIRECTORY: loop }))).toMatchObject([
      { place: loop },
    ])
  })
})

describe('a credential in another place wins, and no such file is looked for', () => {
  test.each([
    [
      'environment',
      { env: { OPUSDNS_API_KEY: 'opk_a' } },
      { kind: 'env', name: 'OPUSDNS_API_KEY' },
    ],
    [
      'file',
      { file: { path: 'p.yaml', text: 'credential: { api_key: file:/k }' } },
      { kind: 'file', path: '/k' },
    ],
  ])('the one of the %s', async (_what, more, key) => {
    const look = (): never => {
      throw new Error('was looked for')
    }
    expect(await credential(given([], { ...more, look }))).toMatchObject({ key })
  })
})
