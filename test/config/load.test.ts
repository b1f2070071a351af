import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

import { Fault } from '../../src/base/fault.ts'
import type { Problem } from '../../src/base/fault.ts'
import { loadSettings } from '../../src/config/load.ts'
import type { LoadInput } from '../../src/config/load.ts'

const KEY = { OPUSDNS_API_KEY: 'opk_a' }
const PAIR = { OPUSDNS_CLIENT_ID: 'organization_a', OPUSDNS_CLIENT_SECRET: 'cs_a' }

const load = (input: Partial<LoadInput>) => loadSettings({ env: {}, ...input })
const yaml = (text: string) => ({ path: 'p.yaml', text })

async function problemsOf(input: Partial<LoadInput>): Promise<readonly Problem[]> {
  const error: unknown = await load(input).catch((reason: unknown) => reason)
  if (!(error instanceof Fault))
    throw new Error('was accepted, or failed otherwise', { cause: error })
  expect(error.code).toBe('config_invalid')
  for (const problem of error.problems) {
    expect(problem.place).not.toBe('')
    expect(problem.fault).not.toBe('')
    expect(problem.remedy).not.toBe('')
  }
  return error.problems
}

const places = async (input: Partial<LoadInput>) =>
  (await problemsOf(input)).map((problem) => problem.place)

describe('without a file', () => {
  test('a key is all that a sidecar needs', async () => {
    const { settings, captured, consumedEnv, warnings } = await load({ env: KEY })
    expect(settings).toEqual({
      listen: [{ kind: 'tcp', host: '127.0.0.1', port: 8080 }],
      hosts: [],
      insecureAllowAnonymous: false,
      admin: { listen: { kind: 'tcp', host: '127.0.0.1', port: 9090 }, hosts: [] },
      upstream: {
        base: 'https://api.opusdns.com',
        caFile: undefined,
        connections: 128,
        connectTimeout: 5000,
        headTimeout: 25_000,
        bodyIdleTimeout: 60_000,
        queueTimeout: 10_000,
        idleTimeout: 4000,
      },
      credentials: new Map(),
      consumers: undefined,
      trustedHops: [],
      unpriced: new Set(),
      audit: undefined,
      credential: {
        kind: 'api_key',
        key: { kind: 'env', name: 'OPUSDNS_API_KEY' },
        previous: undefined,
      },
      secrets: expect.any(Object),
      policy: { allow: [] },
      limits: {
        headerSize: 32_768,
        targetSize: 28_672,
        bodySize: { read: 65_536, write: 16_777_216, bulk: 67_108_864 },
        replayBodySize: 65_536,
        judgedBodySize: 1_048_576,
        heldSize: 67_108_864,
        inFlight: 4096,
        connections: 16_384,
        tlsHandshakeTimeout: 10_000,
        requestHeadTimeout: 10_000,
        requestBodyIdleTimeout: 30_000,
        requestBodyTimeout: 300_000,
        replyWriteTimeout: 60_000,
        totalTimeout: 0,
        keepAliveTimeout: 65_000,
      },
      log: { level: 'info', access: true },
      shutdown: { delay: 0, deadline: 25_000 },
    })
    expect(captured.get('OPUSDNS_API_KEY')?.reveal()).toBe('opk_a')
    expect(consumedEnv).toEqual(['OPUSDNS_API_KEY'])
    expect(warnings).toEqual([])
  })

  test('an OAuth pair does as well', async () => {
    const { settings, captured, consumedEnv } = await load({ env: PAIR })
    expect(settings.credential).toEqual({
      kind: 'oauth',
      clientId: 'organization_a',
      secret: { kind: 'env', name: 'OPUSDNS_CLIENT_SECRET' },
      previous: undefined,
      tokenRequest: 'form',
    })
    expect(captured.get('OPUSDNS_CLIENT_SECRET')?.reveal()).toBe('cs_a')
    expect(consumedEnv).toEqual(['OPUSDNS_CLIENT_ID', 'OPUSDNS_CLIENT_SECRET'])
  })

  test('each has a twin that names a file, which is not read now', async () => {
    const { settings, captured } = await load({ env: { OPUSDNS_API_KEY_FILE: 'run/k' } })
    expect(settings.credential).toMatchObject({ key: { kind: 'file', path: 'run/k' } })
    expect(captured.size).toBe(0)
    const oauth = await load({
      env: { OPUSDNS_CLIENT_ID_FILE: '/run/id', OPUSDNS_CLIENT_SECRET_FILE: '/run/s' },
      readText: (path) => (path === '/run/id' ? 'organization_b\n' : ''),
    })
    expect(oauth.settings.credential).toMatchObject({
      clientId: 'organization_b',
      secret: { kind: 'file', path: '/run/s' },
    })
  })

  test('variables set everything that has one', async () => {
    const { settings } = await load({
      env: {
        ...KEY,
        OPUSDNS_API_BASE: 'http://127.0.0.1:8090/',
        OPUSDNS_PROXY_LISTEN: '127.0.0.1:0, [::1]:81,unix:/run/p.sock',
        OPUSDNS_PROXY_ADMIN: 'localhost:91',
        OPUSDNS_PROXY_LOG_LEVEL: 'debug',
      },
    })
    expect(settings.upstream.base).toBe('http://127.0.0.1:8090')
    expect(settings.listen).toEqual([
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      { kind: 'tcp', host: '::1', port: 81 },
      { kind: 'unix', path: '/run/p.sock', mode: 0o660 },
    ])
    expect(settings.admin.listen).toEqual({ kind: 'tcp', host: 'localhost', port: 91 })
    expect(settings.log.level).toBe('debug')
  })
})

describe('.env', () => {
  test('gives what the environment lacks, and the environment wins', async () => {
    const { settings, captured, consumedEnv } = await load({
      env: { OPUSDNS_PROXY_LOG_LEVEL: 'warn' },
      dotenv: 'OPUSDNS_API_KEY="opk_d"\nOPUSDNS_PROXY_LOG_LEVEL=debug # less\n',
    })
    expect(settings.log.level).toBe('warn')
    expect(captured.get('OPUSDNS_API_KEY')?.reveal()).toBe('opk_d')
    expect(consumedEnv).toEqual([])
  })

  test('is named as the place of what is wrong in it', async () => {
    expect(await places({ env: KEY, dotenv: 'OPUSDNS_PROXY_LOG_LEVEL=loud' })).toEqual([
      'OPUSDNS_PROXY_LOG_LEVEL (.env)',
    ])
  })
})

describe('a file', () => {
  test('gives settings; the environment wins over it', async () => {
    const { settings } = await load({
      env: { OPUSDNS_API_BASE: 'https://sandbox.opusdns.com', OPUSDNS_PROXY_ADMIN: '127.0.0.1:1' },
      file: yaml(`
credential: { api_key: file:/run/k, previous_api_key: { exec: [/bin/t, x y] } }
upstream: { base: https://other.example, ca_file: /ca.pem, head_timeout: 3s }
admin: { listen: '127.0.0.1:2', hosts: [Ops.Example] }
hosts: [Proxy.Internal]
policy: { allow: [auth, auth] }
limits: { replay_body_size: 0B }
`),
    })
    expect(settings.upstream).toMatchObject({
      base: 'https://sandbox.opusdns.com',
      caFile: '/ca.pem',
      headTimeout: 3000,
    })
    expect(settings.admin).toEqual({
      listen: { kind: 'tcp', host: '127.0.0.1', port: 1 },
      hosts: ['ops.example'],
    })
    expect(settings.hosts).toEqual(['proxy.internal'])
    expect(settings.policy.allow).toEqual(['auth'])
    expect(settings.limits.replayBodySize).toBe(0)
    expect(settings.credential).toEqual({
      kind: 'api_key',
      key: { kind: 'file', path: '/run/k' },
      previous: { kind: 'exec', argv: ['/bin/t', 'x y'], timeout: 10_000, lifetime: 300_000 },
    })
  })

  test('may refer to variables by env:NAME, which are then captured and consumed', async () => {
    const { settings, captured, consumedEnv } = await load({
      env: { ...KEY, MY_OLD_KEY: 'opk_old\n' },
      file: yaml('credential: { api_key: env:OPUSDNS_API_KEY, previous_api_key: env:MY_OLD_KEY }'),
    })
    expect(settings.credential.kind).toBe('api_key')
    expect(captured.get('MY_OLD_KEY')?.reveal()).toBe('opk_old')
    expect(consumedEnv).toEqual(['OPUSDNS_API_KEY', 'MY_OLD_KEY'])
  })

  test('may refer to the client id too', async () => {
    const file = yaml(
      'credential: { client_id: env:OPUSDNS_CLIENT_ID, client_secret: env:OPUSDNS_CLIENT_SECRET, token_request: json }',
    )
    const { settings } = await load({ env: PAIR, file })
    expect(settings.credential).toMatchObject({ clientId: 'organization_a', tokenRequest: 'json' })
  })

  test.each(['', '# nothing\n', '---\n'])(
    'that says nothing (%j) changes nothing',
    async (text) => {
      const { settings } = await load({ env: KEY, file: yaml(text) })
      expect(settings).toEqual((await load({ env: KEY })).settings)
    },
  )

  test('has every problem reported at once, each with its line', async () => {
    const found = await problemsOf({
      env: { OPUSDNS_PROXY_ADMIN: 'nowhere' },
      file: yaml(`listn: []
listen: [':8080', '0.0.0.0:1', 7]
admin:
  hosts: ['http://x']
upstream:
  base: http://opusdns.example
  conections: 4
  connections: 0
  head_timeout: 10
credential:
  api_key: opk_canary
  token_request: form
policy:
  allow: [transfer-codes]
limits: { header_size: 2MiB }
log: { access: 1 }
shutdown:
`),
    })
    expect(found.map((problem) => problem.place)).toEqual([
      'listn (p.yaml:1)',
      'listen[2] (p.yaml:2)',
      'admin.hosts[0] (p.yaml:4)',
      'upstream.base (p.yaml:6)',
      'upstream.connections (p.yaml:8)',
      'upstream.head_timeout (p.yaml:9)',
      'upstream.conections (p.yaml:7)',
      'credential.api_key (p.yaml:11)',
      'credential (p.yaml:10)',
      'policy.allow[0] (p.yaml:14)',
      'limits.header_size (p.yaml:15)',
      'log.access (p.yaml:16)',
      'shutdown (p.yaml:17)',
      'listen[0] (p.yaml:2)',
      'OPUSDNS_PROXY_ADMIN',
      'listen[1] (p.yaml:2)',
    ])
    expect(found.find((problem) => problem.place.startsWith('listn'))?.remedy).toBe(
      'did you mean listen?',
    )
    expect(found.find((problem) => problem.place.includes('conections'))?.remedy).toBe(
      'did you mean connections?',
    )
  })

  test.each([
    'limits: { held_size: 1MiB }',
    'limits: { judged_body_size: 33MiB }',
    'limits: { held_size: 256KiB, judged_body_size: 4KiB, replay_body_size: 256KiB }',
  ])('in which one body would take all memory is refused: %s', async (text) => {
    const [problem] = await problemsOf({ env: KEY, file: yaml(text) })
    expect(problem?.place).toContain('limits')
    expect(problem?.fault).toContain('held_size below twice judged_body_size')
  })

  test.each([
    ['a duplicate key', 'log: {}\nlog: {}', 'p.yaml:2'],
    ['an alias', 'hosts: &a [x]\nadmin: { hosts: *a }', 'p.yaml:2'],
    ['an alias bomb', 'a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]', 'p.yaml:2'],
    ['a tab', 'log:\n\tlevel: info', 'p.yaml:2'],
    ['two documents', 'log: {}\n---\nlog: {}', 'p.yaml:2'],
    ['a tag', 'hosts: !!binary Y2FuYXJ5', 'p.yaml:1'],
    ['an unfilled template', 'credential:\n  api_key: {{ opk_canary }}', 'p.yaml:2'],
    ['an open quote', 'credential:\n  api_key: "opk_canary\n', 'p.yaml'],
    ['a list', '- opk_canary', 'p.yaml'],
    ['a bare word', 'api_key:opk_canary', 'p.yaml'],
  ])('with %s is refused', async (_what, text, place) => {
    const found = await problemsOf({ env: KEY, file: yaml(text) })
    expect(found[0]?.place).toContain(place)
    expect(inspect(found)).not.toContain('canary')
  })
})

describe('unpriced', () => {
  const CONSUMERS = 'consumers: { a: { grants: [read], networks: [10.0.0.0/8] } }'
  const written = (list: string, more = CONSUMERS) => yaml(`unpriced: ${list}\n${more}`)

  test('takes operations that may have a price', async () => {
    const file = written("['POST /v1/dns', 'POST /v1/email-forwards']")
    const { settings } = await load({ env: KEY, file })
    expect([...settings.unpriced].map(({ template }) => template)).toEqual([
      '/v1/dns',
      '/v1/email-forwards',
    ])
  })

  test.each([
    ['a sure purchase', 'POST /v1/domains', 'is a purchase for every account', 'a budget'],
    ['a job', 'POST /v1/jobs', 'is a purchase for every account', 'a budget'],
    ['what has no price', 'GET /v1/dns', 'costs nothing anyway', 'remove it'],
    ['what is none', 'POST /v1/zones', 'is no operation of the API', 'POST /v1/dns, '],
  ])('takes nothing else: %s', async (_what, operation, fault, remedy) => {
    const found = await problemsOf({ env: KEY, file: written(`['${operation}']`) })
    expect(found).toMatchObject([{ place: 'unpriced[0] (p.yaml:1)' }])
    expect(found[0]?.fault).toContain(fault)
    expect(found[0]?.remedy).toContain(remedy)
  })

  test('means nothing where nobody has a budget', async () => {
    const file = written("['POST /v1/dns']", '')
    expect(await places({ env: KEY, file })).toEqual(['unpriced (p.yaml:1)'])
  })
})

describe('a credential', () => {
  const none = { place: 'credential', fault: expect.stringContaining('is not given') }

  test('that is nowhere is explained with all the ways to give one', async () => {
    const [problem] = await problemsOf({})
    expect(problem).toMatchObject(none)
    for (const way of [
      'OPUSDNS_API_KEY',
      'OPUSDNS_CLIENT_ID',
      'OPUSDNS_CLIENT_SECRET',
      '_FILE',
      '.env',
      '--config',
      'OPUSDNS_PROXY_CONFIG',
      'npm run demo',
    ]) {
      expect(problem?.remedy).toContain(way)
    }
  })

  test('that is set to nothing, or under a wrong name, is pointed out', async () => {
    const [empty] = await problemsOf({ env: { OPUSDNS_API_KEY: '' } })
    expect(empty?.fault).toContain('OPUSDNS_API_KEY is set but empty')
    const [slip] = await problemsOf({ env: { OPUSDNS_APIKEY: 'opk_canary' } })
    expect(slip?.fault).toContain('did you mean OPUSDNS_API_KEY?')
    expect(inspect(slip)).not.toContain('canary')
  })

  test.each([
    ['both twins', { ...KEY, OPUSDNS_API_KEY_FILE: '/k' }, 'are both set'],
    ['both kinds', { ...KEY, ...PAIR }, 'two kinds'],
    ['a key and half a pair', { ...KEY, OPUSDNS_CLIENT_ID: 'organization_a' }, 'two kinds'],
    ['an id alone', { OPUSDNS_CLIENT_ID: 'organization_a' }, 'without OPUSDNS_CLIENT_SECRET'],
    ['a secret alone', { OPUSDNS_CLIENT_SECRET: 'cs_a' }, 'without OPUSDNS_CLIENT_ID'],
    [
      'a secret and an empty id',
      { OPUSDNS_CLIENT_SECRET: 'cs_a', OPUSDNS_CLIENT_ID: '' },
      'set but empty',
    ],
    ['a key with a space', { OPUSDNS_API_KEY: 'opk_a b' }, 'character that no key has'],
    ['an id with a space', { ...PAIR, OPUSDNS_CLIENT_ID: 'a b' }, 'not a client id'],
  ])('from the environment with %s is refused', async (_what, env, fault) => {
    const found = await problemsOf({ env })
    expect(found).toHaveLength(1)
    expect(found[0]?.fault).toContain(fault)
  })

  test('from an id file that cannot be read is refused', async () => {
    const env = { OPUSDNS_CLIENT_ID_FILE: '/id', OPUSDNS_CLIENT_SECRET: 'cs_a' }
    const readText = () => {
      throw Object.assign(new Error('canary'), { code: 'ENOENT' })
    }
    const found = await problemsOf({ env, readText })
    expect(found).toMatchObject([{ place: 'OPUSDNS_CLIENT_ID_FILE' }])
    expect(found[0]?.fault).toContain('ENOENT')
  })

  test('in the file and in the environment is refused, unless the one refers to the other', async () => {
    const file = yaml('credential: { api_key: file:/k }')
    expect(await problemsOf({ env: KEY, file })).toMatchObject([
      { place: 'OPUSDNS_API_KEY', fault: 'gives a credential besides the one in the file' },
    ])
    const referring = yaml('credential: { api_key: env:OPUSDNS_API_KEY }')
    await expect(load({ env: KEY, file: referring })).resolves.toBeDefined()
    expect(await places({ env: { ...KEY, ...PAIR }, file: referring })).toEqual([
      'OPUSDNS_CLIENT_ID, OPUSDNS_CLIENT_SECRET',
    ])
  })

  test.each([
    ['nothing', '{}', ['holds no credential']],
    ['both kinds', '{ api_key: file:/k, client_id: a }', ['holds both kinds of credential']],
    ['an old key alone', '{ previous_api_key: file:/k }', ['has previous_api_key but no api_key']],
    ['an id alone', '{ client_id: organization_a }', ['has no client_secret']],
    ['a secret alone', '{ client_secret: file:/k }', ['has no client_id']],
    ['an encoding alone', '{ token_request: json }', ['has no client_id', 'has no client_secret']],
    ['an unset variable', '{ api_key: env:NOT_SET }', ['refers to NOT_SET, which is not set']],
    ['an empty id', '{ client_id: "", client_secret: file:/k }', ['is empty']],
    ['a literal', '{ api_key: opk_canary }', [expect.stringContaining('is not a reference')]],
    [
      'a key as the name of a setting',
      '{ opk_canary: }',
      ['holds a key that is not known', 'holds no credential'],
    ],
    [
      'a key without a space',
      '{api_key:opk_canary}',
      ['holds a key that is not known', 'holds no credential'],
    ],
  ])('in the file with %s is refused', async (_what, credential, faults) => {
    const found = await problemsOf({ file: yaml(`credential: ${credential}`) })
    expect(found.map((problem) => problem.fault)).toEqual(faults)
    expect(inspect(found)).not.toContain('canary')
  })

  test('that looks wrong is a warning, and is not shown', async () => {
    const key = await load({ env: { OPUSDNS_API_KEY: 'sk_canary' } })
    expect(key.warnings).toMatchObject([{ place: 'OPUSDNS_API_KEY' }])
    const pair = await load({ env: { ...PAIR, OPUSDNS_CLIENT_ID: 'canary' } })
    expect(pair.warnings).toMatchObject([{ place: 'OPUSDNS_CLIENT_ID' }])
    expect(inspect([key.warnings, pair.warnings], { depth: 9 })).not.toContain('canary')
  })
})

describe('listeners', () => {
  test('off loopback need consumers that can be identified there', async () => {
    const at = (text: string) => places({ env: KEY, file: yaml(`listen: ['0.0.0.0:80']\n${text}`) })
    const consumers = (one: string) => at(`consumers: { a: { grants: [read], ${one} } }`)
    expect(await at('')).toEqual(['listen[0] (p.yaml:1)'])
    expect(await consumers('anonymous: true')).toEqual(['listen[0] (p.yaml:1)'])
    expect(await consumers("networks: ['0.0.0.0/0']")).toEqual([
      'consumers.a.networks[0] (p.yaml:2)',
    ])
    expect(await consumers('mtls: [CN=a], networks: [10.0.0.0/8]')).toEqual([
      'consumers.a.mtls (p.yaml:2)',
    ])
    expect(await consumers('sockets: [/run/a.sock], networks: [10.0.0.0/8]')).toEqual([
      'consumers.a.sockets[0] (p.yaml:2)',
    ])
    // What is wrong with the consumer itself is said, and no more.
    expect(await consumers('networks: [10]')).toEqual(['consumers.a.networks[0] (p.yaml:2)'])
    const { settings } = await load({
      env: KEY,
      file: yaml(
        "listen: ['0.0.0.0:80']\nconsumers: { a: { grants: [read], networks: [10.0.0.0/8] } }\ntrusted_hops: [10.0.0.1]",
      ),
    })
    expect(settings.trustedHops).toEqual([{ family: 'ipv4', address: '10.0.0.1', prefix: 32 }])
  })

  test('may stand behind trusted hops, but not behind all the world', async () => {
    const at = (hops: string, more = '') =>
      places({ env: KEY, file: yaml(`trusted_hops: ${hops}\n${more}`) })
    const consumers = 'consumers: { a: { grants: [read], networks: [10.0.0.0/8] } }'
    expect(await at("['0.0.0.0/0', '::/0', 10.0.0.1, '128.0.0.0/1']", consumers)).toEqual([
      'trusted_hops[0] (p.yaml:1)',
      'trusted_hops[1] (p.yaml:1)',
      'trusted_hops[3] (p.yaml:1)',
    ])
    expect(await at('[10.0.0.1]')).toEqual(['trusted_hops (p.yaml:1)'])
  })

  test('may be mappings, with who may open a socket and which certificate is shown', async () => {
    const { settings, warnings } = await load({
      env: KEY,
      file: yaml(`
listen:
  - { address: unix:/run/a.sock, mode: '600', owner: '1000:0' }
  - { address: unix:/run/b.sock, owner: ':50' }
  - { address: '127.0.0.1:8443', tls: { certificate_file: c.pem, key_file: k.pem } }
admin: { listen: { address: unix:/run/admin.sock, mode: '0666', owner: '7' } }`),
    })
    expect(settings.listen).toEqual([
      { kind: 'unix', path: '/run/a.sock', mode: 0o600, owner: { uid: 1000, gid: 0 } },
      { kind: 'unix', path: '/run/b.sock', mode: 0o660, owner: { uid: undefined, gid: 50 } },
      {
        kind: 'tcp',
        host: '127.0.0.1',
        port: 8443,
        tls: {
          certificateFile: 'c.pem',
          keyFile: 'k.pem',
          places: {
            certificate: 'listen[2].tls.certificate_file (p.yaml:5)',
            key: 'listen[2].tls.key_file (p.yaml:5)',
          },
        },
      },
    ])
    expect(settings.admin.listen).toMatchObject({ mode: 0o666, owner: { uid: 7, gid: undefined } })
    // Everybody may open that one.
    expect(warnings.map(({ place }) => place)).toEqual(['admin.listen.mode (p.yaml:6)'])
  })

  test('that are mappings have all their faults told at once, each at its place', async () => {
    const found = await problemsOf({
      env: KEY,
      file: yaml(`
listen:
  - { address: '127.0.0.1:1', mode: '0660', owner: '1' }
  - { address: unix:/run/a.sock, mode: 0660 }
  - { address: unix:/run/b.sock, mode: '999', owner: www-data }
  - { adress: '127.0.0.1:4' }
  - { address: ':5', tls: { certificate_file: c.pem } }
  - [ '127.0.0.1:6' ]
admin: { listen: { address: nowhere } }`),
    })
    expect(found.map(({ place }) => place).toSorted()).toEqual([
      'admin.listen.address (p.yaml:9)',
      'listen[0].mode (p.yaml:3)',
      'listen[0].owner (p.yaml:3)',
      'listen[1].mode (p.yaml:4)',
      'listen[2].mode (p.yaml:5)',
      'listen[2].owner (p.yaml:5)',
      'listen[3].address (p.yaml:6)',
      'listen[3].adress (p.yaml:6)',
      'listen[4].address (p.yaml:7)',
      'listen[4].tls.key_file (p.yaml:7)',
      'listen[5] (p.yaml:8)',
    ])
    const remedies = Object.fromEntries(found.map(({ place, remedy }) => [place, remedy]))
    expect(remedies['listen[3].adress (p.yaml:6)']).toBe('did you mean address?')
    expect(remedies['listen[2].owner (p.yaml:5)']).toContain('1000:1000')
  })

  test('on other machines need the same consent with TLS as without', async () => {
    const file = yaml(
      "listen: [{ address: '0.0.0.0:1', tls: { certificate_file: c, key_file: k } }]",
    )
    expect(await places({ env: KEY, file })).toEqual(['listen[0] (p.yaml:1)'])
  })

  test.each([
    '0.0.0.0:8080',
    '[::]:8080',
    '10.1.2.3:8080',
    'proxy.example:8080',
    '128.0.0.1:0',
    '[::ffff:127.0.0.1]:1',
  ])('%s is off loopback and refused unless that is written out', async (address) => {
    const env = { ...KEY, OPUSDNS_PROXY_LISTEN: `127.0.0.1:1234,${address}` }
    const found = await problemsOf({ env })
    expect(found).toMatchObject([{ place: 'OPUSDNS_PROXY_LISTEN' }])
    expect(found[0]?.remedy).toContain('insecure_allow_anonymous: true')
    const file = yaml('insecure_allow_anonymous: true')
    expect((await load({ env, file })).settings.insecureAllowAnonymous).toBe(true)
  })

  test.each(['127.0.0.1:1', '127.9.9.9:1', 'LOCALHOST:1', '[::1]:1', '[0:0::1]:1', 'unix:/p'])(
    '%s is local and needs no permission',
    async (address) => {
      const env = { ...KEY, OPUSDNS_PROXY_LISTEN: address }
      expect((await load({ env })).settings.listen).toHaveLength(1)
    },
  )

  test.each([
    ['127.0.0.1:1', '127.0.0.1:1'],
    ['localhost:1', '127.0.0.1:1'],
    ['127.0.0.1:1', '0.0.0.0:1'],
    ['127.0.0.1:1', '[::]:1'],
    ['[::1]:1', '[0:0:0:0:0:0:0:1]:1'],
    ['unix:/p', 'unix:/p'],
  ])('%s cannot serve clients while operators are at %s', async (listen, admin) => {
    const env = { ...KEY, OPUSDNS_PROXY_LISTEN: listen, OPUSDNS_PROXY_ADMIN: admin }
    expect(await places({ env })).toEqual(['OPUSDNS_PROXY_ADMIN'])
  })

  test.each([
    ['127.0.0.1:0', '127.0.0.1:0'],
    ['127.0.0.1:1', '127.0.0.1:2'],
    ['127.0.0.1:1', '[::1]:1'],
    ['unix:/p', 'unix:/q'],
  ])('%s goes with operators at %s', async (listen, admin) => {
    const env = { ...KEY, OPUSDNS_PROXY_LISTEN: listen, OPUSDNS_PROXY_ADMIN: admin }
    await expect(load({ env })).resolves.toBeDefined()
  })

  test('twice the same is refused', async () => {
    const file = yaml('listen: ["127.0.0.1:1", "127.0.0.1:1"]')
    expect(await places({ env: KEY, file })).toEqual(['listen[1] (p.yaml:1)'])
  })
})

describe('variables that nobody knows', () => {
  test('get a warning with what was meant', async () => {
    const { warnings } = await load({ env: { ...KEY, OPUSDNS_PROXY_LISTENS: 'x' } })
    expect(warnings).toEqual([
      {
        place: 'OPUSDNS_PROXY_LISTENS',
        fault: 'is not a variable of the proxy and has no effect',
        remedy: 'did you mean OPUSDNS_PROXY_LISTEN?',
      },
    ])
  })

  test('get none when Kubernetes sets them for a Service called opusdns-proxy', async () => {
    const { warnings } = await load({
      env: {
        ...KEY,
        OPUSDNS_PROXY_SERVICE_HOST: '10.0.0.1',
        OPUSDNS_PROXY_PORT: 'tcp://10.0.0.1:80',
        OPUSDNS_PROXY_PORT_80_TCP_ADDR: '10.0.0.1',
      },
    })
    expect(warnings).toEqual([])
  })
})

test('a wait beyond the patience of clients is a warning', async () => {
  const long = await load({ env: KEY, file: yaml('upstream: { head_timeout: 30s }') })
  expect(long.warnings).toMatchObject([{ place: 'upstream.head_timeout (p.yaml:1)' }])
})

describe('the origin of the API', () => {
  test.each([
    'opusdns.com',
    'ftp://api.opusdns.com',
    'https://opk_canary@api.opusdns.com',
    'https://x:opk_canary@api.opusdns.com',
    'https://api.opusdns.com/v1',
    'https://api.opusdns.com?opk_canary',
    'https://api.opusdns.com/#',
    'http://api.opusdns.com',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example:80',
    'http://0.0.0.0:80',
  ])('cannot be %s', async (base) => {
    const found = await problemsOf({ env: { ...KEY, OPUSDNS_API_BASE: base } })
    expect(found).toMatchObject([{ place: 'OPUSDNS_API_BASE' }])
    expect(inspect(found)).not.toContain('canary')
  })

  test.each([
    ['https://API.opusdns.com:443/', 'https://api.opusdns.com'],
    ['http://127.0.0.2:8090', 'http://127.0.0.2:8090'],
    ['http://[::1]:8090', 'http://[::1]:8090'],
    ['http://localhost', 'http://localhost'],
  ])('%s is taken as %s', async (base, origin) => {
    const { settings } = await load({ env: { ...KEY, OPUSDNS_API_BASE: base } })
    expect(settings.upstream.base).toBe(origin)
  })
})

describe('a canary', () => {
  const CANARY = 'opk_canary1A'
  // Every place of the file that takes a text, and some that do not.
  const TEXTS = [
    'listen: [X]',
    'listen: X',
    'hosts: ["X/"]',
    'insecure_allow_anonymous: X',
    'admin: { listen: X }',
    'admin: X',
    'upstream: { base: X }',
    'upstream: { base: "https://X@h" }',
    'upstream: { connections: X }',
    'upstream: { head_timeout: X }',
    'credential: X',
    'credential: { api_key: X }',
    'credential: { api_key: "env:X" }',
    'credential: { api_key: [X] }',
    'credential: { api_key: { exec: X } }',
    'credential: { api_key: { exec: [X] } }',
    'credential: { X: X }',
    'credential: { api_key:X }',
    'credential: { client_id: "X X", client_secret: X }',
    'credential: { client_id: "env:X", client_secret: file:/k }',
    'policy: { allow: [X] }',
    'limits: { header_size: X }',
    'log: { level: X }',
    'X: X',
    '"X"',
    '*X',
    '!X y: z',
    '{{X}}: 1',
    'a: "X',
    'X: 1\nX: 2',
  ]

  test.each(TEXTS)('is never quoted from %s', async (text) => {
    const env = {
      OPUSDNS_PROXY_LISTEN_: CANARY,
      ...(text.includes('listen') ? {} : { OPUSDNS_PROXY_LISTEN: `${CANARY}:80` }),
    }
    const found = await problemsOf({ env, file: yaml(text.replaceAll('X', CANARY)) })
    expect(inspect(found, { depth: 9 }).toLowerCase()).not.toContain('canary')
  })
})

test('a reference that is nearly right is refused with the form of its kind', async () => {
  const file = {
    path: 'proxy.yaml',
    text: 'credential: { api_key: vault:secret/data/canary, previous_api_key: { from: "valt:canary#k" } }\n',
  }
  const problems = await loadSettings({ env: {}, file }).then(
    () => [],
    (error: unknown) => Fault.from(error).problems,
  )
  expect(problems.map(({ fault, remedy }) => `${fault} ${remedy}`)).toEqual([
    expect.stringContaining('write it like vault:secret/data/opusdns#api_key'),
    expect.stringContaining('did you mean vault:'),
  ])
  expect(JSON.stringify(problems)).not.toContain('canary')
})
