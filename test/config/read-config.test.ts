import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { loadSettings } from '../../src/config/load.ts'
import { readConfig } from '../../src/config/read-config.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'config-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const put = (name: string, text: string) => writeFileSync(join(directory, name), text)

describe('reading the configuration', () => {
  test('finds nothing in an empty directory, and that is no problem', async () => {
    expect(await readConfig({ env: {}, directory })).toMatchObject({
      file: undefined,
      dotenv: undefined,
    })
  })

  test('reads .env, unless that is a directory (a virtual environment)', async () => {
    put('.env', 'A=1')
    expect((await readConfig({ env: {}, directory })).dotenv).toBe('A=1')
    rmSync(join(directory, '.env'))
    mkdirSync(join(directory, '.env'))
    expect((await readConfig({ env: {}, directory })).dotenv).toBeUndefined()
  })

  test('takes the file from the option, else the environment, else .env', async () => {
    for (const name of ['a', 'b', 'c']) put(name, `# ${name}`)
    put('.env', 'OPUSDNS_PROXY_CONFIG=c')
    const env = { OPUSDNS_PROXY_CONFIG: 'b' }
    expect((await readConfig({ env, configPath: 'a', directory })).file?.text).toBe('# a')
    expect((await readConfig({ env, directory })).file?.text).toBe('# b')
    expect((await readConfig({ env: {}, directory })).file).toEqual({ path: 'c', text: '# c' })
    const none = { OPUSDNS_PROXY_CONFIG: '' }
    expect((await readConfig({ env: none, directory })).file).toBeUndefined()
  })

  test('says which file cannot be read, and who named it', async () => {
    const problem = (place: string) => ({
      code: 'config_invalid',
      problems: [{ place, fault: 'cannot be read (ENOENT)' }],
    })
    const byOption = readConfig({ env: {}, configPath: 'x.yaml', directory })
    await expect(byOption).rejects.toMatchObject(problem('--config x.yaml'))
    const byVariable = readConfig({ env: { OPUSDNS_PROXY_CONFIG: 'y.yaml' }, directory })
    await expect(byVariable).rejects.toMatchObject(problem('OPUSDNS_PROXY_CONFIG y.yaml'))
  })

  test('leads to settings, with a client id from a file beside it', async () => {
    put('id', 'organization_a\n')
    put('.env', 'OPUSDNS_CLIENT_ID_FILE=id\nOPUSDNS_CLIENT_SECRET=cs_a\n')
    put('p.yaml', 'log: { level: warn }')
    const input = await readConfig({ env: {}, configPath: 'p.yaml', directory })
    const { settings } = await loadSettings(input)
    expect(settings.credential).toMatchObject({ kind: 'oauth', clientId: 'organization_a' })
    expect(settings.log.level).toBe('warn')
  })
})
