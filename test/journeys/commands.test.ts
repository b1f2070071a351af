// The commands as a user runs them: exit codes, what is said and where, and where settings and
// secrets come from.

import { describe, expect, test, beforeAll, afterAll, beforeEach } from 'vitest'

import { VERSION } from '../../src/base/version.ts'
import { SEED_CLIENT, SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'
import { readyz } from '../support/admin-pages.ts'
import { eventually } from '../support/eventually.ts'
import { runCommand, startRunningProxy, type CommandResult } from '../support/running-proxy.ts'

const KEY = { OPUSDNS_API_KEY: SEED_KEY.key }
const PAIR = { OPUSDNS_CLIENT_ID: SEED_CLIENT.id, OPUSDNS_CLIENT_SECRET: SEED_CLIENT.secret }
const WAYS = [
  'OPUSDNS_API_KEY',
  'OPUSDNS_CLIENT_ID',
  'OPUSDNS_CLIENT_SECRET',
  'OPUSDNS_API_KEY_FILE',
  '.env',
  '--config',
  'OPUSDNS_PROXY_CONFIG',
  'npm run demo',
]

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())
beforeEach(() => simulator.reset())

const run = (
  args: readonly string[],
  env: Record<string, string> = {},
  more: { config?: string; files?: Record<string, string> } = {},
): Promise<CommandResult> =>
  runCommand({ args, env: { OPUSDNS_API_BASE: simulator.origin, ...env }, ...more })

// Many, and each is a process of its own.
describe.concurrent('help', { timeout: 15_000 }, () => {
  const ask = (args: readonly string[], env: Record<string, string> = {}) =>
    runCommand({ args, env: { OPUSDNS_API_BASE: simulator.origin, ...env }, keep: true })

  test('is there for the program and names every command', async () => {
    const { code, stdout, stderr } = await ask(['--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const name of [
      'serve',
      'check',
      'healthcheck',
      'doctor',
      'token',
      'audit',
      'budget',
      'keys',
      'explain',
      'learn',
      'version',
      'Exit codes',
    ]) {
      expect(stdout).toContain(name)
    }
  })

  test.each([
    ['serve', ['--config']],
    ['check', ['--config']],
    ['healthcheck', ['--config', '--live']],
    ['doctor', ['--config', '--json']],
    ['token', ['--config']],
    ['audit', ['verify']],
    ['audit verify', ['<files...>']],
    ['budget', ['show', 'clear']],
    ['budget show', ['--config', '--json']],
    ['budget clear', ['<ids...>', '--spent', '--not-spent', '--config', '--json']],
    ['keys', ['new']],
    ['keys new', ['--consumer', '--expires', '--json']],
    ['explain', ['<method>', '<path>', '--config', '--consumer', '--body', '--json']],
    ['learn', ['<files...>', '--consumer', '--denied-only']],
    ['version', []],
  ])(
    'of %s shows its options, without a configuration, and starts nothing',
    async (name, options) => {
      const { code, stdout, stderr } = await ask([...name.split(' '), '--help'])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain(name)
      for (const option of [...options, '--help']) expect(stdout).toContain(option)
    },
  )

  test.each([
    [['nonsense']],
    [['serve', '--nonsense']],
    [['check', '--config']],
    [['audit', 'verfy', 'x']],
    [['audit', 'verify']],
    [['budget', 'claer', 'x']],
    [['budget', 'clear', '--spent']],
    [['keys', 'nwe']],
    [['keys', 'new', '--expires']],
    [['explain', 'GET']],
    [['explain', 'GET', '/v1/dns', 'more']],
    [['learn', '--consumer', 'x']],
  ])('is pointed to after %j, with exit code 1', async (args) => {
    const { code, stdout, stderr } = await ask(args, KEY)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('--help')
  })

  test.each([[['audit']], [['keys']]])(
    'is all that %j says without a further word, with exit code 1',
    async (args) => {
      const { code, stdout, stderr } = await ask(args, KEY)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr).toContain('Commands:')
    },
  )
})

describe('version', () => {
  test('says it in one line', async () => {
    expect(await run(['version'])).toMatchObject({
      code: 0,
      stdout: `opusdns-auth-proxy ${VERSION}\n`,
      stderr: '',
    })
  })
})

describe('without a credential', () => {
  test.each([[[]], [['serve']], [['check']], [['token']]])(
    '%j ends with 1 and tells every way to give one',
    async (args) => {
      const { code, stdout, stderr } = await run(args)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      for (const way of WAYS) expect(stderr).toContain(way)
      expect(simulator.requests).toHaveLength(0)
    },
  )

  test('an empty variable counts as none, and is named', async () => {
    const { code, stderr } = await run(['serve'], { OPUSDNS_API_KEY: '' })
    expect(code).toBe(1)
    expect(stderr).toContain('OPUSDNS_API_KEY is set but empty')
  })
})

describe('a configuration that is wrong', () => {
  test('with both kinds of credential is refused', async () => {
    const { code, stdout, stderr } = await run(['serve'], { ...KEY, ...PAIR })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('two kinds of credential')
    for (const name of ['OPUSDNS_API_KEY', 'OPUSDNS_CLIENT_ID']) expect(stderr).toContain(name)
  })

  test('with half of a pair names the other half', async () => {
    const { code, stderr } = await run(['check'], { OPUSDNS_CLIENT_ID: SEED_CLIENT.id })
    expect(code).toBe(1)
    expect(stderr).toContain('OPUSDNS_CLIENT_SECRET')
  })

  test('is reported whole: every problem with its place, fault and remedy', async () => {
    const config = 'listne: x\nupstream: { base: "http://api.example" }\nlog: { level: loud }\n'
    const { code, stdout, stderr } = await run(['check'], KEY, { config })
    // The environment overrides the base.
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/listne[\s\S]*remedy:.*listen/)
    expect(stderr).toContain('log.level')
    expect(stderr.match(/fault: {2}/g)?.length).toBe(2)
    expect(stderr.match(/remedy: /g)?.length).toBe(2)
  })

  test('refuses plain http to anything but loopback', async () => {
    const { code, stderr } = await run(['check'], {
      ...KEY,
      OPUSDNS_API_BASE: 'http://api.example',
    })
    expect(code).toBe(1)
    expect(stderr).toContain('OPUSDNS_API_BASE')
  })

  test('names a file that is not there', async () => {
    const { code, stderr } = await run(['check', '--config', '/nowhere/proxy.yaml'], KEY)
    expect(code).toBe(1)
    expect(stderr).toContain('/nowhere/proxy.yaml')
  })
})

describe('a listener that other machines reach', () => {
  const open = { ...KEY, OPUSDNS_PROXY_LISTEN: '0.0.0.0:0' }

  test('is refused, with the way to allow it', async () => {
    const { code, stdout, stderr } = await run(['serve'], open)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('insecure_allow_anonymous: true')
  })

  test('is opened when that is written out', async () => {
    const proxy = await startRunningProxy({
      env: { OPUSDNS_API_BASE: simulator.origin, ...open },
      config: 'insecure_allow_anonymous: true',
    })
    expect(proxy.listen[0]).toMatch(/^0\.0\.0\.0:\d+$/)
  })
})

describe('check', () => {
  test('is pure: prints a summary, opens no connection, shows no secret', async () => {
    const { code, stdout, stderr } = await run(['check'], KEY)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('The configuration is valid.')
    expect(stdout).toContain('api_key from env:OPUSDNS_API_KEY')
    expect(stdout).toContain(simulator.origin)
    expect(stdout).not.toContain(SEED_KEY.key)
    expect(simulator.requests).toHaveLength(0)
  })

  test('warns of a variable that has no effect, and is content all the same', async () => {
    const { code, stderr } = await run(['check'], { ...KEY, OPUSDNS_PROXY_LISTN: '127.0.0.1:1' })
    expect(code).toBe(0)
    expect(stderr).toMatch(/warning: OPUSDNS_PROXY_LISTN .*OPUSDNS_PROXY_LISTEN/)
  })
})

describe('token', () => {
  test('shows life and fingerprint of a token, and never the token', async () => {
    const { code, stdout, stderr } = await run(['token'], PAIR)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/expires in: +(60 min 0 s|59 min 59 s)/)
    expect(stdout).toMatch(/fingerprint: +[0-9a-f]{12}\b/)
    expect(stdout).not.toMatch(/ey[\w-]{10,}\./)
    expect(simulator.tokenRequests).toBe(1)
  })

  test('ends with 2 when the endpoint refuses, and when nobody is there', async () => {
    const refused = await run(['token'], { ...PAIR, OPUSDNS_CLIENT_SECRET: 'wrong-secret' })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/^error: no token: .*(secret|client)/i)
    const nobody = await run(['token'], { ...PAIR, OPUSDNS_API_BASE: 'http://127.0.0.1:1' })
    expect(nobody).toMatchObject({ code: 2, stdout: '' })
  })

  test('ends with 1 for an API key, which needs none', async () => {
    const { code, stdout, stderr } = await run(['token'], KEY)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('API key')
  })
})

describe('healthcheck', () => {
  test('follows readiness and life of a running proxy', async () => {
    const proxy = await startRunningProxy({ env: { OPUSDNS_API_BASE: simulator.origin, ...KEY } })
    await eventually(async () => (await readyz(proxy)).code === 200)
    const env = { ...KEY, OPUSDNS_PROXY_ADMIN: proxy.admin }
    const well = await run(['healthcheck'], env)
    expect(well).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(well.stdout)).toMatchObject({ status: 'ready' })
    await proxy.stop()
    const gone = await run(['healthcheck'], env)
    expect(gone).toMatchObject({ code: 2, stdout: '' })
    expect(gone.stderr).toContain('nobody answers')
  })

  test('ends with 2 for a proxy that is alive and not ready, and with 0 when asked for life', async () => {
    const proxy = await startRunningProxy({
      env: { ...KEY, OPUSDNS_API_BASE: 'http://127.0.0.1:1' },
    })
    // It needs to know the address only, no credential.
    const env = { OPUSDNS_PROXY_ADMIN: proxy.admin }
    const sick = await run(['healthcheck'], env)
    expect(sick.code).toBe(2)
    expect(JSON.parse(sick.stdout)).toMatchObject({ status: 'not_ready' })
    expect(await run(['healthcheck', '--live'], env)).toMatchObject({ code: 0 })
  })
})

describe('the sources of settings', () => {
  test('include .env in the working folder, and the real environment wins', async () => {
    const files = {
      '.env': `OPUSDNS_API_KEY=${SEED_KEY.key}\nOPUSDNS_API_BASE=${simulator.origin}\n`,
    }
    const fromFile = await runCommand({ args: ['check'], files })
    expect(fromFile).toMatchObject({ code: 0, stderr: '' })
    expect(fromFile.stdout).toContain(simulator.origin)
    const env = { OPUSDNS_API_BASE: 'https://other.example' }
    const overridden = await runCommand({ args: ['check'], files, env })
    expect(overridden.stdout).toContain('https://other.example')
    const proxy = await startRunningProxy({ files })
    expect((await fetch(`${proxy.origin}/v1/dns`)).status).toBe(200)
  })

  test('include a file that OPUSDNS_PROXY_CONFIG names, and the environment wins over it', async () => {
    const files = { 'own.yaml': 'listen: ["127.0.0.1:7001"]\nlog: { level: warn }\n' }
    const env = { ...KEY, OPUSDNS_PROXY_CONFIG: 'own.yaml' }
    const overridden = await run(['check'], env, { files })
    expect(overridden.stdout).toMatch(/listen: +127\.0\.0\.1:0\n/)
    const plain = await run(['check'], { ...env, OPUSDNS_PROXY_LISTEN: '' }, { files })
    expect(plain.stdout).toMatch(/listen: +127\.0\.0\.1:7001\n/)
  })

  test('give the same credential through every _FILE twin', async () => {
    const files = { id: SEED_CLIENT.id, secret: `${SEED_CLIENT.secret}\n` }
    const env = { OPUSDNS_CLIENT_ID_FILE: 'id', OPUSDNS_CLIENT_SECRET_FILE: 'secret' }
    expect(await run(['token'], env, { files })).toMatchObject({ code: 0 })
  })
})
